"""What to watch out for in a plan, found and said in words."""

from dataclasses import replace
from datetime import time
from time import perf_counter

from tests.core.coverage_plans import HOUR, Between, found, plan, rotation, schedule, wall
from tocsin.core.coverage import Kind, Limits, compared
from tocsin.core.schedule import Absence, DailyWindow, Day, Override, Unit


def test_little_rest_between_two_shifts_is_found_and_a_pause_in_one_is_none() -> None:
    office = DailyWindow(tuple(Day), time(6), time(20))
    days = schedule(rotation("mara", restrictions=(office,)))
    week: Between = {"from_": "2026-01-05T09:00", "to": "2026-01-07T09:00"}
    assert found(plan(days, **week), Kind.SHORT_REST) == [
        "mara has 10h of rest between two shifts from 2026-01-05 20:00 to 2026-01-06 06:00",
        "mara has 10h of rest between two shifts from 2026-01-06 20:00 to 2026-01-07 06:00",
    ]
    enough = Limits(rest=10 * HOUR)
    assert found(plan(days, **week), Kind.SHORT_REST, enough) == []
    lunch = Override(wall("2026-01-06T12:00"), wall("2026-01-06T14:00"), "ada", None)
    paused = replace(schedule(rotation("mara")), overrides=(lunch,))
    assert found(plan(paused, **week), Kind.SHORT_REST) == []


def test_more_nights_in_a_row_than_allowed_are_found() -> None:
    weeks = schedule(rotation("mara", "jonas"))
    month = plan(weeks, from_="2026-01-05T09:00", to="2026-01-19T09:00")
    assert found(month, Kind.NIGHTS_IN_A_ROW) == [
        "mara has 7 nights in a row from 2026-01-05 22:00 to 2026-01-12 06:00",
        "jonas has 7 nights in a row from 2026-01-12 22:00 to 2026-01-19 06:00",
    ]
    assert found(month, Kind.NIGHTS_IN_A_ROW, Limits(nights=7)) == []


def test_a_shift_over_a_clock_change_is_longer_or_shorter_than_it_looks() -> None:
    weeks = schedule(rotation("mara", "jonas"))
    for from_, to, end in (
        ("2026-03-23T09:00", "2026-03-30T09:00", "is 1h shorter: clocks change"),
        ("2026-10-19T09:00", "2026-10-26T09:00", "is 1h longer: clocks change"),
    ):
        [text] = found(plan(weeks, from_=from_, to=to), Kind.CLOCK_CHANGE)
        assert text.endswith(end)
    assert not found(
        plan(weeks, from_="2026-06-01T09:00", to="2026-06-08T09:00"), Kind.CLOCK_CHANGE
    )


def test_gaps_empty_shifts_and_time_off_are_found() -> None:
    hole = Override(wall("2026-01-06T12:00"), wall("2026-01-06T14:00"), None, "mara")
    off = Absence("mara", wall("2026-01-07"), wall("2026-01-08"))
    made = plan(
        replace(schedule(rotation("mara")), overrides=(hole,)),
        from_="2026-01-05T08:00",
        to="2026-01-09T09:00",
        absences=(off,),
    )
    assert found(made, Kind.GAP) == [
        "nobody is on duty in tier 1 from 2026-01-05 08:00 to 2026-01-05 09:00",
        "nobody is on duty in tier 1 from 2026-01-06 12:00 to 2026-01-06 14:00",
    ]
    assert found(made, Kind.EMPTY_SHIFT) == [
        "primary has an empty shift from 2026-01-06 12:00 to 2026-01-06 14:00 (override)"
    ]
    assert found(made, Kind.TIME_OFF) == [
        "mara has time off and is on duty in primary from 2026-01-07 00:00 to 2026-01-08 00:00"
    ]


def test_what_a_change_brings_is_told_apart_from_what_was_there() -> None:
    span: Between = {"from_": "2026-01-05T08:00", "to": "2026-01-09T09:00"}
    hole = Override(wall("2026-01-06T12:00"), wall("2026-01-06T14:00"), None, "mara")
    plain = schedule(rotation("mara"))
    before, after = plan(plain, **span), plan(replace(plain, overrides=(hole,)), **span)
    there, back = compared(before, after), compared(after, before)
    assert {one.kind for one in there.new} == {Kind.GAP, Kind.EMPTY_SHIFT}
    assert set(back.gone) == there.new
    assert back.new == frozenset(there.gone) == frozenset()
    fresh = compared(None, after)
    assert fresh.coverage_before is None
    assert fresh.new == frozenset(fresh.findings)
    assert [one.before for one in fresh.differences] == [(), ()]


def test_a_year_of_hourly_turns_is_compared_in_moments() -> None:
    hours = schedule(rotation(*(f"p{n}" for n in range(20)), unit=Unit.HOUR))
    year = plan(hours, from_="2026-01-05T09:00", to="2027-01-05T09:00")
    other = plan(
        schedule(rotation("p1", unit=Unit.HOUR)), from_="2026-01-05T09:00", to="2027-01-05T09:00"
    )
    begun = perf_counter()
    found = compared(year, other)
    assert perf_counter() - begun < 15  # a second where nothing grows with the square
    assert len(found.differences) > 8000
