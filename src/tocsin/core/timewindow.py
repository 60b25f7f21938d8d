"""Windows of time that may come again, on the wall clock of a zone."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from tocsin.core import recurrence
from tocsin.core.localtime import instant, wall_clock
from tocsin.core.recurrence import Rule

LONGEST = timedelta(days=366)
"""How long a window that comes again may be."""

_SLACK = timedelta(hours=25)
"""More than any clock was ever set back or forth."""


@dataclass(frozen=True, slots=True)
class Window:
    """From `begin` up to, not including, `end`, and again at each further time of `rule`.

    Both are wall-clock times of `zone` or both carry an offset. Made by `window`.
    """

    zone: str
    begin: datetime
    end: datetime
    rule: Rule | None = None


@lru_cache(maxsize=4096)
def window(begin: datetime, end: datetime, rrule: str | None, zone: str) -> Window:
    """A window, checked. Raises `ValueError` with what to write instead.

    A window with an offset that comes again does so at the time that clocks of `zone` show at
    its first beginning.
    """
    if (begin.tzinfo is None) != (end.tzinfo is None):
        raise ValueError("give an offset (or Z) for both its beginning and its end, or for neither")
    if end <= begin:
        raise ValueError("it ends before it begins")
    if rrule is None:
        return Window(zone, begin, end)
    if end - begin > LONGEST:
        raise ValueError("a window that comes again is at most 366 days long")
    rule = recurrence.parse(rrule)
    if begin.tzinfo is not None:
        begin, end = wall_clock(begin, zone), wall_clock(end, zone)
    if rule.until is not None and rule.until.tzinfo is not None:
        rule = replace(rule, until=wall_clock(rule.until, zone))
    made = Window(zone, begin, end, rule)
    if first_time(made) is None:
        raise ValueError(f"{rrule[:80]} names no time that ever comes")
    recurrence.ends(rule, begin)  # refuses a count that cannot be reached
    return made


def first_time(window: Window) -> datetime | None:
    """When it begins for the first time, as its `begin` is written; None for never.

    Not `begin` where that is no time of its rule.
    """
    if window.rule is None:
        return window.begin
    found = recurrence.first(window.rule, window.begin)
    until = window.rule.until
    return None if found is None or (until is not None and found > until) else found


def span_at(window: Window, now: datetime) -> tuple[datetime, datetime] | None:
    """The instants (UTC) between which `window` is open at the instant `now`, None where it is not.

    A time that the clock skips is the end of the gap, one that it shows twice the first of them.
    Where one time of the window begins before another has ended, the one that began last counts.
    """
    if window.rule is None:
        begin, end = instant(window.begin, window.zone), instant(window.end, window.zone)
        return (begin, end) if begin <= now < end else None
    there, length = wall_clock(now, window.zone), window.end - window.begin
    times = recurrence.backwards(window.rule, window.begin, there + _SLACK, there - length - _SLACK)
    for time in times:
        begin = instant(time, window.zone)
        if begin <= now:
            end = instant(time + length, window.zone)
            return (begin, end) if now < end else None
    return None


def spans_between(
    window: Window, from_: datetime, to: datetime
) -> Iterator[tuple[datetime, datetime, datetime]]:
    """The spans (UTC) of `window` inside [from_, to), clipped to it, in order, never overlapping.

    Each with the time `begin` or of the rule to which it belongs, as it is written. A span ends
    where the next one begins; one that the clock skips is left out.
    """
    if window.rule is None:
        begin, end = instant(window.begin, window.zone), instant(window.end, window.zone)
        times = [(begin, end, window.begin)]
    else:
        length = window.end - window.begin
        latest = wall_clock(to, window.zone) + _SLACK
        earliest = wall_clock(from_, window.zone) - length - _SLACK
        found = recurrence.backwards(window.rule, window.begin, latest, earliest)
        times = [
            (instant(time, window.zone), instant(time + length, window.zone), time)
            for time in reversed(list(found))
        ]
    for number, (begin, end, time) in enumerate(times):
        if number + 1 < len(times):
            end = min(end, times[number + 1][0])  # noqa: PLW2901  (cut short)
        first, last = max(begin, from_), min(end, to)
        if first < last:
            yield first, last, time
