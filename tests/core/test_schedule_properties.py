"""Schedules of every shape around clock changes: what holds for all of them."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.schedule_draws import DAY, HOUR, MINUTE, PEOPLE, Asked, asked
from tests.core.schedule_reference import walk
from tocsin.core.localtime import instant, wall_clock
from tocsin.core.schedule import (
    Gap,
    Override,
    Rotation,
    Schedule,
    Shift,
    Timeline,
    Unit,
    on_duty,
    shifts,
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


@st.composite
def turning(draw: st.DrawFn) -> Asked:
    """One rotation by day or week that is always open and began before the asked time."""
    schedule, from_, to = draw(asked())
    start = wall_clock(from_, schedule.time_zone) - draw(st.integers(60, 90)) * DAY
    rotation = Rotation(
        name="turns",
        participants=tuple((person,) for person in PEOPLE),
        start=start,
        unit=draw(st.sampled_from((Unit.DAY, Unit.WEEK))),
        every=draw(st.integers(1, 4)),
    )
    return Schedule("turning", "1", schedule.time_zone, (rotation,)), from_, to + 30 * DAY


@settings(deadline=None)
@given(turning())
def test_turns_without_restrictions_put_exactly_one_person_on_duty_at_each_instant(
    question: Asked,
) -> None:
    schedule, from_, to = question
    found = shifts(schedule, from_, to)
    assert found.gaps == ()
    boundaries = [from_, *(shift.to for shift in found.shifts)]
    assert [shift.from_ for shift in found.shifts] == boundaries[:-1]
    assert boundaries[-1] == to
    assert all(one < next_ for one, next_ in pairwise(boundaries))
    assert sum((shift.to - shift.from_ for shift in found.shifts), timedelta()) == to - from_


@settings(deadline=None)
@given(turning())
def test_hand_offs_keep_their_local_time_and_shifts_their_length_but_for_clock_changes(
    question: Asked,
) -> None:
    schedule, from_, to = question
    (rotation,) = schedule.rotations
    days = rotation.every * (7 if rotation.unit is Unit.WEEK else 1)
    whole = shifts(schedule, from_, to).shifts[1:-1]
    for shift in whole:
        shown = wall_clock(shift.from_, schedule.time_zone)
        before = wall_clock(shift.from_ - MINUTE, schedule.time_zone)
        jumped = shown - before > MINUTE  # the hand-off is the end of a gap
        assert jumped or shown.time() == rotation.start.time()
        change = _offset(schedule, shift.to) - _offset(schedule, shift.from_)
        longer = shift.to - shift.from_ - days * DAY + change
        assert abs(longer) <= _in_gaps(schedule, shift), (shift, longer)


def _offset(schedule: Schedule, at: datetime) -> timedelta:
    return wall_clock(at, schedule.time_zone) - at.replace(tzinfo=None)


def _in_gaps(schedule: Schedule, shift: Shift) -> timedelta:
    """How much of a day the hand-offs at the ends of a shift were moved by gaps of the clock."""
    (rotation,) = schedule.rotations
    moved = timedelta()
    for at in (shift.from_, shift.to):
        shown = wall_clock(at, schedule.time_zone)
        since = (shown - rotation.start) % DAY  # past the time of day of the hand-off
        gap = shown - wall_clock(at - MINUTE, schedule.time_zone) - MINUTE  # a day in Apia 2011
        moved += max(since, gap)
    return moved


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
    timeline = shifts(replace(schedule, overrides=(cover,), temporary=()), from_, to)
    assert [(s.user, s.from_, s.to) for s in timeline.shifts] == [("zoe", from_, to)]


@settings(deadline=None)
@given(asked())
def test_overrides_do_not_touch_a_temporary_schedule(question: Asked) -> None:
    schedule, from_, to = question
    plain, final = (shifts(one, from_, to) for one in (_with(schedule, ()), schedule))
    zone = schedule.time_zone
    for temporary in schedule.temporary:
        begin, end = instant(temporary.from_, zone), instant(temporary.to, zone)
        low, high = max(begin, from_), min(end, to)
        assert sorted(_clipped(final, low, high)) == sorted(_clipped(plain, low, high))


@settings(deadline=None)
@given(asked(), st.integers(-3, 3))
def test_a_holiday_changes_nothing_on_other_days_of_the_team(question: Asked, days: int) -> None:
    """In particular not whose turn it is."""
    schedule, from_, to = question
    zone = schedule.time_zone
    day = wall_clock(from_, zone).replace(hour=0, minute=0) + days * DAY
    without = {date: name for date, name in schedule.holidays.items() if date != day.date()}
    plain = shifts(replace(schedule, holidays=without), from_, to)
    other = shifts(replace(schedule, holidays={**without, day.date(): "one more"}), from_, to)
    begin, end = instant(day, zone), instant(day + DAY, zone)
    for low, high in ((from_, min(begin, to)), (max(end, from_), to)):
        assert sorted(_clipped(other, low, high)) == sorted(_clipped(plain, low, high))


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
