"""Times in which nobody of a tier is on duty, and which of them are news."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from tocsin.core.schedule import (
    DailyWindow,
    Day,
    Override,
    Rotation,
    Schedule,
    Timeline,
    Unit,
    shifts,
)
from tocsin.core.uncovered import WEEK, Hole, Punched, holes, news

ZONE = "Europe/Berlin"
START = datetime(2026, 1, 5)  # noqa: DTZ001 - wall time, a Monday
DAYS = Rotation("days", (("mara",), ("jonas",)), START, Unit.DAY)
PRIMARY = Schedule("primary", "1", ZONE, (DAYS,))
OFFICE = replace(
    PRIMARY, rotations=(replace(DAYS, restrictions=(DailyWindow(tuple(Day), time(8), time(18)),)),)
)


def at(day: int, hour: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def line(schedule: Schedule, from_: datetime, to: datetime) -> tuple[str, Timeline]:
    return schedule.tier, shifts(schedule, from_, to)


def off(user: str, from_: datetime, to: datetime) -> Schedule:
    return replace(PRIMARY, overrides=(Override(from_, to, replaces=user),))


def test_a_hole_is_where_nobody_of_the_tier_is_on_duty_by_shift_or_by_hand() -> None:
    second = replace(off("jonas", at(24, 7), at(24, 9)), name="other")
    first = off("jonas", at(24, 6), at(24, 10))
    lines = [line(first, at(24), at(26)), line(second, at(24), at(26))]
    assert shifts(first, at(24), at(25)).shifts[0].user == "jonas"
    assert holes(lines) == [Hole("1", at(24, 7), at(24, 9), emptied=True)]
    by_hand = Punched("1", at(24, 8), at(24, 20))
    assert holes(lines, [by_hand]) == [Hole("1", at(24, 7), at(24, 8), emptied=True)]
    other = replace(second, tier="2")
    found = holes([lines[0], line(other, at(24), at(26))])
    assert [(hole.tier, hole.to - hole.from_) for hole in found] == [
        ("1", timedelta(hours=4)),
        ("2", timedelta(hours=2)),
    ]


def test_nights_of_a_team_that_works_by_day_are_no_news() -> None:
    for month, day in ((11, 24), (3, 28), (10, 24)):  # two of them with a change of the clocks
        begin, end = at(day, 12, month), at(day, 12, month) + timedelta(days=2)
        now = holes([line(OFFICE, begin, end)])
        before = holes([line(OFFICE, begin - WEEK, end - WEEK)])
        assert len(now) == 2
        assert news(now, before, ZONE) == []


def test_a_night_is_news_where_somebody_was_planned_a_week_ago() -> None:
    ends = replace(PRIMARY, rotations=(replace(DAYS, active_until=at(25)),))
    now = holes([line(ends, at(24), at(27))])
    before = holes([line(ends, at(17), at(20))])
    assert news(now, before, ZONE) == [Hole("1", at(25), at(27))]


def test_what_an_override_emptied_is_news_also_the_week_after() -> None:
    twice = replace(
        PRIMARY,
        overrides=(
            Override(at(17, 6), at(17, 8), replaces="jonas"),
            Override(at(17, 6), at(17, 8), replaces="mara"),
            Override(at(24, 6), at(24, 8), replaces="jonas"),
            Override(at(24, 6), at(24, 8), replaces="mara"),
        ),
    )
    now = holes([line(twice, at(24), at(25))])
    before = holes([line(twice, at(17), at(18))])
    assert news(now, before, ZONE) == [Hole("1", at(24, 6), at(24, 8), emptied=True)]
