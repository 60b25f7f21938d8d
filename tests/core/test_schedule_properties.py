"""Schedules of every shape around clock changes: what holds for all of them."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.schedule_reference import walk
from tocsin.core.localtime import instant, wall_clock
from tocsin.core.schedule import (
    Combine,
    DailyWindow,
    Day,
    Gap,
    Override,
    Restriction,
    Rotation,
    Schedule,
    Shift,
    Timeline,
    Unit,
    WeeklyWindow,
    on_duty,
    shifts,
)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PEOPLE = ("ada", "ben", "cleo", "dora", "emil")
CHANGES = (  # a zone and an instant at which its clock jumps
    ("Australia/Lord_Howe", "2026-04-04T15:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30Z"),
    ("Pacific/Apia", "2011-12-30T10:00Z"),
    ("Africa/Casablanca", "2024-03-10T02:00Z"),
    ("Africa/Casablanca", "2024-04-14T02:00Z"),
    ("Asia/Kathmandu", "1985-12-31T18:30Z"),
    ("America/Sao_Paulo", "2018-11-04T03:00Z"),
    ("America/Sao_Paulo", "2019-02-17T02:00Z"),
    ("Europe/Berlin", "2026-03-29T01:00Z"),
    ("Europe/Berlin", "2026-10-25T01:00Z"),
    ("America/New_York", "2026-03-08T07:00Z"),
    ("America/New_York", "2026-11-01T06:00Z"),
)
ZONES = sorted({zone for zone, _ in CHANGES})

Asked = tuple[Schedule, datetime, datetime]


@st.composite
def asked(draw: st.DrawFn, *, grain: timedelta = 15 * MINUTE, reach: timedelta = 2 * DAY) -> Asked:
    """A schedule, and a time around a clock change in one of its zones; all on the grain."""
    zone, jump = draw(st.sampled_from(CHANGES))
    centre = datetime.fromisoformat(jump)
    local = wall_clock(centre, zone)
    steps = reach // grain
    before, length = draw(st.integers(0, steps)), draw(st.integers(1, 2 * steps))
    from_ = centre - before * grain
    schedule = Schedule(
        name="asked",
        tier="1",
        time_zone=zone,
        rotations=tuple(draw(st.lists(_rotations(local, grain, 5 * reach), max_size=3))),
        overrides=tuple(draw(st.lists(_overrides(centre, local, grain, reach), max_size=4))),
        combine=draw(st.sampled_from(Combine)),
    )
    return schedule, from_, from_ + length * grain


@st.composite
def _rotations(draw: st.DrawFn, local: datetime, grain: timedelta, past: timedelta) -> Rotation:
    near = st.integers(-(past // grain), DAY // grain).map(lambda n: local + n * grain)
    until = st.none() | st.integers(-100, 100).map(lambda n: local + n * grain)
    return Rotation(
        name=draw(st.sampled_from(("red", "blue", "green"))),
        participants=tuple(draw(st.lists(_groups(), max_size=4))),
        start=draw(near),
        unit=draw(st.sampled_from((Unit.HOUR, Unit.DAY, Unit.WEEK))),
        every=draw(st.integers(1, 5)),
        handoff=draw(st.none() | near),
        active_until=draw(until),
        time_zone=draw(st.none() | st.sampled_from(ZONES)),
        restrictions=tuple(draw(st.lists(_restrictions(grain), max_size=2))),
        skip_closed_periods=draw(st.booleans()),
    )


def _groups() -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=2).map(tuple)


def _restrictions(grain: timedelta) -> st.SearchStrategy[Restriction]:
    day = st.sampled_from(Day)
    # Half of the ends lie in the small hours, where clocks change.
    steps = st.integers(0, 4 * HOUR // grain) | st.integers(0, DAY // grain - 1)
    clock: st.SearchStrategy[time] = steps.map(
        lambda n: (datetime.fromisoformat("2000-01-01") + n * grain).time()
    )
    days = st.lists(day, min_size=1, max_size=7, unique=True).map(tuple)
    return st.builds(DailyWindow, days, clock, clock) | st.builds(
        WeeklyWindow, day, clock, day, clock
    )


@st.composite
def _overrides(
    draw: st.DrawFn, centre: datetime, local: datetime, grain: timedelta, reach: timedelta
) -> Override:
    base = draw(st.sampled_from((centre, local)))
    from_ = base + draw(st.integers(-(reach // grain), reach // grain)) * grain
    user = draw(st.sampled_from((None, *PEOPLE)))
    replaces = draw(st.sampled_from(PEOPLE if user is None else (None, *PEOPLE)))
    return Override(
        from_=from_,
        to=from_ + draw(st.integers(1, reach // grain)) * grain,
        user=user,
        replaces=replaces,
        extra=replaces is None and draw(st.booleans()),
    )


@settings(max_examples=120, deadline=None)
@given(asked())
def test_every_quarter_of_an_hour_is_as_a_clock_on_the_wall_says(question: Asked) -> None:
    _agrees_with_the_walk(question, 15 * MINUTE)


@settings(max_examples=40, deadline=None)
@given(asked(grain=MINUTE, reach=5 * HOUR))
def test_every_minute_around_a_clock_change_is_as_a_clock_on_the_wall_says(
    question: Asked,
) -> None:
    _agrees_with_the_walk(question, MINUTE)


def _agrees_with_the_walk(question: Asked, step: timedelta) -> None:
    schedule, from_, to = question
    timeline = shifts(schedule, from_, to)
    for at, people in walk(schedule, from_, to, step):
        assert _people(timeline, at) == people, at


@settings(deadline=None)
@given(asked())
def test_shifts_and_gaps_cover_the_asked_time_exactly(question: Asked) -> None:
    schedule, from_, to = question
    timeline = shifts(schedule, from_, to)
    pieces: list[Shift | Gap] = [*timeline.shifts, *timeline.gaps]
    assert all(from_ <= piece.from_ < piece.to <= to for piece in pieces)
    covered = from_
    for piece in sorted(pieces, key=lambda piece: piece.from_):
        assert piece.from_ <= covered
        covered = max(covered, piece.to)
    assert covered == to
    for gap in timeline.gaps:
        assert all(s.to <= gap.from_ or gap.to <= s.from_ for s in timeline.shifts)


@settings(deadline=None)
@given(asked())
def test_shifts_come_in_order_and_nobody_has_two_at_once(question: Asked) -> None:
    timeline = shifts(*question)
    beginnings = [shift.from_ for shift in timeline.shifts]
    assert beginnings == sorted(beginnings)
    for person in PEOPLE:
        own = [shift for shift in timeline.shifts if shift.user == person]
        assert all(one.to <= next_.from_ for one, next_ in pairwise(own))


@settings(deadline=None)
@given(asked(), st.data())
def test_who_is_on_duty_at_an_instant_is_what_the_timeline_says(
    question: Asked, data: st.DataObject
) -> None:
    schedule, from_, to = question
    at = from_ + data.draw(st.integers(0, (to - from_) // MINUTE - 1)) * MINUTE
    timeline = shifts(schedule, from_, to)
    now = on_duty(schedule, at)
    assert {shift.user for shift in now} == _people(timeline, at)
    for shift in now:
        (same,) = (s for s in timeline.shifts if s.user == shift.user and s.from_ <= at < s.to)
        assert same.why == shift.why
        assert (same.from_, same.to) == (max(shift.from_, from_), min(shift.to, to))


@settings(deadline=None)
@given(asked(), st.data())
def test_a_part_of_the_time_is_that_part_of_the_timeline(
    question: Asked, data: st.DataObject
) -> None:
    schedule, from_, to = question
    cut = from_ + data.draw(st.integers(0, (to - from_) // MINUTE)) * MINUTE
    whole = shifts(schedule, from_, to)
    for low, high in ((from_, cut), (cut, to)):
        part = shifts(schedule, low, high)
        assert sorted(_clipped(part, low, high)) == sorted(_clipped(whole, low, high))


@settings(deadline=None)
@given(asked(), st.data())
def test_the_order_of_overrides_is_free_unless_two_replace_the_same_person(
    question: Asked, data: st.DataObject
) -> None:
    schedule, from_, to = question
    replaced: set[str] = set()
    kept: list[Override] = []
    for override in schedule.overrides:
        if override.replaces is None or override.replaces not in replaced:
            kept.append(override)
            replaced |= {override.replaces} if override.replaces else set()
    other = tuple(data.draw(st.permutations(kept)))
    one = shifts(_with(schedule, tuple(kept)), from_, to)
    assert _spells(one) == _spells(shifts(_with(schedule, other), from_, to))


@settings(deadline=None)
@given(asked())
def test_an_override_changes_nothing_outside_its_time(question: Asked) -> None:
    schedule, from_, to = question
    plain = shifts(_with(schedule, ()), from_, to)
    for override in schedule.overrides:
        changed = shifts(_with(schedule, (override,)), from_, to)
        zone = schedule.time_zone
        begin, end = instant(override.from_, zone), instant(override.to, zone)
        for low, high in ((from_, min(begin, to)), (max(end, from_), to)):
            assert sorted(_clipped(changed, low, high)) == sorted(_clipped(plain, low, high))


@settings(deadline=None)
@given(asked())
def test_a_cover_means_this_person_and_nobody_else(question: Asked) -> None:
    schedule, from_, to = question
    cover = Override(from_, to, user="zoe")
    timeline = shifts(_with(schedule, (cover,)), from_, to)
    assert [(s.user, s.from_, s.to) for s in timeline.shifts] == [("zoe", from_, to)]


@settings(deadline=None)
@given(asked(), st.integers(1, 40))
def test_a_rotation_that_began_whole_rounds_earlier_is_the_same(
    question: Asked, rounds: int
) -> None:
    """So a question about now needs no walk from the start."""
    schedule, from_, to = question
    kept = tuple(r for r in schedule.rotations if not r.skip_closed_periods or r.handoff is None)
    earlier = tuple(
        _moved(r, -rounds * r.every * max(len(r.participants), 1) * 7 * DAY) for r in kept
    )
    for rotation in kept:
        from_ = max(from_, instant(rotation.start, rotation.time_zone or schedule.time_zone))
    if from_ < to:
        shorter = Schedule("asked", "1", schedule.time_zone, kept, (), schedule.combine)
        longer = Schedule("asked", "1", schedule.time_zone, earlier, (), schedule.combine)
        assert _spells(shifts(shorter, from_, to)) == _spells(shifts(longer, from_, to))


def _moved(rotation: Rotation, by: timedelta) -> Rotation:
    return replace(rotation, start=rotation.start + by, handoff=rotation.anchor)


def _with(schedule: Schedule, overrides: tuple[Override, ...]) -> Schedule:
    return replace(schedule, overrides=overrides)


def _people(timeline: Timeline, at: datetime) -> set[str]:
    return {shift.user for shift in timeline.shifts if shift.from_ <= at < shift.to}


def _spells(timeline: Timeline) -> list[tuple[str, datetime, datetime]]:
    """Each person's duty, joined where it touches, whatever the reasons."""
    spells: list[tuple[str, datetime, datetime]] = []
    for shift in sorted(timeline.shifts, key=lambda shift: (shift.user, shift.from_)):
        if spells and spells[-1][0] == shift.user and spells[-1][2] == shift.from_:
            spells[-1] = (shift.user, spells[-1][1], shift.to)
        else:
            spells.append((shift.user, shift.from_, shift.to))
    return spells


def _clipped(
    timeline: Timeline, low: datetime, high: datetime
) -> list[tuple[str, datetime, datetime]]:
    cut = [(user, max(from_, low), min(to, high)) for user, from_, to in _spells(timeline)]
    return [spell for spell in cut if spell[1] < spell[2]]
