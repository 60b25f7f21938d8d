"""The only readers of time: this machine's clock, and the one that an installation shares."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

_COUNTER = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Counts on whatever the clock shows, on Linux also while the machine sleeps."""


def counted() -> float:
    """Seconds that only ever grow, from some beginning."""
    return time.clock_gettime(_COUNTER)


class SystemClock:
    """The clock of this machine, as `ports.Clock` wants it."""

    __slots__ = ()

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - the one place that the ban leaves

    async def sleep(self, duration: timedelta) -> None:
        """Return when `duration` has passed; at once, after other tasks had a turn, if <= 0."""
        await asyncio.sleep(max(0.0, duration.total_seconds()))


class SharedClock(SystemClock):
    """The database's clock, so that all processes of an installation agree on the time.

    Between two readings it counts on, whatever somebody does to the clock of this machine, which
    it shows until the first reading.
    """

    __slots__ = ("_at", "_counted")

    def __init__(self) -> None:
        self._at: datetime | None = None
        self._counted = 0.0

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        if self._at is None:
            return super().now()
        return self._at + timedelta(seconds=counted() - self._counted)

    def set(self, at: datetime, count: float) -> timedelta:
        """It was `at` when the counter stood at `count`; answers by how much that moves it."""
        moved = at + timedelta(seconds=counted() - count) - self.now()
        self._at, self._counted = at.astimezone(UTC), count
        return moved
