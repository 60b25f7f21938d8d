"""Restrictions by example: when a rotation is open."""

from dataclasses import replace
from datetime import time
from itertools import pairwise

import pytest

from tests.core.schedule_tables import DAILY, WORKDAYS, always, at, plan, table
from tocsin.core.schedule import DailyWindow, Day, Rotation, Unit, WeeklyWindow, shifts

NIGHTS = DailyWindow(tuple(Day), time(22), time(6))
ADA = always("ada")


def test_a_daily_restriction_opens_on_the_listed_local_days_only() -> None:
    office = replace(ADA, restrictions=(DailyWindow(WORKDAYS, time(9), time(17)),))
    assert table(plan(office), "2026-01-09T00:00Z", "2026-01-13T00:00Z") == [
        "09 00:00/09 08:00 -",
        "09 08:00/09 16:00 ada",
        "09 16:00/12 08:00 -",
        "12 08:00/12 16:00 ada",
        "12 16:00/13 00:00 -",
    ]


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_opens() -> None:
    friday_night = replace(ADA, restrictions=(DailyWindow((Day.FRI,), time(22), time(6)),))
    assert table(plan(friday_night), "2026-01-09T00:00Z", "2026-01-11T00:00Z") == [
        "09 00:00/09 21:00 -",
        "09 21:00/10 05:00 ada",
        "10 05:00/11 00:00 -",
    ]


def test_midnight_to_midnight_is_a_whole_day_and_days_that_touch_are_one_shift() -> None:
    days = replace(ADA, restrictions=(DailyWindow((Day.SAT, Day.SUN), time(0), time(0)),))
    assert table(plan(days), "2026-01-09T00:00Z", "2026-01-13T00:00Z") == [
        "09 00:00/09 23:00 -",
        "09 23:00/11 23:00 ada",
        "11 23:00/13 00:00 -",
    ]


def test_a_weekly_restriction_wraps_over_sunday() -> None:
    weekend = replace(ADA, restrictions=(WeeklyWindow(Day.FRI, time(18), Day.MON, time(8)),))
    assert table(plan(weekend), "2026-01-11T00:00Z", "2026-01-17T00:00Z") == [
        "11 00:00/12 07:00 ada",
        "12 07:00/16 17:00 -",
        "16 17:00/17 00:00 ada",
    ]


def test_what_opened_last_week_is_still_open_when_asked_on_monday() -> None:
    weekend = replace(ADA, restrictions=(WeeklyWindow(Day.FRI, time(18), Day.MON, time(8)),))
    assert table(plan(weekend), "2026-01-12T03:00Z", "2026-01-12T12:00Z") == [
        "12 03:00/12 07:00 ada",
        "12 07:00/12 12:00 -",
    ]


def test_a_weekly_restriction_with_equal_ends_is_always_open() -> None:
    whole = replace(ADA, restrictions=(WeeklyWindow(Day.WED, time(9), Day.WED, time(9)),))
    assert table(plan(whole), "2026-01-01T00:00Z", "2026-01-30T00:00Z") == ["01 00:00/30 00:00 ada"]


def test_several_restrictions_are_open_where_any_of_them_is() -> None:
    lunch = DailyWindow(WORKDAYS, time(5), time(14))
    both = replace(ADA, restrictions=(NIGHTS, lunch))
    assert table(plan(both), "2026-01-12T20:00Z", "2026-01-13T14:00Z") == [
        "12 20:00/12 21:00 -",
        "12 21:00/13 13:00 ada",
        "13 13:00/13 14:00 -",
    ]


def test_a_period_that_is_closed_entirely_uses_up_a_turn() -> None:
    office = replace(DAILY, restrictions=(DailyWindow(WORKDAYS, time(9), time(17)),))
    assert _people(office) == ["ada", "ben", "cleo", "cleo", "ada"]  # Wed to Fri, Mon, Tue


def test_a_closed_period_can_be_skipped_so_that_turns_go_round_evenly() -> None:
    office = replace(DAILY, restrictions=(DailyWindow(WORKDAYS, time(9), time(17)),))
    assert _people(replace(office, skip_closed_periods=True)) == [
        *("ada", "ben", "cleo", "ada", "ben")
    ]


def test_a_first_period_that_began_after_its_opening_hours_is_skipped_too() -> None:
    late = replace(
        DAILY,
        start=at("2026-01-07T18:00"),
        handoff=at("2026-01-08T00:00"),
        restrictions=(DailyWindow(WORKDAYS, time(9), time(17)),),
        skip_closed_periods=True,
    )
    assert table(plan(late), "2026-01-08T08:00Z", "2026-01-08T16:00Z") == ["08 08:00/08 16:00 ada"]


