"""Shifts that calendars and files say, as one layer of a schedule."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from tocsin.core.schedule.model import ImportedShift
from tocsin.core.schedule.results import ByCalendar, Duties, Why


def imported_layer(
    shifts: Iterable[ImportedShift], from_: datetime, to: datetime
) -> Iterator[tuple[datetime, datetime, Duties]]:
    """Who is on duty by them from when to when, stretch by stretch, clipped to [from_, to).

    Those whose shifts overlap are on duty together; of two of one person the earlier counts.
    """
    found = list(_apart(shift for shift in shifts if shift.from_ < to and shift.to > from_))
    cuts = sorted({cut for shift in found for cut in (shift.from_, shift.to)})
    open_: list[ImportedShift] = []
    waiting = iter(found)
    coming = next(waiting, None)
    for begin, end in pairwise(cuts):
        open_ = [shift for shift in open_ if shift.to > begin]
        while coming is not None and coming.from_ <= begin:
            open_.append(coming)
            coming = next(waiting, None)
        if open_ and begin < to and end > from_:
            yield max(begin, from_), min(end, to), _duties(open_)


def _apart(shifts: Iterable[ImportedShift]) -> Iterator[ImportedShift]:
    """Cut so that nobody's overlap, in the order of their beginnings.

    So there are never more at once than there are people, however many a file may pile up.
    """
    until: dict[str, datetime] = {}
    cut: list[ImportedShift] = []
    for shift in sorted(shifts, key=lambda shift: (shift.from_, shift.to, shift.user)):
        begin = max(shift.from_, until.get(shift.user, shift.from_))
        if begin < shift.to:
            until[shift.user] = shift.to
            cut.append(replace(shift, from_=begin))
    yield from sorted(cut, key=lambda shift: shift.from_)


def _duties(shifts: Iterable[ImportedShift]) -> Duties:
    people: dict[str, Why] = {}
    for shift in shifts:
        people.setdefault(shift.user, ByCalendar(shift.calendar, shift.from_))
    return tuple(people.items())
