"""Holidays as stretches of time: when a rotation for them, or for the other days, is open."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta

from tocsin.core.localtime import resolve, wall_clock
from tocsin.core.schedule.model import OnHolidays

_DAY = timedelta(days=1)

Span = tuple[datetime, datetime]


def holiday_spans(
    holidays: Mapping[date, str], zone: str, from_: datetime, to: datetime
) -> list[Span]:
    """The holidays that touch [from_, to) as instants, those that follow each other joined."""
    low = wall_clock(from_, zone).date() - 2 * _DAY  # a clock set back shows a day again
    high = wall_clock(to, zone).date() + 2 * _DAY
    spans: list[Span] = []
    for day in sorted(day for day in holidays if low <= day <= high):
        begin = resolve(datetime.combine(day, time()), zone)
        end = resolve(datetime.combine(day + _DAY, time()), zone)
        if spans and spans[-1][1] == begin:
            begin = spans.pop()[0]
        if begin < end:
            spans.append((begin, end))
    return spans


def open_on(sort: OnHolidays, spans: Iterable[Span], from_: datetime, to: datetime) -> list[Span]:
    """The parts of [from_, to) that are holidays, or that are none."""
    inside = [(max(begin, from_), min(end, to)) for begin, end in spans]
    inside = [span for span in inside if span[0] < span[1]]
    if sort is OnHolidays.ONLY:
        return inside
    edges = [from_, *(edge for span in inside for edge in span), to]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [(begin, end) for begin, end in pairs if begin < end]


def cut(begin: datetime, end: datetime, open_: Iterable[Span]) -> Iterator[Span]:
    """The parts of [begin, end) that lie in one of the spans."""
    for opens, closes in open_:
        first, last = max(begin, opens), min(end, closes)
        if first < last:
            yield first, last
