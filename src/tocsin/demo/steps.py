"""A step of the story: what each end should show, and what it shows."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tocsin.ports import Clock

WITHIN: Final = timedelta(seconds=20)
"""A step that takes longer has failed, even if it comes true later."""

_LOOK_EVERY: Final = timedelta(milliseconds=100)


@dataclass(frozen=True, slots=True)
class Sight:
    """One end: what it should show and what it shows, in words, and whether that is the same."""

    end: str
    expected: str
    seen: str
    holds: bool


Look = Callable[[], Awaitable[Sequence[Sight]]]


class Teller:
    """Tells the story step by step, each with its time and with what was seen at every end."""

    def __init__(self, clock: Clock, tell: Callable[[str], None]) -> None:
        self.clock = clock
        self._tell = tell

    async def step(self, title: str, look: Look, within: timedelta = WITHIN) -> bool:
        """Look until every end shows what it should; False when one did not in time."""
        end = self.clock.now() + within
        while True:
            sights = await look()
            now = self.clock.now()
            if all(sight.holds for sight in sights) and now <= end:
                self._told(now, "✓", title, sights)
                return True
            if now >= end:
                late = f"{title} (not within {within.total_seconds():g} s)"
                self._told(now, "✗", late, sights)
                return False
            await self.clock.sleep(_LOOK_EVERY)

    def _told(self, now: datetime, mark: str, title: str, sights: Sequence[Sight]) -> None:
        self._tell(f"{clock_time(now)} {mark} {title}")
        for sight in sights:
            if sight.holds:
                self._tell(f"           {sight.end:<9} {sight.seen}")
            else:
                self._tell(f"         ✗ {sight.end:<9} expected: {sight.expected}")
                self._tell(f"           {'':<9} seen:     {sight.seen}")


def clock_time(at: datetime) -> str:
    """The wall-clock time of this machine, to the second."""
    return f"{at.astimezone():%H:%M:%S}"