def test_skipping_counts_the_same_near_the_start_and_years_later() -> None:
    every_third = replace(
        DAILY,
        unit=Unit.HOUR,
        every=5,
        start=at("2020-02-03T04:00"),
        handoff=at("2020-02-03T07:00"),
        restrictions=(DailyWindow(WORKDAYS, time(9), time(17)), NIGHTS),
        skip_closed_periods=True,
    )
    walked = shifts(plan(every_third), at("2020-02-01T00:00Z"), at("2026-02-01T00:00Z")).shifts
    asked = shifts(plan(every_third), at("2026-01-30T00:00Z"), at("2026-02-01T00:00Z")).shifts
    assert [s.user for s in asked] == [s.user for s in walked][-len(asked) :]
    order = [shift.user for shift in walked]
    turns = [user for n, user in enumerate(order) if n == 0 or walked[n - 1].why != walked[n].why]
    assert turns == [("ada", "ben", "cleo")[n % 3] for n in range(len(turns))]


def test_a_daily_rotation_with_days_and_a_zone_puts_one_person_on_at_a_time() -> None:
    """The fault of another product: in zones other than UTC all were on duty at once."""
    rotation = replace(DAILY, restrictions=(DailyWindow((Day.MON, Day.WED), time(0), time(0)),))
    found = shifts(
        plan(rotation, zone="America/New_York"), at("2026-02-01T00:00Z"), at("2026-03-01T00:00Z")
    ).shifts
    assert all(one.to <= next_.from_ for one, next_ in pairwise(found))


# Clock changes


def test_a_window_that_the_clock_skips_entirely_does_not_open() -> None:
    small_hours = replace(ADA, restrictions=(DailyWindow(tuple(Day), time(2), time(3)),))
    assert table(plan(small_hours), "2026-03-28T12:00Z", "2026-03-30T12:00Z") == [
        "28 12:00/30 00:00 -",
        "30 00:00/30 01:00 ada",
        "30 01:00/30 12:00 -",
    ]


def test_a_window_opens_at_the_first_and_closes_at_the_first_of_a_repeated_time() -> None:
    opening = replace(ADA, restrictions=(DailyWindow(tuple(Day), time(2, 30), time(4)),))
    assert table(plan(opening), "2026-10-25T00:00Z", "2026-10-25T04:00Z") == [
        "25 00:00/25 00:30 -",
        "25 00:30/25 03:00 ada",
        "25 03:00/25 04:00 -",
    ]
    closing = replace(ADA, restrictions=(DailyWindow(tuple(Day), time(1), time(2, 30)),))
    assert table(plan(closing), "2026-10-24T22:00Z", "2026-10-25T04:00Z") == [
        "24 22:00/24 23:00 -",
        "24 23:00/25 00:30 ada",
        "25 00:30/25 04:00 -",
    ]


def test_two_windows_around_a_gap_of_the_clock_are_one_shift() -> None:
    around = (DailyWindow(tuple(Day), time(1), time(2)), DailyWindow(tuple(Day), time(3), time(4)))
    assert table(
        plan(replace(ADA, restrictions=around)), "2026-03-29T00:00Z", "2026-03-29T02:00Z"
    ) == ["29 00:00/29 02:00 ada"]


def test_a_midnight_that_does_not_exist_opens_the_day_at_its_first_moment() -> None:
    sundays = replace(ADA, restrictions=(DailyWindow((Day.SUN,), time(0), time(0)),))
    sao_paulo = plan(sundays, zone="America/Sao_Paulo")
    assert table(sao_paulo, "2018-11-04T00:00Z", "2018-11-06T00:00Z") == [
        "04 00:00/04 03:00 -",
        "04 03:00/05 02:00 ada",
        "05 02:00/06 00:00 -",
    ]


def test_a_restriction_without_days_or_with_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one day"):
        DailyWindow((), time(9), time(17))
    with pytest.raises(ValueError, match="without an offset"):
        DailyWindow(WORKDAYS, time.fromisoformat("09:00Z"), time(17))
    with pytest.raises(ValueError, match="without an offset"):
        WeeklyWindow(Day.MON, time(9), Day.FRI, time.fromisoformat("17:00Z"))


def _people(rotation: Rotation) -> list[str]:
    """Who has the five working days from Wednesday, 7 January 2026."""
    first = replace(rotation, start=at("2026-01-07T00:00"))
    timeline = shifts(plan(first), at("2026-01-07T00:00Z"), at("2026-01-14T00:00Z"))
    return [shift.user for shift in timeline.shifts]
