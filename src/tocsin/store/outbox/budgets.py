"""Calls per window, booked before the call and shared by all processes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tocsin.ports import Clock, Granted, WaitUntil
from tocsin.store.db import Database, rows


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` in each window of this length."""

    calls: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class StoredBudget:
    """A budget whose windows stand in the database; a kind without a limit is always granted."""

    database: Database
    clock: Clock
    owner: str
    limits: Mapping[str, Limit]

    async def take(self, kind: str, n: int = 1) -> Granted | WaitUntil:
        """Book `n` calls in the present window, in a transaction of its own, before the call."""
        limit = self.limits.get(kind)
        if limit is None:
            return Granted()
        seconds = max(1, int(limit.window.total_seconds()))
        now = int(self.clock.now().timestamp())
        window = now - now % seconds
        async with self.database.transaction() as connection:
            booked = await rows(connection, _BOOK, f"{self.owner}/{kind}", window, n, limit.calls)
        if booked:
            return Granted()
        return WaitUntil(datetime.fromtimestamp(window + seconds, UTC))


_BOOK = """
INSERT INTO budget AS b (name, window_start, taken) SELECT $1, $2, $3::int WHERE $3::int <= $4::int
ON CONFLICT (name, window_start) DO UPDATE SET taken = b.taken + $3::int
  WHERE b.taken + $3::int <= $4::int
RETURNING taken
"""
