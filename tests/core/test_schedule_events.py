"""Events, temporary schedules and holidays by example."""

from dataclasses import replace
from datetime import date

import pytest

from tests.core.schedule_tables import DAILY, always, at, plan, table
from tocsin.core.schedule import (
    ByEvent,
    ByRotation,
    ByTemporary,
    Combine,
    Event,
    FixedShift,
    Gap,
    OnHolidays,
    Override,
    Schedule,
    Temporary,
    shifts,
    told,
)
from tocsin.core.timewindow import window

ZONE = "Europe/Berlin"
NIGHTS = Event(
    ("zoe",), window(at("2026-01-01T20:00"), at("2026-01-02T06:00"), "FREQ=DAILY;INTERVAL=2", ZONE)
)
CRISIS = Temporary(
    at("2026-01-02T00:00"),
    at("2026-01-03T00:00"),
    (FixedShift("ben", at("2026-01-02T06:00"), at("2026-01-02T12:00")),),
)
HOLIDAYS = {date(2026, 1, 1): "New Year's Day", date(2026, 1, 6): "Epiphany"}


def test_an_event_wins_over_rotations_each_time_it_comes() -> None:
    schedule = replace(plan(always("ada")), events=(NIGHTS,))
    assert table(schedule, "2026-01-01T00:00Z", "2026-01-04T00:00Z") == [
        "01 00:00/01 19:00 ada",
        "01 19:00/02 05:00 zoe",
        "02 05:00/03 19:00 ada",
        "03 19:00/04 00:00 zoe",
    ]


def test_an_event_is_beside_rotations_where_everybody_counts() -> None:
    schedule = replace(plan(always("ada"), combine=Combine.EVERYBODY), events=(NIGHTS,))
    assert table(schedule, "2026-01-01T18:00Z", "2026-01-01T20:00Z") == [
        "01 18:00/01 20:00 ada",
        "01 19:00/01 20:00 zoe",
    ]


def test_each_time_of_an_event_is_a_shift_of_its_own_and_ends_where_the_next_begins() -> None:
    long = window(at("2026-01-01T00:00"), at("2026-01-02T06:00"), "FREQ=DAILY", ZONE)
    schedule = Schedule("plan", "1", ZONE, events=(Event(("ada", "ben"), long),))
    found = shifts(schedule, at("2026-01-01T00:00Z"), at("2026-01-02T12:00Z")).shifts
    assert [(f"{s.from_:%d %H}", f"{s.to:%d %H}", s.user) for s in found] == [
        ("01 00", "01 23", "ada"),
        ("01 00", "01 23", "ben"),
        ("01 23", "02 12", "ada"),
        ("01 23", "02 12", "ben"),
    ]
    assert found[0].why == ByEvent(0, at("2026-01-01T00:00"))


def test_an_event_keeps_its_time_of_day_when_the_clock_changes() -> None:
    daily = window(at("2026-03-28T09:00"), at("2026-03-28T17:00"), "FREQ=DAILY", ZONE)
    schedule = Schedule("plan", "1", ZONE, events=(Event(("ada",), daily),))
    found = shifts(schedule, at("2026-03-28T00:00Z"), at("2026-03-30T00:00Z")).shifts
    assert [f"{s.from_:%H}-{s.to:%H}" for s in found] == ["08-16", "07-15"]


def test_an_event_without_a_rule_comes_once() -> None:
    once = Event(("zoe",), window(at("2026-01-01T20:00Z"), at("2026-01-01T22:00Z"), None, ZONE))
    schedule = Schedule("plan", "1", ZONE, events=(once,))
    assert table(schedule, "2026-01-01T19:00Z", "2026-01-03T00:00Z") == [
        "01 19:00/01 20:00 -",
        "01 20:00/01 22:00 zoe",
        "01 22:00/03 00:00 -",
    ]


def test_an_event_without_people_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one user"):
        replace(NIGHTS, users=())


