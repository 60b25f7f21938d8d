"""When a rotation's restrictions are open, on the wall clock."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta

from tocsin.core.schedule.model import DailyWindow, Restriction, WeeklyWindow

WEEK = timedelta(days=7)
_DAY = timedelta(days=1)

Span = tuple[datetime, datetime]
_Pattern = list[tuple[timedelta, timedelta]]


def open_between(
    restrictions: tuple[Restriction, ...], low: datetime, high: datetime
) -> Iterator[Span]:
    """The spans inside [low, high) in which at least one restriction is open, in order.

    Spans that touch are one. Without restrictions it is all open.
    """
    opened, closed = low, high if not restrictions else low
    for opens, closes in _weekly(_pattern(restrictions), low, high):
        if opens <= closed:
            closed = max(closed, closes)
            continue
        if opened < closed:
            yield opened, closed
        opened, closed = opens, closes
    if opened < closed:
        yield opened, closed


def is_open(restrictions: tuple[Restriction, ...], low: datetime, high: datetime) -> bool:
    """Whether at least one restriction is open somewhere inside [low, high)."""
    return next(open_between(restrictions, low, high), None) is not None


def _weekly(pattern: _Pattern, low: datetime, high: datetime) -> Iterator[Span]:
    """Every opening that overlaps [low, high), clipped to it, ordered by its beginning."""
    if not pattern:
        return
    monday = datetime.combine(low.date() - low.weekday() * _DAY, time())
    monday -= WEEK  # a window is a week long at most: what is open at `low` opened since then
    while monday < high:
        for start, end in pattern:
            opens, closes = max(monday + start, low), min(monday + end, high)
            if opens < closes:
                yield opens, closes
        monday += WEEK


def _pattern(restrictions: tuple[Restriction, ...]) -> _Pattern:
    """Openings and closings counted from Monday 00:00, ordered; a closing may lie past Sunday."""
    pattern: _Pattern = []
    for restriction in restrictions:
        match restriction:
            case DailyWindow(days, from_, to):
                for day in days:
                    start = day.number * _DAY + _since_midnight(from_)
                    end = day.number * _DAY + _since_midnight(to)
                    pattern.append((start, end if end > start else end + _DAY))
            case WeeklyWindow(from_day, from_, to_day, to):
                start = from_day.number * _DAY + _since_midnight(from_)
                end = to_day.number * _DAY + _since_midnight(to)
                pattern.append((start, end if end > start else end + WEEK))
    return sorted(pattern)


def _since_midnight(clock: time) -> timedelta:
    return timedelta(
        hours=clock.hour,
        minutes=clock.minute,
        seconds=clock.second,
        microseconds=clock.microsecond,
    )
