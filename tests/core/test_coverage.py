"""What plans are worth: coverage, fairness, differences, on nights when clocks change too."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.coverage_plans import (
    BERLIN,
    HOUR,
    Between,
    berlin,
    found,
    plan,
    rotation,
    schedule,
    wall,
)
from tests.core.schedule_draws import PEOPLE, Asked, asked
from tocsin.core.coverage import (
    Differing,
    Kind,
    Share,
    Stint,
    TeamPlan,
    compared,
    difference,
    scored,
    shares,
    team_coverage,
    team_plan,
    timeline_of,
)
from tocsin.core.localtime import wall_clock
from tocsin.core.schedule import Combine, Override, Rotation, Unit


def fair(one: TeamPlan) -> dict[str, Share]:
    span = one.from_, one.to
    return {s.user: s for s in shares(one.stints(), (), span, one.zone, one.holidays)}


def _plan_of(question: Asked) -> TeamPlan:
    drawn, from_, to = question
    worked_out = [(drawn, timeline_of(drawn, from_, to))]
    return team_plan(worked_out, from_, to, zone=drawn.time_zone, holidays=drawn.holidays)


@settings(deadline=None)
@given(asked())
def test_the_score_is_1_only_where_there_is_no_gap(question: Asked) -> None:
    made = _plan_of(question)
    found = team_coverage(made.stints(), made.places, made.from_, made.to)
    gaps = made.worked_out[0][1].gaps
    assert (found.team.score == 1) == (not gaps)
    assert found.team == found.tiers["1"]
    assert found.team.asked - found.team.covered == sum((g.to - g.from_ for g in gaps), 0 * HOUR)


def test_a_second_without_anybody_in_a_year_is_no_full_score() -> None:
    from_, to = berlin("2026-01-01"), berlin("2027-01-01")
    hole = berlin("2026-06-01")
    one = scored([(from_, hole), (hole + timedelta(seconds=1), to)], from_, to)
    assert (one.score, one.gaps) == (0.999999, ((hole, hole + timedelta(seconds=1)),))
    assert scored([], from_, to).score == 0
    assert scored([(from_, hole), (hole, to)], from_, to).score == 1


@settings(deadline=None)
@given(asked())
def test_hours_of_all_people_are_the_covered_time_where_one_is_on_duty_at_a_time(
    question: Asked,
) -> None:
    drawn, from_, to = question
    alone = replace(
        drawn,
        combine=Combine.LAST_WINS,
        rotations=tuple(
            replace(one, participants=tuple(group[:1] for group in one.participants))
            for one in drawn.rotations
        ),
        events=tuple(replace(one, users=one.users[:1]) for one in drawn.events),
        overrides=(),
        temporary=(),
    )
    made = _plan_of((alone, from_, to))
    hours = sum((one.on_duty for one in fair(made).values()), 0 * HOUR)
    covered = team_coverage(made.stints(), made.places, made.from_, made.to).team.covered
    assert hours == covered


@settings(deadline=None)
@given(asked())
def test_a_plan_does_not_differ_from_itself(question: Asked) -> None:
    made = _plan_of(question)
    same = compared(made, made)
    assert (same.differences, same.new, same.gone) == ((), frozenset(), ())
    assert same.shares_before == same.shares_after
    assert same.coverage_before == same.coverage_after


@settings(deadline=None)
@given(asked(), st.data())
def test_a_difference_is_the_same_from_both_sides_and_tells_every_instant(
    question: Asked, data: st.DataObject
) -> None:
    drawn, from_, to = question
    names = data.draw(st.permutations(PEOPLE))
    other = replace(drawn, rotations=tuple(_renamed(one, names) for one in drawn.rotations))
    before, after = (list(_plan_of((one, from_, to)).stints()) for one in (drawn, other))
    there, back = difference(before, after), difference(after, before)
    assert [replace(one, before=one.after, after=one.before) for one in there] == list(back)
    for at in {stint.from_ for stint in (*before, *after)}:
        pair = _people(before, at), _people(after, at)
        told_of = [(d.before, d.after) for d in there if d.from_ <= at < d.to]
        assert told_of == ([pair] if pair[0] != pair[1] else [])


def _renamed(one: Rotation, names: Sequence[str]) -> Rotation:
    new: dict[str, str] = dict(zip(PEOPLE, names, strict=True))
    return replace(
        one, participants=tuple(tuple(new[user] for user in group) for group in one.participants)
    )


def _people(stints: list[Stint], at: datetime) -> tuple[str, ...]:
    return tuple(sorted({s.user for s in stints if s.from_ <= at < s.to}))


def test_a_difference_names_the_people_of_a_tier_and_not_of_a_schedule() -> None:
    span: Between = {"from_": "2026-01-05T09:00", "to": "2026-01-12T09:00"}
    before = plan(schedule(rotation("mara", "jonas")), **span)
    moved = schedule(rotation("mara"), name="renamed")
    assert compared(before, plan(moved, **span)).differences == ()
    cover = Override(wall("2026-01-07T18:00"), wall("2026-01-08T08:00"), "ada", None)
    changed = plan(replace(moved, overrides=(cover,)), **span)
    assert compared(before, changed).differences == (
        Differing("1", berlin("2026-01-07T18:00"), berlin("2026-01-08T08:00"), ("mara",), ("ada",)),
    )


@pytest.mark.parametrize(
    ("from_", "to", "hours", "night"),
    [
        ("2026-03-28T20:00", "2026-03-29T08:00", 11, 7),  # clocks are set forward
        ("2026-10-24T20:00", "2026-10-25T08:00", 13, 9),  # and back
        ("2026-10-23T20:00", "2026-10-24T08:00", 12, 8),
    ],
)
def test_hours_of_a_night_in_berlin_are_hours_that_pass(
    from_: str, to: str, hours: int, night: int
) -> None:
    mara = fair(plan(schedule(rotation("mara")), from_=from_, to=to))["mara"]
    assert (mara.on_duty, mara.at_night) == (hours * HOUR, night * HOUR)
    assert (mara.nights, mara.shifts) == (1, 1)


def test_a_weekend_is_saturday_and_sunday_on_the_clock_of_the_team() -> None:
    days = schedule(rotation("mara", "jonas", unit=Unit.DAY, start=wall("2026-10-23")))
    share = fair(plan(days, from_="2026-10-23", to="2026-10-27"))  # Friday to Monday, by turns
    assert share["mara"].on_weekends == 25 * HOUR  # Sunday is an hour longer
    assert share["jonas"].on_weekends == 24 * HOUR
    assert (share["mara"].weekends, share["jonas"].weekends) == (1, 1)
    late = plan(schedule(rotation("mara")), from_="2026-10-23T12:00", to="2026-10-24T02:59")
    assert fair(late)["mara"].on_weekends == 2 * HOUR + timedelta(minutes=59)
    assert fair(late)["mara"].weekends == 0  # less than three hours of it
    sunday = plan(schedule(rotation("mara")), from_="2026-10-25T21:00", to="2026-10-26T12:00")
    assert (fair(sunday)["mara"].on_weekends, fair(sunday)["mara"].weekends) == (3 * HOUR, 1)


def test_holidays_are_counted_day_by_day() -> None:
    made = plan(
        schedule(rotation("mara", "jonas", unit=Unit.DAY, start=wall("2026-12-24T09:00"))),
        from_="2026-12-24T09:00",
        to="2026-12-27T09:00",
        holidays=("2026-12-25", "2026-12-26"),
    )
    share = fair(made)
    assert (share["mara"].on_holidays, share["mara"].holidays) == (24 * HOUR, 2)
    assert (share["jonas"].on_holidays, share["jonas"].holidays) == (24 * HOUR, 2)


def test_who_is_on_duty_twice_works_once_and_who_does_nothing_is_listed() -> None:
    both = plan(
        schedule(rotation("mara")),
        schedule(rotation("mara"), name="manager", tier="manager"),
        from_="2026-01-05T09:00",
        to="2026-01-05T12:00",
    )
    span = both.from_, both.to
    known = shares(both.stints(), ["mara", "ada"], span, BERLIN, {})
    assert [(one.user, one.on_duty, one.shifts) for one in known] == [
        ("ada", 0 * HOUR, 0),
        ("mara", 3 * HOUR, 1),
    ]
    assert found(both, Kind.TWO_PLACES) == [
        "mara is on duty in manager and primary at once from 2026-01-05 09:00 to 2026-01-05 12:00"
    ]


@settings(deadline=None)
@given(asked())
def test_where_somebody_is_gone_for_good_the_rest_still_tiles_the_time(question: Asked) -> None:
    drawn, from_, to = question
    whole, rest = timeline_of(drawn, from_, to), timeline_of(drawn, from_, to, {"ada"})
    assert [one for one in whole.shifts if one.user != "ada"] == list(rest.shifts)
    assert set(whole.gaps) <= set(rest.gaps)
    on_duty = [(one.from_, one.to) for one in rest.shifts]
    left = scored(on_duty, from_, to).gaps
    assert scored([(gap.from_, gap.to) for gap in rest.gaps], from_, to).covered == sum(
        (end - begin for begin, end in left), 0 * HOUR
    )
    assert scored([*on_duty, *((gap.from_, gap.to) for gap in rest.gaps)], from_, to).score == 1


@settings(deadline=None, max_examples=50)
@given(asked())
def test_shares_are_what_a_minute_walk_counts(question: Asked) -> None:
    made = _plan_of(question)
    zone, step = made.zone, timedelta(minutes=15)
    night: dict[str, timedelta] = {}
    weekend: dict[str, timedelta] = {}
    stints = list(made.stints())
    at = made.from_
    while at < made.to:
        there = wall_clock(at, zone)
        for user in _people(stints, at):
            if there.hour >= 22 or there.hour < 6:
                night[user] = night.get(user, 0 * HOUR) + step
            if there.weekday() >= 5:
                weekend[user] = weekend.get(user, 0 * HOUR) + step
        at += step
    share = fair(made)
    assert {user: one.at_night for user, one in share.items() if one.at_night} == night
    assert {user: one.on_weekends for user, one in share.items() if one.on_weekends} == weekend
