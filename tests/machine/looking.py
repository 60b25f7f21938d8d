"""What must hold of the installation that the state machine plays with, and what was written."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from tests.machine import promises
from tests.machine.fates import Process
from tests.machine.handsets import Exchange
from tests.store.scene import NOW
from tocsin.actions.verify import verify
from tocsin.cli.ledger import line
from tocsin.core import ids
from tocsin.core.verifying import GRACE, Broken
from tocsin.store import upkeep, watch
from tocsin.testing.clock import MovableClock


@dataclass
class Seen:
    """The database, the clock, the phones and the processes, and what is known from outside.

    `accepted` and `tried` count events by key, `outages` are times in which nobody worked,
    `inactive` those in which somebody was deactivated.
    """

    eye: asyncpg.Connection
    clock: MovableClock
    exchange: Exchange
    processes: list[Process]
    dsn: str
    accepted: Counter[str] = field(default_factory=Counter[str])
    tried: Counter[str] = field(default_factory=Counter[str])
    outages: list[tuple[datetime, datetime]] = field(
        default_factory=list[tuple[datetime, datetime]]
    )
    inactive: list[tuple[str, datetime, datetime]] = field(
        default_factory=list[tuple[str, datetime, datetime]]
    )

    @property
    def now(self) -> datetime:
        return self.clock.now()

    async def all_done(self) -> None:
        """The workers have nothing left that is due, and the watchdog agrees."""
        nothing(await self._with_stories(await promises.broken_at_rest(self.eye, self.now)))

        async def look(process: Process) -> tuple[watch.Findings, int]:
            async with process.world.database.transaction() as connection:
                found = await watch.look(connection, process.world.clock.now())
                return found, await watch.unrepeated(connection, process.world.clock.now())

        process = next(one for one in self.processes if not one.frozen)
        if process.fate.how is None:
            seen = await process.do(look(process))
            assert seen is not None
            assert not seen[0].broken, seen[0]
            assert not seen[1], "pages are not repeated"

    async def check(self) -> None:
        """Every promise, after a step."""
        twice = [str(_uuid(name)) for name, times in self.exchange.rung.items() if times > 1]
        nothing(await self._with_stories(await promises.broken(self.eye, twice)))
        await self._events_are_alerts()
        process = next((one for one in self.processes if not one.frozen), None)
        if process is not None and process.fate.how is None:
            assert await process.do(self._forgotten(process)) == 0

    async def _forgotten(self, process: Process) -> int:
        async with process.world.worker_database.transaction() as connection:
            return await upkeep.restart_forgotten(connection, self.now + timedelta(minutes=2))

    async def _events_are_alerts(self) -> None:
        found = await self.eye.fetch(
            "SELECT external_id, sum(seen_count) AS seen FROM alert GROUP BY external_id"
        )
        seen = {row["external_id"] or "": row["seen"] for row in found}
        lost = [key for key, times in self.accepted.items() if seen.get(key, 0) < times]
        invented = [key for key, times in seen.items() if self.tried[key] < times]
        nothing([f"lost: {key}" for key in lost] + [f"invented: {key}" for key in invented])

    async def verified(self) -> list[str]:
        """What `ledger verify` names, without what was late because of an outage."""
        found = [
            one
            for read in [r async for r in verify(self.processes[0].world, NOW)]
            for one in read.found
        ]
        left = [one for one in found if not self._excused(one.broken)]
        said = [line(one) for one in left]
        for number in sorted({one.number for one in left}):
            said += await self.told(number)
        return said

    async def _with_stories(self, broken: list[str]) -> list[str]:
        """What is broken, with all that was written about the alerts of the pages named there."""
        pages = [UUID(found) for said in broken for found in _PAGE.findall(said)]
        rows = await self.eye.fetch(
            "SELECT DISTINCT a.number FROM notification n JOIN alert a ON a.id = n.alert_id"
            " WHERE n.id = ANY($1::uuid[]) ORDER BY a.number",
            pages,
        )
        return broken + [said for row in rows for said in await self.told(row["number"])]

    async def told(self, number: int) -> list[str]:
        """All that was written about an alert, to see what went wrong with it."""
        rows = await self.eye.fetch(_STORY, number)
        return [f"{row['at']:%H:%M:%S.%f} {row['what']}" for row in rows]

    def _excused(self, one: Broken) -> bool:
        """Nobody worked then; or it misses somebody who was deactivated then: it cannot know."""
        return any(begun - GRACE <= one.due <= end + GRACE for begun, end in self.outages) or any(
            who in one.how and since <= one.due <= until for who, since, until in self.inactive
        )


_PAGE = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_STORY = """
SELECT t.at, 'alert ' || a.number || ': ' || t.kind || ' by ' || t.by_name || ' ' || t.data AS what,
  0 AS kind, t.id FROM timeline t JOIN alert a ON a.id = t.alert_id WHERE a.number = $1
UNION ALL
SELECT n.planned_at, format('page %s %s planned for %s: user %s, method %s, episode %s, %s.%s,'
  ' attempt %s, now %s %s', left(n.id::text, 18), n.purpose, n.due_at::time, n.user_id, n.method_id,
  n.episode, n.round, n.step, n.attempt, n.state, n.detail), 1, 0
FROM notification n JOIN alert a ON a.id = n.alert_id WHERE a.number = $1
UNION ALL
SELECT l.at, format('page %s %s %s %s', left(n.id::text, 18), l.state, l.detail,
  l.possible_duplicate), 2, l.id
FROM ledger l JOIN notification n ON n.id = l.notification_id JOIN alert a ON a.id = n.alert_id
WHERE a.number = $1
ORDER BY at, kind, id
"""


def nothing(found: Iterable[str]) -> None:
    """Nothing was found; else the test fails with the words."""
    said = "\n".join(found)
    assert not said, said


def _uuid(name: str) -> UUID:
    decoded = ids.decode(name)
    assert decoded is not None
    assert isinstance(decoded[1], UUID)
    return decoded[1]
