"""What stands for a time in the place of the usual people: temporary schedules, a plan kept."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tocsin.core.localtime import instant
from tocsin.core.schedule.model import Kept, Schedule
from tocsin.core.schedule.results import AsBefore, ByTemporary, Duties, Hole, Slice, Why

_Entry = tuple[datetime, datetime, str, Why]


@dataclass(frozen=True, slots=True)
class Instead:
    """From `from_` to `to` only `entries` (beginning, end, user, reason) count, in instants."""

    from_: datetime
    to: datetime
    entries: tuple[_Entry, ...]
    hole: Hole | None = None


def kept(schedule: Schedule) -> tuple[Instead, ...]:
    """What holds from before an edit."""
    if schedule.kept is None:
        return ()
    from_, to = _span(schedule.kept)
    shifts = schedule.kept.shifts
    entries = [
        (one.from_.astimezone(UTC), one.to.astimezone(UTC), one.user, AsBefore(one.why))
        for one in shifts
    ]
    return (Instead(from_, to, tuple(entries)),)


def temporaries(schedule: Schedule) -> tuple[Instead, ...]:
    """The temporary schedules, as far as nothing from before an edit holds."""
    zone = schedule.time_zone
    found: list[Instead] = []
    for temporary in schedule.temporary:
        why = ByTemporary(temporary)
        entries = tuple(
            (instant(one.from_, zone), instant(one.to, zone), one.user, why)
            for one in temporary.shifts
        )
        from_, to = instant(temporary.from_, zone), instant(temporary.to, zone)
        for begin, end in _without(from_, to, schedule.kept):
            found.append(Instead(begin, end, entries, why))
    return tuple(found)


def replaced(base: Iterable[Slice], instead: Sequence[Instead]) -> Iterator[Slice]:
    """The slices again, cut and filled anew where something stands in their place."""
    if not instead:
        yield from base
        return
    cuts = sorted({cut for one in instead for cut in _cuts(one)})
    active = [
        tuple(one for one in instead if one.from_ <= cut < one.to)  # from each cut on
        for cut in cuts
    ]
    for whole in base:
        begin = whole.from_
        while begin < whole.to:
            index = bisect_right(cuts, begin)
            end = min(whole.to, cuts[index]) if index < len(cuts) else whole.to
            now = active[index - 1] if index else ()
            yield _filled(begin, end, now) if now else whole._replace(from_=begin, to=end)
            begin = end


def _filled(begin: datetime, end: datetime, active: tuple[Instead, ...]) -> Slice:
    people: dict[str, Why] = {}
    for one in active:
        for starts, ends, user, why in one.entries:
            if starts <= begin < ends:
                people.setdefault(user, why)
    duties: Duties = tuple(people.items())
    return Slice(begin, end, duties, None if duties else active[0].hole)


def _cuts(one: Instead) -> Iterator[datetime]:
    yield one.from_
    yield one.to
    for starts, ends, _, _ in one.entries:
        yield from (cut for cut in (starts, ends) if one.from_ < cut < one.to)


def _without(
    from_: datetime, to: datetime, hold: Kept | None
) -> Iterator[tuple[datetime, datetime]]:
    """The parts of [from_, to) in which nothing is held."""
    if from_ >= to:
        return
    if hold is None or not (hold.from_ < to and from_ < hold.to):
        yield from_, to
        return
    begin, end = _span(hold)
    if from_ < begin:
        yield from_, begin
    if end < to:
        yield end, to


def _span(hold: Kept) -> tuple[datetime, datetime]:
    return hold.from_.astimezone(UTC), hold.to.astimezone(UTC)
