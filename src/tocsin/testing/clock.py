"""A clock that tests move by hand."""

import asyncio
import heapq
from datetime import UTC, datetime, timedelta

_TURNS = 20
"""How often other tasks get a turn after a sleeper woke, so that they can go to sleep again."""


class MovableClock:
    """Stands still until moved; whoever sleeps on it wakes in the order of the due instants.

    Work that a woken task does on sockets or in a database is not waited for: such a test goes on
    when it sees what it waits for.
    """

    def __init__(self, start: datetime) -> None:
        self._now = _utc(start)
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> datetime:
        """The instant to which the clock was last moved, in UTC."""
        return self._now

    async def sleep(self, duration: timedelta) -> None:
        """Return when the clock has been moved on by `duration`."""
        if duration <= timedelta(0):
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._now + duration, self._count, woken))
        await woken

    @property
    def sleepers(self) -> int:
        """How many tasks sleep on this clock now."""
        return sum(not woken.done() for _, _, woken in self._sleepers)

    async def move(self, duration: timedelta) -> None:
        """Move on by `duration`, stopping at each instant at which a sleeper is due."""
        await self.move_to(self._now + duration)

    def set_back(self, by: timedelta) -> None:
        """Show an earlier time, as when somebody sets a clock; sleepers sleep as long as before."""
        self._now -= by
        self._sleepers = [(due - by, number, woken) for due, number, woken in self._sleepers]

    async def move_to(self, instant: datetime) -> None:
        """Move on to `instant`. Raises `ValueError` when that is in the past of this clock."""
        if (target := _utc(instant)) < self._now:
            raise ValueError(f"the clock is at {self._now}, it does not go back to {instant}")
        await _give_turns()
        while self._sleepers and self._sleepers[0][0] <= target:
            due, _, woken = heapq.heappop(self._sleepers)
            if woken.done():  # its task was cancelled
                continue
            self._now = due
            woken.set_result(None)
            await _give_turns()
        self._now = target
        await _give_turns()


async def _give_turns() -> None:
    for _ in range(_TURNS):
        await asyncio.sleep(0)


def _utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("an instant needs its zone")
    return instant.astimezone(UTC)
