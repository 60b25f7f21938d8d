"""The hand-offs of one rotation, found by arithmetic on the wall clock."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from tocsin.core.schedule.model import Rotation, Unit

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Grid:
    """Hand-off number k lies at `anchor` + k periods, for every whole k.

    Periods are `step` on the wall clock, or `months` calendar months; a month too short for the
    anchor's day takes its last day and does not change the months after it. Hand-offs outside the
    years 1 to 9999 count as the first or the last moment of that range.
    """

    anchor: datetime
    step: timedelta | None
    months: int

    def at(self, number: int) -> datetime:
        """The wall time of that hand-off."""
        try:
            if self.step is not None:
                return self.anchor + number * self.step
            return _months_later(self.anchor, number * self.months)
        except (OverflowError, ValueError):
            return datetime.max if number > 0 else datetime.min  # noqa: DTZ901  (wall time)

    def index(self, wall: datetime) -> int:
        """The number of the last hand-off at or before that wall time."""
        if self.step is not None:
            return (wall - self.anchor) // self.step
        apart = (wall.year - self.anchor.year) * 12 + wall.month - self.anchor.month
        number = apart // self.months
        return number if self.at(number) <= wall else number - 1


def grid_of(rotation: Rotation) -> Grid:
    """The rotation's hand-offs, those before its start included."""
    every, anchor = rotation.every, rotation.anchor
    match rotation.unit:
        case Unit.HOUR:
            return Grid(anchor, timedelta(hours=every), 0)
        case Unit.DAY:
            return Grid(anchor, every * _DAY, 0)
        case Unit.WEEK:
            return Grid(anchor, 7 * every * _DAY, 0)
        case Unit.MONTH:
            return Grid(anchor, None, every)
        case Unit.YEAR:
            return Grid(anchor, None, 12 * every)
        case _:
            assert_never(rotation.unit)


def _months_later(anchor: datetime, months: int) -> datetime:
    years, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    last = monthrange(years, month + 1)[1]
    return anchor.replace(year=years, month=month + 1, day=min(anchor.day, last))
