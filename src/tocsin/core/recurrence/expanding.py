"""The times that a recurrence rule means, on the wall clock.

What lies between the start and the times asked for is not walked through, so a start that is far
away costs nothing.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import MAXYEAR, date, datetime, timedelta
from functools import lru_cache

from tocsin.core.recurrence.model import Frequency, Rule

_MOST_DAYS = 15_000
"""How many days are looked through for the first or the last time of a rule."""

_DAY = timedelta(days=1)


@lru_cache(maxsize=1024)
def first(rule: Rule, start: datetime) -> datetime | None:
    """The first time of a rule that starts at `start`, None where none can be found.

    It is later than `start` where `start` itself is not what the rule says.
    """
    return next(_upwards(rule, start), None)


@lru_cache(maxsize=1024)
def ends(rule: Rule, start: datetime) -> datetime | None:
    """The last time that COUNT leaves, None without COUNT. Raises `ValueError` if too far away."""
    if rule.count is None:
        return None
    last: datetime | None = None
    found = 0
    for last in _upwards(rule, start):
        found += 1
        if found == rule.count:
            return last
    raise ValueError(f"COUNT={rule.count}: only {found} of them can be found; use UNTIL")


def backwards(
    rule: Rule, start: datetime, latest: datetime, earliest: datetime
) -> Iterator[datetime]:
    """The times of a rule from `latest` back to `earliest`, all of them wall-clock times.

    `start` is the first at the earliest; `rule.until` must be a wall-clock time.
    """
    latest = min(latest, rule.until or latest, ends(rule, start) or latest)
    earliest = max(earliest, start)
    number = _period(rule, start, latest)
    while number >= 0 and (times := _times(rule, start, number)) is not None:
        for at in reversed(times):
            if earliest <= at <= latest:
                yield at
        if _begin(rule, start, number) <= earliest.date():
            return
        number -= 1


def _upwards(rule: Rule, start: datetime) -> Iterator[datetime]:
    days = {Frequency.DAILY: 1, Frequency.WEEKLY: 7, Frequency.MONTHLY: 31, Frequency.YEARLY: 366}
    for number in range(_MOST_DAYS // days[rule.frequency]):
        times = _times(rule, start, number)
        if times is None:
            return
        yield from (at for at in times if at >= start)


def _period(rule: Rule, start: datetime, at: datetime) -> int:
    """The number of the period in which `at` lies, or that it has left last; 0 is `start`'s."""
    day, origin = at.date(), _begin(rule, start, 0)
    match rule.frequency:
        case Frequency.DAILY:
            passed = (day - origin).days
        case Frequency.WEEKLY:
            passed = (day - origin).days // 7
        case Frequency.MONTHLY:
            passed = (day.year - origin.year) * 12 + day.month - origin.month
        case Frequency.YEARLY:
            passed = day.year - origin.year
    return passed // rule.interval


def _begin(rule: Rule, start: datetime, number: int) -> date:
    """The first day of a period. Raises `OverflowError` or `ValueError` past the last year."""
    day, steps = start.date(), number * rule.interval
    match rule.frequency:
        case Frequency.DAILY:
            return day + steps * _DAY
        case Frequency.WEEKLY:
            return day + (7 * steps - (day.weekday() - rule.week_start) % 7) * _DAY
        case Frequency.MONTHLY:
            months = day.year * 12 + day.month - 1 + steps
            return date(months // 12, months % 12 + 1, 1)
        case Frequency.YEARLY:
            return date(day.year + steps, 1, 1)


def _times(rule: Rule, start: datetime, number: int) -> list[datetime] | None:
    """The times in one period, in order; None past the end of the calendar."""
    try:
        begin = _begin(rule, start, number)
    except (OverflowError, ValueError):
        return None
    days = [day for day in _days(rule, start, begin) if _fits(rule, start, day)]
    if rule.positions:
        if number == 0 and rule.frequency is Frequency.WEEKLY:
            days = [day for day in days if day >= start.date()]  # its week begins with the start
        chosen = {place - 1 if place > 0 else place + len(days) for place in rule.positions}
        days = [day for place, day in enumerate(days) if place in chosen]
    return [datetime.combine(day, start.time()) for day in days]


def _days(rule: Rule, start: datetime, begin: date) -> Iterator[date]:
    """The days of a period, or those of its months in which anything can be."""
    match rule.frequency:
        case Frequency.DAILY:
            yield begin
        case Frequency.WEEKLY:
            for step in range(7 if begin < date(MAXYEAR, 12, 25) else 0):
                yield begin + step * _DAY
        case Frequency.MONTHLY:
            yield from _days_of_month(begin.year, begin.month)
        case Frequency.YEARLY:
            named = bool(rule.month_days or rule.weekdays)
            months = rule.months or (range(1, 13) if named else (start.month,))
            for month in sorted(months):
                yield from _days_of_month(begin.year, month)


def _days_of_month(year: int, month: int) -> Iterator[date]:
    for day in range(1, monthrange(year, month)[1] + 1):
        yield date(year, month, day)


def _fits(rule: Rule, start: datetime, day: date) -> bool:
    """Whether the rule names a day; what it leaves open is as in `start`."""
    if rule.months and day.month not in rule.months:
        return False
    if rule.month_days or rule.weekdays:
        length = monthrange(day.year, day.month)[1] if rule.month_days else 0
        return (
            not rule.month_days
            or day.day in rule.month_days
            or day.day - length - 1 in rule.month_days
        ) and (not rule.weekdays or any(_is(rule, day, one) for one in rule.weekdays))
    match rule.frequency:
        case Frequency.DAILY:
            return True
        case Frequency.WEEKLY:
            return day.weekday() == start.weekday()
        case Frequency.MONTHLY | Frequency.YEARLY:
            return day.day == start.day


def _is(rule: Rule, day: date, one: tuple[int, int]) -> bool:
    """Whether a day is the n-th of its weekday in the month, or in the year."""
    n, weekday = one
    if day.weekday() != weekday or n == 0:
        return day.weekday() == weekday
    if rule.frequency is Frequency.YEARLY and not rule.months:
        place = (day - date(day.year, 1, 1)).days
        length = (date(day.year, 12, 31) - date(day.year, 1, 1)).days + 1
    else:
        place, length = day.day - 1, monthrange(day.year, day.month)[1]
    return n == place // 7 + 1 if n > 0 else -n == (length - 1 - place) // 7 + 1