def test_while_a_temporary_schedule_is_active_only_its_own_shifts_count() -> None:
    cover = Override(at("2026-01-01T12:00"), at("2026-01-05T00:00"), user="zoe")
    schedule = replace(plan(always("ada"), overrides=(cover,)), temporary=(CRISIS,))
    assert table(schedule, "2026-01-01T00:00Z", "2026-01-03T12:00Z") == [
        "01 00:00/01 11:00 ada",
        "01 11:00/01 23:00 zoe",
        "01 23:00/02 05:00 -",
        "02 05:00/02 11:00 ben",
        "02 11:00/02 23:00 -",
        "02 23:00/03 12:00 zoe",
    ]
    timeline = shifts(schedule, at("2026-01-02T00:00Z"), at("2026-01-02T08:00Z"))
    assert [shift.why for shift in timeline.shifts] == [ByTemporary(CRISIS)]
    (gap,) = timeline.gaps
    assert gap == Gap(gap.from_, gap.to, ByTemporary(CRISIS))


def test_the_shifts_of_two_temporary_schedules_at_once_all_count() -> None:
    other = replace(CRISIS, shifts=(FixedShift("cleo", CRISIS.from_, at("2026-01-09T00:00")),))
    schedule = replace(plan(always("ada")), temporary=(CRISIS, other))
    assert table(schedule, "2026-01-02T04:00Z", "2026-01-02T23:30Z") == [
        "02 04:00/02 23:00 cleo",
        "02 05:00/02 11:00 ben",
        "02 23:00/02 23:30 ada",
    ]


def test_a_rotation_for_holidays_wins_on_the_days_of_the_team() -> None:
    party = replace(always("zoe"), on_holidays=OnHolidays.ONLY)
    schedule = replace(plan(always("ada"), party), holidays=HOLIDAYS)
    assert table(schedule, "2025-12-31T12:00Z", "2026-01-07T12:00Z") == [
        "31 12:00/31 23:00 ada",
        "31 23:00/01 23:00 zoe",
        "01 23:00/05 23:00 ada",
        "05 23:00/06 23:00 zoe",
        "06 23:00/07 12:00 ada",
    ]
    at_new_year = shifts(schedule, at("2026-01-01T12:00Z"), at("2026-01-01T13:00Z")).shifts
    assert [shift.why for shift in at_new_year] == [ByRotation("zoe", 0, holiday=True)]


def test_a_rotation_that_skips_holidays_uses_its_turn_up() -> None:
    office = replace(DAILY, on_holidays=OnHolidays.SKIP)
    schedule = replace(plan(office), holidays={date(2026, 1, 2): "a holiday"})
    assert table(schedule, "2026-01-01T08:00Z", "2026-01-04T08:00Z") == [
        "01 08:00/01 23:00 ada",
        "01 23:00/02 23:00 -",
        "02 23:00/03 08:00 ben",
        "03 08:00/04 08:00 cleo",
    ]


def test_a_holiday_is_a_day_of_the_team_also_for_a_rotation_in_another_zone() -> None:
    party = replace(always("zoe"), on_holidays=OnHolidays.ONLY, time_zone="America/New_York")
    schedule = replace(plan(party), holidays={date(2026, 1, 1): "New Year's Day"})
    assert table(schedule, "2025-12-31T12:00Z", "2026-01-02T12:00Z") == [
        "31 12:00/31 23:00 -",
        "31 23:00/01 23:00 zoe",
        "01 23:00/02 12:00 -",
    ]


def test_a_holiday_that_the_clock_skips_is_no_time_at_all() -> None:
    party = replace(always("zoe"), on_holidays=OnHolidays.ONLY)
    schedule = replace(plan(party, zone="Pacific/Apia"), holidays={date(2011, 12, 30): "lost"})
    assert not shifts(schedule, at("2011-12-28T00:00Z"), at("2012-01-02T00:00Z")).shifts


def test_each_reason_has_its_words() -> None:
    over = Override(at("2026-01-01T12:00Z"), at("2026-01-02T12:00Z"), user="zoe", replaces="ada")
    reasons = (
        ByRotation("weeks", 3),
        ByRotation("weeks", 3, holiday=True),
        ByEvent(0, at("2026-01-01T12:00")),
        ByTemporary(CRISIS),
    )
    assert [told(why) for why in reasons] == [
        "rotation weeks",
        "holiday weeks",
        "event",
        "temporary",
    ]
    for swap, words in ((False, "override"), (True, "swap")):
        schedule = plan(always("ada"), overrides=(replace(over, swap=swap),))
        (shift,) = shifts(schedule, at("2026-01-01T13:00Z"), at("2026-01-01T14:00Z")).shifts
        assert (shift.user, told(shift.why)) == ("zoe", words)
