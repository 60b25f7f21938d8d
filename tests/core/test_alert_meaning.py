"""Whom a step means: conditions, whose turn it is, who comes on duty next."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from tests.core.stories import (
    ADA,
    DUTY,
    JONAS,
    MARA,
    NIGHT,
    POLICY,
    PRIMARY,
    at,
    done,
    effects,
    pages,
    plan,
    seed,
)
from tocsin.core.alert import Outcome, apply
from tocsin.core.changes import Raised
from tocsin.core.effects import Call, Entry, EntryKind, TakeTurn
from tocsin.core.escalation import Condition, EscalationPlan, Pick, Policy, Position, Step, Webhook
from tocsin.core.kinds import Mode, Severity
from tocsin.core.schedule import Day


def with_first(**fields: object) -> Policy:
    """The policy with another first step."""
    first = replace(POLICY.steps[0], **fields)  # type: ignore[arg-type]  # names of fields
    return replace(POLICY, steps=(first, *POLICY.steps[1:]))


def raised(plan_: EscalationPlan, **fields: object) -> Outcome:
    return apply(seed(**fields), Raised(), plan_, NIGHT)


def when(condition: Condition, **fields: object) -> tuple[Position | None, list[object]]:
    """The step that starts at 02:58 in Berlin, a Wednesday, and why others were passed over."""
    outcome = raised(
        replace(plan(with_first(when=(condition,))), time_zone="Europe/Berlin"), **fields
    )
    why = [
        effect.data["reason"]
        for effect in effects(outcome)
        if isinstance(effect, Entry) and effect.kind is EntryKind.PASSED_OVER
    ]
    return done(outcome).position, why


FIRST, SECOND = Position(0, 0), Position(0, 1)
NONE: list[object] = []


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Condition(severities=(Severity.HIGH, Severity.CRITICAL)), (FIRST, NONE)),
        (Condition(severities=(Severity.LOW,)), (SECOND, ["severity high"])),
        (Condition(from_=time(22), to=time(6)), (FIRST, NONE)),
        (Condition(from_=time(6), to=time(22)), (SECOND, ["outside its hours"])),
        (Condition(days=(Day.TUE,), from_=time(22), to=time(6)), (FIRST, NONE)),
        (Condition(days=(Day.WED,), from_=time(22), to=time(6)), (SECOND, ["outside its hours"])),
        (Condition(days=(Day.WED,)), (FIRST, NONE)),
        (Condition(holiday=False), (FIRST, NONE)),
        (Condition(holiday=True), (SECOND, ["no holiday"])),
        (Condition(older_than=timedelta(minutes=5)), (SECOND, ["not old enough"])),
    ],
)
def test_a_step_whose_condition_does_not_hold_is_passed_over(
    condition: Condition, expected: tuple[Position, list[object]]
) -> None:
    assert when(condition) == expected


def test_an_alert_that_is_old_enough_passes() -> None:
    condition = Condition(older_than=timedelta(minutes=5))
    assert when(condition, created_at=NIGHT - timedelta(minutes=5)) == (FIRST, NONE)


def test_a_holiday_is_one_on_the_teams_calendar() -> None:
    policy = with_first(when=(Condition(holiday=False),))
    day = datetime(2026, 11, 18, tzinfo=UTC).date()
    ours = replace(plan(policy), time_zone="Europe/Berlin", holidays=frozenset({day}))
    assert done(raised(ours)).position == SECOND
    there = replace(ours, time_zone="America/New_York")  # it is the 17th there
    assert done(raised(there)).position == FIRST


def test_each_responder_is_held_against_their_own_clock() -> None:
    """02:58 in Berlin is 20:58 in New York: only she is in her evening."""
    policy = with_first(when=(Condition(from_=time(18), to=time(23), responder_clock=True),))
    ada = replace(ADA, time_zone="America/New_York")
    found = replace(plan(policy, {**DUTY, PRIMARY: (MARA, ada)}), time_zone="Europe/Berlin")
    assert {page.user for page in pages(effects(raised(found)))} == {ADA.id}
    nobody = replace(plan(policy), time_zone="Europe/Berlin")
    assert done(raised(nobody)).position == SECOND


def test_an_emergency_pages_everybody_whatever_the_conditions() -> None:
    policy = with_first(when=(Condition(severities=(Severity.LOW,)),))
    outcome = raised(plan(policy), mode=Mode.EMERGENCY)
    assert {page.user for page in pages(effects(outcome))} == {MARA.id, JONAS.id, ADA.id}


def test_a_round_robin_pages_one_after_the_other_and_counts_the_turn() -> None:
    policy = with_first(pick=Pick.ROUND_ROBIN)
    both = plan(policy, {**DUTY, PRIMARY: (MARA, JONAS)})
    seen: list[int] = []
    for turn in range(4):
        outcome = raised(replace(both, turns={0: turn}))
        assert TakeTurn(0) in effects(outcome)
        seen += {page.user for page in pages(effects(outcome))}
    assert seen == [MARA.id, JONAS.id, MARA.id, JONAS.id]


def test_next_pages_who_comes_on_duty_next() -> None:
    policy = with_first(pick=Pick.NEXT)
    found = replace(plan(policy), next_on_duty={PRIMARY: (JONAS,)})
    assert {page.user for page in pages(effects(raised(found)))} == {JONAS.id}


def test_a_webhook_is_called_and_the_step_waits_for_it() -> None:
    step = Step((Webhook("status page"),), timedelta(minutes=3))
    outcome = raised(plan(Policy(steps=(step,))))
    (call,) = [effect for effect in effects(outcome) if isinstance(effect, Call)]
    assert (call.webhook, call.due_at) == ("status page", NIGHT)
    assert done(outcome).next_step_at == at(3)
