"""The instants at which clocks jump, one by one: each minute around them, and what stands out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.core.schedule_draws import CHANGES
from tests.core.schedule_reference import walk
from tests.core.schedule_tables import at, plan, table
from tocsin.core.localtime import resolve, wall_clock
from tocsin.core.schedule import (
    Combine,
    DailyWindow,
    Day,
    Override,
    Rotation,
    Schedule,
    Unit,
    shifts,
)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PEOPLE = (("ada",), ("ben",), ("cleo",))


def _busy(zone: str, jump: str) -> Schedule:
    """Hand-offs, openings, closings and an override right before, at and after the jump."""
    before = wall_clock(at(jump) - MINUTE, zone)
    after = wall_clock(at(jump), zone)
    around = [before - HOUR, before - 5 * MINUTE, before, after, after + 5 * MINUTE, after + HOUR]
    start = before - 10 * DAY
    days = [Rotation(f"{t:%H:%M}", PEOPLE, t - 9 * DAY, Unit.DAY) for t in around]
    windows = [
        DailyWindow(tuple(Day), one.time(), other.time())
        for one, other in zip(around, reversed(around), strict=True)
    ]
    open_ = [
        Rotation(f"open {n}", PEOPLE, start, Unit.DAY, restrictions=(window,))
        for n, window in enumerate(windows)
    ]
    hours = Rotation("hours", PEOPLE, start.replace(minute=0), Unit.HOUR)
    ends = sorted((min(around), max(around)))
    override = Override(ends[0], ends[1] + HOUR, user="zoe", replaces="ada")
    rotations = (hours, *days, *open_)
    return Schedule("busy", "1", zone, rotations, (override,), Combine.EVERYBODY)


@pytest.mark.parametrize(("zone", "jump"), CHANGES)
def test_each_minute_around_a_jump_is_as_a_clock_on_the_wall_says(zone: str, jump: str) -> None:
    schedule = _busy(zone, jump)
    from_, to = at(jump) - 4 * HOUR, at(jump) + 4 * HOUR
    each = [replace(schedule, rotations=(one,), overrides=()) for one in schedule.rotations]
    for asked in (schedule, *each):
        timeline = shifts(asked, from_, to)
        for moment, people in walk(asked, from_, to, MINUTE):
            there = {s.user for s in timeline.shifts if s.from_ <= moment < s.to}
            assert there == people, (moment, asked.rotations)


def test_two_handovers_are_one_instant_in_new_york_and_the_shift_between_vanishes() -> None:
    zone = "America/New_York"
    assert resolve(at("2026-03-08T02:30"), zone) == resolve(at("2026-03-08T03:00"), zone)
    half = Rotation("half", PEOPLE, at("2026-03-08T02:30"), Unit.DAY)
    inside = replace(half, name="in", restrictions=(_window("02:30", "03:00"),))
    day = ("2026-03-08T05:00Z", "2026-03-09T05:00Z")
    assert table(plan(inside, zone=zone), *day) == ["08 05:00/09 05:00 -"]


def test_a_day_in_berlin_has_25_hours_when_the_clock_is_set_back() -> None:
    days = Rotation("days", PEOPLE, at("2026-10-24T08:00"), Unit.DAY)
    found = shifts(plan(days), at("2026-10-24T06:00Z"), at("2026-10-26T07:00Z")).shifts
    assert [shift.to - shift.from_ for shift in found] == [25 * HOUR, 24 * HOUR]


def test_the_day_that_samoa_skipped_is_no_shift() -> None:
    zone = "Pacific/Apia"
    assert resolve(at("2011-12-30T08:00"), zone) == resolve(at("2011-12-31T00:00"), zone)
    days = Rotation("days", PEOPLE, at("2011-12-29T00:00"), Unit.DAY)
    assert table(plan(days, zone=zone), "2011-12-29T10:00Z", "2011-12-31T10:00Z") == [
        "29 10:00/30 10:00 ada",
        "30 10:00/31 10:00 cleo",
    ]


def test_clocks_in_casablanca_go_back_for_ramadan_and_forth_after_it() -> None:
    days = Rotation("days", PEOPLE, at("2024-03-01T02:30"), Unit.DAY)
    casablanca = plan(days, zone="Africa/Casablanca")
    for day, hours in (("2024-03-09", 24), ("2024-03-10", 25), ("2024-04-13", 23.5)):
        begin = resolve(at(f"{day}T02:30"), "Africa/Casablanca")
        (first, *_) = shifts(casablanca, begin, begin + 2 * DAY).shifts
        assert first.to - first.from_ == hours * HOUR


def test_nepal_moved_its_clocks_by_a_quarter_of_an_hour() -> None:
    days = Rotation("days", PEOPLE, at("1985-12-30T00:00"), Unit.DAY)
    found = shifts(
        plan(days, zone="Asia/Kathmandu"), at("1985-12-30T18:30Z"), at("1986-01-01T18:15Z")
    ).shifts
    assert [shift.to - shift.from_ for shift in found] == [24 * HOUR, 24 * HOUR - 15 * MINUTE]


def test_midnight_that_sao_paulo_skips_is_one_oclock() -> None:
    days = Rotation("days", PEOPLE, at("2018-11-03T00:00"), Unit.DAY)
    sao_paulo = plan(days, zone="America/Sao_Paulo")
    assert table(sao_paulo, "2018-11-03T03:00Z", "2018-11-05T02:00Z") == [
        "03 03:00/04 03:00 ada",
        "04 03:00/05 02:00 ben",
    ]


def _window(from_: str, to: str) -> DailyWindow:
    opens, closes = (at(f"2026-01-01T{text}").time() for text in (from_, to))
    return DailyWindow(tuple(Day), opens, closes)
