"""Turns by example, over the year and over clock changes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.core.schedule_tables import DAILY, always, at, lengths, plan, table
from tocsin.core.localtime import UnknownZone
from tocsin.core.schedule import ByRotation, Combine, Shift, Timeline, Unit, on_duty, shifts

HOURLY = replace(DAILY, unit=Unit.HOUR, start=at("2026-01-01T00:00"))


def test_the_first_participant_is_on_duty_from_the_start_and_nobody_before() -> None:
    assert table(plan(DAILY), "2025-12-31T08:00Z", "2026-01-03T08:00Z") == [
        "31 08:00/01 08:00 -",
        "01 08:00/02 08:00 ada",
        "02 08:00/03 08:00 ben",
    ]


def test_a_stated_handoff_fixes_a_grid_that_runs_both_ways_from_it() -> None:
    rotation = replace(DAILY, start=at("2026-01-01T12:00"), handoff=at("2026-01-10T09:00"))
    assert table(plan(rotation), "2026-01-01T11:00Z", "2026-01-03T08:00Z") == [
        "01 11:00/02 08:00 ada",
        "02 08:00/03 08:00 ben",
    ]


def test_people_of_a_group_are_on_duty_together() -> None:
    rotation = replace(DAILY, participants=(("ada", "ben"), ("cleo",)))
    assert table(plan(rotation), "2026-01-01T08:00Z", "2026-01-03T08:00Z") == [
        "01 08:00/02 08:00 ada",
        "01 08:00/02 08:00 ben",
        "02 08:00/03 08:00 cleo",
    ]


def test_each_turn_is_a_shift_of_its_own_also_for_the_same_person() -> None:
    alone = replace(DAILY, participants=(("ada",),))
    found = shifts(plan(alone), at("2026-01-01T08:00Z"), at("2026-01-03T08:00Z")).shifts
    assert [shift.why for shift in found] == [ByRotation("days", 0), ByRotation("days", 1)]


def test_a_month_too_short_for_the_day_takes_its_last_and_the_next_is_whole_again() -> None:
    monthly = replace(DAILY, start=at("2026-01-31T09:00"), unit=Unit.MONTH)
    found = shifts(plan(monthly), at("2026-01-31T08:00Z"), at("2026-05-31T07:00Z")).shifts
    assert [f"{shift.from_:%F} {shift.user}" for shift in found] == [
        *("2026-01-31 ada", "2026-02-28 ben", "2026-03-31 cleo", "2026-04-30 ada"),
    ]


def test_a_turn_of_the_29th_of_february_falls_on_the_28th_in_other_years() -> None:
    yearly = replace(DAILY, start=at("2024-02-29T09:00"), unit=Unit.YEAR)
    found = shifts(plan(yearly), at("2024-02-29T08:00Z"), at("2028-03-01T00:00Z")).shifts
    assert [f"{shift.from_:%F}" for shift in found] == [
        *("2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"),
    ]


@pytest.mark.parametrize("until", ["2026-01-02T12:00", "2026-01-02T11:00Z"])
def test_a_rotation_ends_where_it_is_no_longer_active(until: str) -> None:
    ending = replace(DAILY, active_until=at(until))
    assert table(plan(ending), "2026-01-02T08:00Z", "2026-01-03T00:00Z") == [
        "02 08:00/02 11:00 ben",
        "02 11:00/03 00:00 -",
    ]


def test_a_later_rotation_wins_where_both_apply_and_one_without_people_never() -> None:
    office = replace(always("dora"), active_until=at("2026-01-01T12:00"))
    empty = replace(DAILY, participants=())
    assert table(plan(DAILY, office, empty), "2026-01-01T08:00Z", "2026-01-02T08:00Z") == [
        "01 08:00/01 11:00 dora",
        "01 11:00/02 08:00 ada",
    ]
    assert table(plan(empty), "2026-01-01T08:00Z", "2026-01-01T09:00Z") == ["01 08:00/01 09:00 -"]
    assert table(plan(), "2026-01-01T08:00Z", "2026-01-01T09:00Z") == ["01 08:00/01 09:00 -"]


def test_with_everybody_all_rotations_count_and_nobody_twice() -> None:
    both = plan(DAILY, always("dora"), always("ada"), combine=Combine.EVERYBODY)
    found = shifts(both, at("2026-01-01T08:00Z"), at("2026-01-01T20:00Z")).shifts
    assert [(shift.user, shift.why) for shift in found] == [
        ("ada", ByRotation("days", 0)),
        ("dora", ByRotation("dora", 0)),
    ]


def test_each_rotation_keeps_the_hours_of_its_own_zone() -> None:
    """Follow the sun: two teams, each from nine to nine of its own clock."""
    sydney = replace(DAILY, participants=(("sue",),), time_zone="Australia/Sydney")
    assert table(plan(DAILY, sydney), "2026-01-01T08:00Z", "2026-01-01T23:00Z") == [
        "01 08:00/01 22:00 sue",
        "01 22:00/01 23:00 sue",
    ]


# Clock changes


def test_a_handover_keeps_its_local_hour_over_both_clock_changes() -> None:
    hours = [timedelta(hours=n) for n in (24, 23, 24)]
    assert lengths(plan(DAILY), "2026-03-27T08:00Z", "2026-03-30T07:00Z") == hours
    hours = [timedelta(hours=n) for n in (24, 25, 24)]
    assert lengths(plan(DAILY), "2026-10-23T07:00Z", "2026-10-26T08:00Z") == hours


def test_a_weekly_shift_over_a_clock_change_is_neither_cut_nor_overlapping() -> None:
    weekly = replace(DAILY, unit=Unit.WEEK, start=at("2026-03-23T09:00"))
    assert table(plan(weekly), "2026-03-23T08:00Z", "2026-04-06T07:00Z") == [
        "23 08:00/30 07:00 ada",
        "30 07:00/06 07:00 ben",
    ]


def test_a_handoff_that_the_clock_skips_happens_at_the_jump() -> None:
    new_york = plan(replace(DAILY, start=at("2026-03-07T02:30")), zone="America/New_York")
    assert table(new_york, "2026-03-07T07:30Z", "2026-03-09T06:30Z") == [
        "07 07:30/08 07:00 ada",
        "08 07:00/09 06:30 ben",
    ]


def test_a_handoff_that_the_clock_shows_twice_happens_the_first_time() -> None:
    berlin = plan(replace(DAILY, start=at("2026-10-24T02:30")))
    assert table(berlin, "2026-10-24T00:30Z", "2026-10-26T01:30Z") == [
        "24 00:30/25 00:30 ada",
        "25 00:30/26 01:30 ben",
    ]


def test_a_question_that_ends_inside_the_repeated_hour_is_answered_to_its_end() -> None:
    berlin = plan(replace(DAILY, start=at("2026-10-24T02:30")))
    assert table(berlin, "2026-10-25T00:15Z", "2026-10-25T01:15Z") == [
        "25 00:15/25 00:30 ada",
        "25 00:30/25 01:15 ben",
    ]


def test_hourly_turns_stay_on_the_grid_of_the_wall_clock() -> None:
    hours = [timedelta(hours=n) for n in (1, 2, 1)]
    assert lengths(plan(HOURLY), "2026-10-24T23:00Z", "2026-10-25T03:00Z") == hours
    spring = shifts(plan(HOURLY), at("2026-03-29T00:00Z"), at("2026-03-29T02:00Z")).shifts
    assert [shift.why for shift in spring] == [ByRotation("days", 2089), ByRotation("days", 2091)]


def test_a_day_that_a_zone_skips_has_no_shift_and_still_uses_up_a_turn() -> None:
    apia = plan(replace(DAILY, start=at("2011-12-28T00:00")), zone="Pacific/Apia")
    assert table(apia, "2011-12-28T10:00Z", "2011-12-31T10:00Z") == [
        "28 10:00/29 10:00 ada",
        "29 10:00/30 10:00 ben",
        "30 10:00/31 10:00 ada",
    ]


def test_a_handoff_on_a_skipped_day_happens_when_the_next_day_begins() -> None:
    apia = plan(replace(DAILY, start=at("2011-12-28T08:00")), zone="Pacific/Apia")
    assert table(apia, "2011-12-29T18:00Z", "2011-12-31T18:00Z") == [
        "29 18:00/30 10:00 ben",
        "30 10:00/30 18:00 cleo",
        "30 18:00/31 18:00 ada",
    ]


def test_a_change_of_half_an_hour_makes_a_shift_half_an_hour_longer() -> None:
    lord_howe = plan(DAILY, zone="Australia/Lord_Howe")
    hours = [timedelta(hours=24.5), timedelta(hours=24)]
    assert lengths(lord_howe, "2026-04-03T22:00Z", "2026-04-05T22:30Z") == hours


# Questions


def test_a_question_about_one_instant_gets_whole_shifts() -> None:
    weekly = replace(DAILY, unit=Unit.WEEK, start=at("2026-01-01T09:00"))
    assert on_duty(plan(weekly), at("2026-01-02T00:00Z")) == (
        Shift("ada", at("2026-01-01T08:00Z"), at("2026-01-08T08:00Z"), ByRotation("days", 0)),
    )
    assert on_duty(plan(weekly), at("2025-12-31T00:00Z")) == ()


def test_a_shift_without_end_is_cut_after_four_hundred_days() -> None:
    (shift,) = on_duty(plan(always("ada")), at("2026-01-01T00:00Z"))
    assert shift.to - at("2026-01-01T00:00Z") == timedelta(days=400)


def test_asking_about_no_time_at_all_answers_nothing() -> None:
    moment = at("2026-01-01T12:00Z")
    assert shifts(plan(DAILY), moment, moment) == Timeline((), ())


@pytest.mark.parametrize(
    ("from_", "to", "fault"),
    [
        ("2026-01-02T00:00Z", "2026-01-01T00:00Z", "ends before it begins"),
        ("2026-01-02T00:00", "2026-01-03T00:00Z", "with an offset"),
        ("0001-01-01T00:00Z", "2026-01-03T00:00Z", "years 1900 to 8999"),
        ("2026-01-01T00:00Z", "9999-12-31T00:00Z", "years 1900 to 8999"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(from_: str, to: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        shifts(plan(DAILY), at(from_), at(to))


def test_a_zone_that_does_not_exist_is_refused_by_name() -> None:
    for wrong in (plan(DAILY, zone="Mars/Phobos"), plan(replace(DAILY, time_zone="Mars/Phobos"))):
        with pytest.raises(UnknownZone, match="Mars/Phobos"):
            on_duty(wrong, at("2026-01-02T00:00Z"))


@pytest.mark.parametrize("every", [0, -1, 10_000])
def test_a_rotation_moves_on_after_1_to_9999_periods(every: int) -> None:
    with pytest.raises(ValueError, match="1 to 9999"):
        replace(DAILY, every=every)


def test_a_rotation_keeps_wall_time_only() -> None:
    for change in ({"start": at("2026-01-01T00:00Z")}, {"handoff": at("2026-01-01T00:00Z")}):
        with pytest.raises(ValueError, match="wall-clock time"):
            replace(DAILY, **change)  # type: ignore[arg-type]  # mypy joins all fields' types


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize("start", ["0001-01-01T00:00", "9999-12-31T23:59"])
def test_the_ends_of_the_calendar_are_no_obstacle(unit: Unit, start: str) -> None:
    for every in (1, 9_999):
        edge = replace(DAILY, start=at(start), unit=unit, every=every)
        found = on_duty(plan(edge), at("2026-01-01T12:00Z"))
        assert len(found) == (1 if start < "2026" else 0)


def test_an_hour_many_years_after_the_start_is_answered_without_walking_there() -> None:
    old = replace(HOURLY, start=at("0001-01-01T00:00"))  # 17 million turns ago
    for _ in range(200):
        on_duty(plan(old), at("2026-06-01T12:30Z"))
