"""Who is on duty over a length of time, why, and where nobody is."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tocsin.core.schedule.model import Combine, Schedule
from tocsin.core.schedule.overrides import overridden
from tocsin.core.schedule.results import (
    ByRotation,
    Duties,
    Gap,
    Shift,
    Slice,
    Timeline,
    Why,
)
from tocsin.core.schedule.turns import stretches

_YEARS = range(1900, 9000)  # leaves room on both sides for wall times and hand-offs
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
    return _joined(overridden(schedule, _base(schedule, from_, to), from_, to))


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
    """Slices that tile the asked time, with the people whom the rotations put on duty."""
    edges: list[tuple[datetime, bool, int, Duties]] = []  # when, whether it begins, which rotation
    for layer, rotation in enumerate(schedule.rotations):
        for stretch in stretches(rotation, schedule.time_zone, from_, to):
            why: Why = ByRotation(rotation.name, stretch.turn)
            duties: Duties = tuple((user, why) for user in dict.fromkeys(stretch.users))
            edges.append((stretch.from_, True, layer, duties))
            edges.append((stretch.to, False, layer, ()))
    edges.sort()  # an end before the beginning that touches it; never two alike
    current: list[Duties] = [()] * len(schedule.rotations)
    begin = from_
    for at, _, layer, people in edges:
        if begin < at:
            yield Slice(begin, at, _combined(schedule.combine, current))
            begin = at
        current[layer] = people
    if begin < to:
        yield Slice(begin, to, ())


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
