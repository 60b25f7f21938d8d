"""The stretches of time in which one rotation puts people on duty."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import gcd

from tocsin.core.localtime import instant, resolve, wall_clock
from tocsin.core.schedule.grid import Grid, grid_of
from tocsin.core.schedule.holidays import Span, cut, open_on
from tocsin.core.schedule.model import Rotation
from tocsin.core.schedule.windows import WEEK, is_open, open_between

# A clock set back shows later times just before: by an hour, at a date line by a whole day.
_MOST_SET_BACK = timedelta(hours=25)


@dataclass(frozen=True, slots=True)
class Stretch:
    """One turn of a rotation, from instant to instant, as far as its restrictions are open."""

    from_: datetime
    to: datetime
    users: tuple[str, ...]
    turn: int


def stretches(
    rotation: Rotation,
    schedule_zone: str,
    from_: datetime,
    to: datetime,
    holidays: list[Span],
) -> Iterator[Stretch]:
    """The rotation's stretches inside [from_, to), clipped to it, in order, never overlapping.

    `holidays` are the team's in that time, in order.
    """
    found = _turning(rotation, schedule_zone, from_, to)
    if rotation.on_holidays is None:
        yield from found
        return
    open_ = open_on(rotation.on_holidays, holidays, from_, to)
    for stretch in found:
        for begin, end in cut(stretch.from_, stretch.to, open_):
            yield replace(stretch, from_=begin, to=end)


def _turning(
    rotation: Rotation, schedule_zone: str, from_: datetime, to: datetime
) -> Iterator[Stretch]:
    """The stretches, whatever day it is.

    All is worked out on the wall clock and then resolved; what comes out without length (a turn
    or an opening that the clock skips) is left out. The work grows with the asked time only.
    """
    zone = rotation.time_zone or schedule_zone
    if rotation.active_until is not None:
        to = min(to, instant(rotation.active_until, zone))
    low = max(rotation.start, wall_clock(from_, zone))
    high = wall_clock(to, zone) + _MOST_SET_BACK
    if not rotation.participants or low >= high:
        return
    turns = _Turns(rotation)
    for opens, closes in open_between(rotation.restrictions, low, high):
        begin = resolve(opens, zone)
        number = turns.grid.index(opens)
        wall_end = opens
        while wall_end < closes and begin < to:
            number += 1
            wall_end = min(turns.grid.at(number), closes)
            end = resolve(wall_end, zone)
            first, last = max(begin, from_), min(end, to)
            if first < last:
                turn = turns.before(number - 1)
                users = rotation.participants[turn % len(rotation.participants)]
                yield Stretch(first, last, users, turn)
            begin = end


class _Turns:
    """How many turns were used up before a period, without walking there from the start."""

    def __init__(self, rotation: Rotation) -> None:
        self.grid = grid_of(rotation)
        self._first = self.grid.index(rotation.start)
        self._skips = rotation.skip_closed_periods and bool(rotation.restrictions)
        if self._skips:
            self._first_used = is_open(
                rotation.restrictions, rotation.start, self.grid.at(self._first + 1)
            )
            self._used = _running_count(rotation, self.grid, self._first + 1)

    def before(self, number: int) -> int:
        """Turns from the rotation's start to the beginning of that period of the grid."""
        periods = number - self._first
        if not self._skips or periods == 0:
            return periods
        rounds, rest = divmod(periods - 1, len(self._used) - 1)
        return self._first_used + rounds * self._used[-1] + self._used[rest]


def _running_count(rotation: Rotation, grid: Grid, first: int) -> list[int]:
    """Of the first n periods from `first` on, how many the restrictions do not close entirely.

    On the wall clock restrictions repeat every week, so the answers repeat after as many periods
    as it takes to begin at the same moment of a week again. Months are never closed entirely.
    """
    if grid.step is None:
        return [0, 1]
    periods = WEEK // _common(WEEK, grid.step)
    count = [0]
    for number in range(first, first + periods):
        used = is_open(rotation.restrictions, grid.at(number), grid.at(number + 1))
        count.append(count[-1] + used)
    return count


def _common(one: timedelta, other: timedelta) -> timedelta:
    hour = timedelta(hours=1)
    return gcd(one // hour, other // hour) * hour
