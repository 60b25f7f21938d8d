"""Who is on duty over a length of time, why, and where nobody is."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter

from tocsin.core.schedule.holidays import Span, holiday_spans
from tocsin.core.schedule.imported import imported_layer
from tocsin.core.schedule.instead import kept, replaced, temporaries
from tocsin.core.schedule.model import Combine, Event, OnHolidays, Rotation, Schedule
from tocsin.core.schedule.overrides import overridden
from tocsin.core.schedule.results import (
    ByEvent,
    ByRotation,
    Duties,
    Gap,
    Shift,
    Slice,
    Timeline,
    Why,
)
from tocsin.core.schedule.turns import stretches
from tocsin.core.timewindow import spans_between

_YEARS = range(1900, 9000)  # leaves room on both sides for wall times and hand-offs
_NOBODY: Duties = ()
_REACHES = tuple(timedelta(days=days) for days in (1, 8, 40, 400))


def shifts(schedule: Schedule, from_: datetime, to: datetime) -> Timeline:
    """Everybody's shifts and the gaps in [from_, to), clipped to it, ordered by beginning.

    Raises `ValueError` when the times carry no offset, are in the wrong order or outside the
    years 1900 to 8999; `UnknownZone` when the schedule or a rotation names no zone.
    """
    if from_.tzinfo is None or to.tzinfo is None:
        raise ValueError("the asked time is given as instants, with an offset")
    from_, to = from_.astimezone(UTC), to.astimezone(UTC)
    if to < from_:
        raise ValueError("the asked time ends before it begins")
    if from_.year not in _YEARS or to.year not in _YEARS:
        raise ValueError("schedules are worked out for the years 1900 to 8999")
    planned = replaced(_base(schedule, from_, to), kept(schedule))
    final = replaced(overridden(schedule, planned, from_, to), temporaries(schedule))
    return _joined(final)


def on_duty(schedule: Schedule, at: datetime) -> tuple[Shift, ...]:
    """The shifts that contain the instant `at`, not clipped: with the ends they really have.

    An end is looked for up to 400 days away; a longer shift is cut there. Raises as `shifts`.
    """
    found: tuple[Shift, ...] = ()
    for reach in _REACHES:
        low, high = at - reach, at + reach
        within = shifts(schedule, low, high).shifts
        found = tuple(shift for shift in within if shift.from_ <= at < shift.to)
        if all(low < shift.from_ and shift.to < high for shift in found):
            break
    return found


@dataclass(slots=True)
class _Run:
    """A shift that the next slice may prolong."""

    user: str
    from_: datetime
    to: datetime
    why: Why


def _base(schedule: Schedule, from_: datetime, to: datetime) -> Iterator[Slice]:
    """Slices that tile the asked time, with the people whom rotations and events put on duty."""
    layers = list(_layers(schedule, from_, to))
    edges = [  # when, whether it begins, which layer
        edge
        for layer, people in enumerate(layers)
        for begin, end, duties in people
        for edge in ((begin, True, layer, duties), (end, False, layer, _NOBODY))
    ]
    edges.sort(key=itemgetter(0, 1, 2))  # an end before the beginning that touches it
    current: list[Duties] = [()] * len(layers)
    begin = from_
    for at, _, layer, people in edges:
        if begin < at:
            yield Slice(begin, at, _combined(schedule.combine, current))
            begin = at
        current[layer] = people
    if begin < to:
        yield Slice(begin, to, ())


_Layer = Iterator[tuple[datetime, datetime, Duties]]


def _layers(schedule: Schedule, from_: datetime, to: datetime) -> Iterator[_Layer]:
    """What each rotation, each event, then calendars say alone; the later ones win."""
    holidays: list[Span] = []
    if any(rotation.on_holidays is not None for rotation in schedule.rotations):
        holidays = holiday_spans(schedule.holidays, schedule.time_zone, from_, to)
    for rotation in schedule.rotations:
        yield _rotation(rotation, schedule.time_zone, from_, to, holidays)
    for number, event in enumerate(schedule.events):
        yield _event(number, event, from_, to)
    if schedule.imported:
        yield imported_layer(schedule.imported, from_, to)


def _rotation(
    rotation: Rotation, zone: str, from_: datetime, to: datetime, holidays: list[Span]
) -> _Layer:
    holiday = rotation.on_holidays is OnHolidays.ONLY
    for stretch in stretches(rotation, zone, from_, to, holidays):
        why: Why = ByRotation(rotation.name, stretch.turn, holiday)
        people: Duties = tuple((user, why) for user in dict.fromkeys(stretch.users))
        yield stretch.from_, stretch.to, people


def _event(number: int, event: Event, from_: datetime, to: datetime) -> _Layer:
    for begin, end, wall in spans_between(event.window, from_, to):
        why: Why = ByEvent(number, wall)
        yield begin, end, tuple((user, why) for user in dict.fromkeys(event.users))


def _combined(combine: Combine, current: Sequence[Duties]) -> Duties:
    """`current` has the people of each rotation, in the order of the schedule."""
    if combine is Combine.LAST_WINS:
        return next((duties for duties in reversed(current) if duties), ())
    everybody: dict[str, Why] = {}
    for duties in current:
        for user, why in duties:
            everybody.setdefault(user, why)
    return tuple(everybody.items())


def _joined(slices: Iterable[Slice]) -> Timeline:
    """Slices that touch become one shift where person and reason stay, one gap where nobody is."""
    runs: list[_Run] = []
    running: dict[str, _Run] = {}
    gaps: list[Gap] = []
    for piece in slices:
        for user, why in piece.duties:
            run = running.get(user)
            if run is not None and run.to == piece.from_ and (run.why is why or run.why == why):
                run.to = piece.to
            else:
                running[user] = run = _Run(user, piece.from_, piece.to, why)
                runs.append(run)
        if piece.duties:
            continue
        begin = piece.from_
        if gaps and gaps[-1].to == begin and gaps[-1].why == piece.hole:
            begin = gaps.pop().from_
        gaps.append(Gap(begin, piece.to, piece.hole))
    return Timeline(tuple(Shift(r.user, r.from_, r.to, r.why) for r in runs), tuple(gaps))
