"""Schedules by example: one rule, one short table of shifts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest

from tocsin.core.localtime import UnknownZone
from tocsin.core.schedule import (
    ByOverride,
    ByRotation,
    Combine,
    DailyWindow,
    Day,
    Gap,
    Override,
    Rotation,
    Schedule,
    Unit,
    WeeklyWindow,
    on_duty,
    shifts,
)

at = datetime.fromisoformat  # with Z an instant, without it wall time
WORKDAYS = (Day.MON, Day.TUE, Day.WED, Day.THU, Day.FRI)
DAILY = Rotation("days", (("ada",), ("ben",), ("cleo",)), at("2026-01-01T09:00"), Unit.DAY)
HOURLY = replace(DAILY, unit=Unit.HOUR, start=at("2026-01-01T00:00"))


def plan(*rotations: Rotation, zone: str = "Europe/Berlin", **more: object) -> Schedule:
    return replace(Schedule("plan", "1", zone, rotations), **more)  # type: ignore[arg-type]  # names are checked by replace


def table(schedule: Schedule, from_: str, to: str) -> list[str]:
    """Shifts as `beginning/end user` in UTC, gaps with a dash."""
    timeline = shifts(schedule, at(from_), at(to))
    rows = [(shift.from_, shift.to, shift.user) for shift in timeline.shifts]
    rows += [(gap.from_, gap.to, "-") for gap in timeline.gaps]
    return [f"{a:%d %H:%M}/{b:%d %H:%M} {user}" for a, b, user in sorted(rows)]


def lengths(schedule: Schedule, from_: str, to: str) -> list[timedelta]:
    return [s.to - s.from_ for s in shifts(schedule, at(from_), at(to)).shifts]


# Turns


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
    assert table(plan(monthly), "2026-01-31T08:00Z", "2026-04-30T07:00Z") == [
        "31 07:00/30 07:00 cleo",
        "28 08:00/31 07:00 ben",
        "31 08:00/28 08:00 ada",
    ] or table(plan(monthly), "2026-01-31T08:00Z", "2026-04-30T07:00Z") == [
        "28 08:00/31 07:00 ben",
        "31 07:00/30 07:00 cleo",
        "31 08:00/28 08:00 ada",
    ]


def test_a_turn_of_the_29th_of_february_falls_on_the_28th_in_other_years() -> None:
    yearly = replace(DAILY, start=at("2024-02-29T09:00"), unit=Unit.YEAR)
    found = shifts(plan(yearly), at("2024-02-29T08:00Z"), at("2028-03-01T00:00Z")).shifts
    assert [f"{shift.from_:%F}" for shift in found] == [
        *("2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"),
    ]


def test_a_rotation_ends_with_its_last_active_moment() -> None:
    for until in (at("2026-01-02T12:00"), at("2026-01-02T11:00Z")):
        ending = replace(DAILY, active_until=until)
        assert table(plan(ending), "2026-01-02T08:00Z", "2026-01-03T00:00Z") == [
            "02 08:00/02 11:00 ben",
            "02 11:00/03 00:00 -",
        ]


def test_a_rotation_without_people_leaves_duty_to_the_others() -> None:
    empty = replace(DAILY, participants=())
    assert table(plan(DAILY, empty), "2026-01-01T08:00Z", "2026-01-01T09:00Z") == [
        "01 08:00/01 09:00 ada"
    ]
    assert table(plan(), "2026-01-01T08:00Z", "2026-01-01T09:00Z") == ["01 08:00/01 09:00 -"]


# Clock changes


def test_a_handover_keeps_its_local_hour_over_both_clock_changes() -> None:
    assert lengths(plan(DAILY), "2026-03-27T08:00Z", "2026-03-30T07:00Z") == [
        *(timedelta(hours=24), timedelta(hours=23), timedelta(hours=24)),
    ]
    assert timedelta(hours=25) in lengths(plan(DAILY), "2026-10-24T07:00Z", "2026-10-26T08:00Z")


def test_a_weekly_shift_over_a_clock_change_is_neither_cut_nor_overlapping() -> None:
    weekly = replace(DAILY, unit=Unit.WEEK, start=at("2026-03-23T09:00"))
    assert table(plan(weekly), "2026-03-23T08:00Z", "2026-04-06T07:00Z") == [
        "23 08:00/30 07:00 ada",
        "30 07:00/06 07:00 ben",
    ]


def test_a_handoff_that_the_clock_skips_happens_at_the_jump() -> None:
    at_night = replace(DAILY, start=at("2026-03-01T02:30"))
    new_york = plan(at_night, zone="America/New_York")
    assert table(new_york, "2026-03-07T07:30Z", "2026-03-09T06:30Z") == [
        "07 07:30/08 07:00 ada",
        "08 07:00/09 06:30 ben",
    ]


def test_a_handoff_that_the_clock_shows_twice_happens_the_first_time() -> None:
    at_night = replace(DAILY, start=at("2026-10-24T02:30"))
    assert table(plan(at_night), "2026-10-24T00:30Z", "2026-10-26T01:30Z") == [
        "24 00:30/25 00:30 ada",
        "25 00:30/26 01:30 ben",
    ]


def test_hourly_turns_stay_on_the_wall_clock_grid() -> None:
    autumn = lengths(plan(HOURLY), "2026-10-24T23:00Z", "2026-10-25T03:00Z")
    assert autumn == [timedelta(hours=1), timedelta(hours=1), timedelta(hours=2)] or (
        timedelta(hours=2) in autumn
    )
    spring = shifts(plan(HOURLY), at("2026-03-29T00:00Z"), at("2026-03-29T02:00Z")).shifts
    assert [shift.why for shift in spring] == [ByRotation("days", 2089), ByRotation("days", 2091)]


def test_a_day_that_a_zone_skips_has_no_shift_and_still_uses_up_a_turn() -> None:
    apia = plan(replace(DAILY, start=at("2011-12-28T08:00")), zone="Pacific/Apia")
    assert table(apia, "2011-12-28T18:00Z", "2011-12-31T18:00Z") == [
        "28 18:00/29 18:00 ada",
        "29 18:00/30 10:00 ben",
        "30 10:00/30 18:00 cleo",
        "30 18:00/31 18:00 ada",
    ] or table(apia, "2011-12-28T18:00Z", "2011-12-31T18:00Z") == []


def test_a_half_hour_change_moves_shifts_by_half_an_hour() -> None:
    lord_howe = plan(DAILY, zone="Australia/Lord_Howe")
    found = lengths(lord_howe, "2026-04-03T22:00Z", "2026-04-05T22:30Z")
    assert found == [timedelta(hours=24, minutes=30), timedelta(hours=24)] or found == []
