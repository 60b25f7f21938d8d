"""How duty is shared out among people: hours, nights, weekends, holidays."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from tocsin.core.coverage.model import Stint
from tocsin.core.localtime import resolve, wall_clock
from tocsin.core.spans import Span, common, joined, length

NIGHT_FROM, NIGHT_TO = time(22), time(6)
"""A night on the clock of the team; 06:00 is of the next day."""

COUNTS_FROM = timedelta(hours=3)
"""So much of a night, weekend or holiday makes it one of somebody's."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one person does. Hours are hours that pass, whatever the clock shows.

    Who is on duty in two places at once is on duty once. `shifts` are stretches without a break.
    """

    user: str
    on_duty: timedelta
    at_night: timedelta
    on_weekends: timedelta
    on_holidays: timedelta
    shifts: int
    nights: int
    weekends: int
    holidays: int


def shares(
    stints: Iterable[Stint],
    people: Iterable[str],
    span: Span,
    zone: str,
    holidays: Mapping[date, str],
) -> tuple[Share, ...]:
    """What each of `people`, and whoever else is on duty, does within `span`, by name."""
    own: dict[str, list[Span]] = {person: [] for person in people}
    for stint in stints:
        own.setdefault(stint.user, []).append((stint.from_, stint.to))
    kinds = tuple(list(found) for found in (
        nights(span, zone), _weekends(span, zone), _holidays(span, zone, holidays)
    ))  # fmt: skip
    return tuple(_share(user, joined(own[user]), kinds) for user in sorted(own))


def nights(span: Span, zone: str) -> Iterator[Span]:
    """Every night that touches the span, by the clock of the zone."""
    for day in _days(span, zone):
        yield (
            resolve(datetime.combine(day, NIGHT_FROM), zone),
            resolve(datetime.combine(day + _DAY, NIGHT_TO), zone),
        )


def _share(user: str, on_duty: list[Span], kinds: tuple[list[Span], ...]) -> Share:
    at_night, on_weekends, on_holidays = (common(kind, on_duty) for kind in kinds)
    return Share(
        user=user,
        on_duty=length(on_duty),
        at_night=sum(at_night, timedelta()),
        on_weekends=sum(on_weekends, timedelta()),
        on_holidays=sum(on_holidays, timedelta()),
        shifts=len(on_duty),
        nights=_counted(at_night),
        weekends=_counted(on_weekends),
        holidays=_counted(on_holidays),
    )


def _counted(lengths: list[timedelta]) -> int:
    return sum(one >= COUNTS_FROM for one in lengths)


def _weekends(span: Span, zone: str) -> Iterator[Span]:
    for day in _days(span, zone):
        if day.weekday() == 5:
            yield _midnight(day, zone), _midnight(day + 2 * _DAY, zone)
    # a weekend that is under way when the span begins is among the days before it


def _holidays(span: Span, zone: str, holidays: Mapping[date, str]) -> Iterator[Span]:
    for day in _days(span, zone):
        if day in holidays:
            begin, end = _midnight(day, zone), _midnight(day + _DAY, zone)
            if begin < end:  # a day that the clock skipped is none
                yield begin, end


def _days(span: Span, zone: str) -> Iterator[date]:
    """The local days that the span touches, and two before it, in which something may begin."""
    day = wall_clock(span[0], zone).date() - 2 * _DAY
    last = wall_clock(span[1], zone).date()
    while day <= last:
        yield day
        day += _DAY


def _midnight(day: date, zone: str) -> datetime:
    return resolve(datetime.combine(day, time()), zone)
