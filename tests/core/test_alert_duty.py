"""What a change of duty in the middle of a step does to an alert."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.core.stories import (
    ADA,
    DUTY,
    EVA,
    JONAS,
    MARA,
    NIGHT,
    POLICY,
    PRIMARY,
    UNREACHABLE,
    acknowledged,
    at,
    done,
    effects,
    kinds,
    opened,
    pages,
    plan,
    seed,
)
from tocsin.core.alert import Alert, Leaving, Outcome, Unchanged, apply, due_change
from tocsin.core.changes import DutyChanged, Raised, StepTimedOut
from tocsin.core.effects import Call, Entry, EntryKind, Purpose, Withdraw
from tocsin.core.escalation import (
    HOLD_FOR,
    Condition,
    EscalationPlan,
    IfNobody,
    Pick,
    Policy,
    Position,
    Step,
    Webhook,
)
from tocsin.core.kinds import Severity
from tocsin.core.rules import Method, Person


def duty(*people: Person, policy: Policy = POLICY) -> EscalationPlan:
    """The plan with these people on duty in the first tier."""
    return plan(policy, {**DUTY, PRIMARY: people})


def first_step(if_nobody: IfNobody) -> Policy:
    return replace(POLICY, steps=(replace(POLICY.steps[0], if_nobody=if_nobody), *POLICY.steps[1:]))


def changed(
    alert: Alert, plan_: EscalationPlan, minute: float = 1, *, gone: tuple[Person, ...] = ()
) -> Outcome:
    change = DutyChanged({person.id: person.name for person in gone})
    return apply(alert, change, plan_, at(minute))


def paged(outcome: Outcome) -> set[int]:
    return {page.user for page in pages(effects(outcome))}


def lines(outcome: Outcome, kind: EntryKind) -> list[Mapping[str, object]]:
    return [e.data for e in effects(outcome) if isinstance(e, Entry) and e.kind is kind]


def test_who_comes_on_duty_is_paged_at_once_and_who_leaves_stays_until_relieved() -> None:
    outcome = changed(opened(), duty(JONAS))
    assert paged(outcome) == {JONAS.id}
    assert {page.due_at for page in pages(effects(outcome))} == {at(1)}
    assert not any(isinstance(effect, Withdraw) for effect in effects(outcome))
    alert = done(outcome)
    assert alert.leaving == (Leaving(MARA.id, (JONAS.id,)),)
    assert alert.next_step_at == at(2), "the step waits as long as it would have"
    assert lines(outcome, EntryKind.CAME_ON_DUTY)[0]["people"] == ["Jonas"]
    assert lines(outcome, EntryKind.LEFT_DUTY)[0]["people"] == ["Mara"]


def test_a_change_of_duty_that_is_looked_at_twice_changes_nothing_more() -> None:
    alert = done(changed(opened(), duty(JONAS)))
    assert isinstance(changed(alert, duty(JONAS), 1.5), Unchanged)


def test_with_an_empty_shift_after_it_the_one_who_leaves_stays_paged() -> None:
    alert = done(changed(opened(), duty()))
    assert alert.leaving == (Leaving(MARA.id, ()),)
    assert alert.position == Position(0, 0)
    late = done(changed(alert, duty(JONAS), 1.5))
    assert late.leaving == (Leaving(MARA.id, (JONAS.id,)),), "whoever comes later relieves them"


def test_who_is_back_on_duty_is_paged_anew() -> None:
    away = done(changed(opened(), duty(JONAS)))
    outcome = changed(away, duty(MARA), 1.5)
    assert paged(outcome) == {MARA.id}
    assert done(outcome).leaving == (Leaving(JONAS.id, (MARA.id,)),)


def test_a_deactivated_person_drops_out_and_the_next_step_starts() -> None:
    outcome = changed(opened(), duty(), gone=(MARA,))
    assert Withdraw((MARA.id,)) in effects(outcome)
    assert done(outcome).position == Position(0, 1)
    assert paged(outcome) == {ADA.id}
    (line,) = lines(outcome, EntryKind.LEFT_DUTY)
    assert line == {"reason": "deactivated", "people": ["Mara"]}


def test_who_is_deactivated_after_they_left_duty_holds_the_step_up_no_longer() -> None:
    left = done(changed(opened(), duty()))
    assert left.leaving == (Leaving(MARA.id, ()),)
    outcome = changed(left, duty(), 1.5, gone=(MARA,))
    assert done(outcome).leaving == ()
    assert done(outcome).position == Position(0, 1)
    assert paged(outcome) == {ADA.id}


def test_a_deactivated_person_who_is_not_alone_leaves_the_step_to_the_others() -> None:
    alert = done(apply(seed(), Raised(), duty(MARA, JONAS), NIGHT))
    outcome = changed(alert, duty(JONAS), gone=(MARA,))
    assert done(outcome).position == Position(0, 0)
    assert done(outcome).crew == (JONAS.id,)
    assert paged(outcome) == set()


def test_a_person_whose_only_method_is_disabled_is_paged_by_another() -> None:
    jonas = replace(JONAS, methods=(Method(22, "mail", "email"),))
    alert = done(apply(seed(), Raised(), duty(JONAS), NIGHT))
    outcome = changed(alert, duty(jonas))
    assert [(page.user, page.method) for page in pages(effects(outcome))] == [(JONAS.id, 22)]


def test_a_held_step_starts_when_somebody_comes_on_duty_and_not_before() -> None:
    policy = first_step(IfNobody.HOLD)
    held = done(apply(seed(), Raised(), duty(policy=policy), NIGHT))
    assert held.held
    assert held.next_step_at == NIGHT + HOLD_FOR
    assert isinstance(changed(held, duty(policy=policy)), Unchanged)
    outcome = changed(held, duty(JONAS, policy=policy), 10)
    assert paged(outcome) == {JONAS.id}
    assert not done(outcome).held
    assert done(outcome).next_step_at == at(12)


def test_a_held_step_that_nobody_comes_for_gives_way_to_the_next() -> None:
    policy = first_step(IfNobody.HOLD)
    held = done(apply(seed(), Raised(), duty(policy=policy), NIGHT))
    timer = due_change(held)
    assert isinstance(timer, StepTimedOut)
    late = done(apply(held, timer, duty(policy=policy), NIGHT + HOLD_FOR))
    assert late.position == Position(0, 1)
    assert not late.held


def test_an_alert_that_nobody_answered_pages_who_comes_on_duty() -> None:
    policy = Policy(steps=(replace(POLICY.steps[0], if_nobody=IfNobody.HOLD),))
    held = done(apply(seed(), Raised(), duty(policy=policy), NIGHT))
    timer = due_change(held)
    assert timer is not None
    over = done(apply(held, timer, duty(policy=policy), NIGHT + HOLD_FOR))
    assert over.exhausted
    outcome = changed(over, duty(JONAS, policy=policy), 60)
    assert paged(outcome) == {JONAS.id}
    assert not done(outcome).exhausted, "nobody had been asked: it begins now"
    assert done(outcome).next_step_at == at(62)


def test_an_acknowledged_alert_stays_with_its_owner_and_the_incoming_person_is_told_once() -> None:
    outcome = changed(acknowledged(), duty(JONAS, UNREACHABLE), 60)
    assert done(outcome).owner == MARA.id
    assert [(page.user, page.purpose) for page in pages(effects(outcome))] == [
        (JONAS.id, Purpose.UPDATE)
    ]
    (line,) = lines(outcome, EntryKind.CAME_ON_DUTY)
    assert (line["people"], line["unreachable"]) == (["Jonas"], ["Nobody"])
    assert isinstance(changed(done(outcome), duty(JONAS, UNREACHABLE), 61), Unchanged)


@pytest.mark.parametrize("fields", [{"suppressed": "category noise"}, {"position": None}])
def test_what_pages_nobody_is_left_alone(fields: dict[str, object]) -> None:
    alert = replace(opened(), **fields)  # type: ignore[arg-type]  # names of fields
    assert isinstance(changed(alert, duty(EVA)), Unchanged)


def test_a_second_look_after_the_step_ended_does_not_bring_it_back() -> None:
    alert = done(changed(opened(), duty(JONAS)))
    timer = due_change(alert)
    assert timer is not None
    moved = done(apply(alert, timer, duty(JONAS), at(2)))
    assert moved.position == Position(0, 1)
    assert moved.crew == (ADA.id,)
    assert kinds(effects(changed(alert, duty(MARA, JONAS), 1.5)))
    assert isinstance(
        apply(moved, DutyChanged(), duty(JONAS), at(2) + timedelta(seconds=1)), Unchanged
    )


def test_who_comes_on_duty_after_every_step_found_nobody_is_paged_from_the_first() -> None:
    policy = Policy(steps=(Step((PRIMARY,), timedelta(minutes=2)),))
    lost = done(apply(seed(), Raised(), duty(policy=policy), NIGHT))
    assert (lost.exhausted, lost.position) == (True, Position(0, 0))
    assert isinstance(changed(lost, duty(policy=policy)), Unchanged)
    outcome = changed(lost, duty(JONAS, policy=policy))
    assert paged(outcome) == {JONAS.id}
    assert not done(outcome).exhausted
    assert done(outcome).next_step_at == at(3)


def test_a_condition_counts_when_its_step_starts_and_not_again_while_it_runs() -> None:
    when = (Condition(severities=(Severity.HIGH,)),)
    policy = Policy(steps=(Step((PRIMARY,), timedelta(minutes=2), when=when),))
    running = done(apply(seed(), Raised(), duty(MARA, policy=policy), NIGHT))
    worse = replace(running, severity=Severity.CRITICAL)
    assert isinstance(changed(worse, duty(MARA, policy=policy)), Unchanged)
    assert paged(changed(worse, duty(JONAS, policy=policy))) == {JONAS.id}


def test_whoever_was_next_on_duty_stays_chosen_when_their_shift_begins() -> None:
    policy = Policy(steps=(Step((PRIMARY,), timedelta(minutes=2), pick=Pick.NEXT),))
    before = replace(duty(MARA, policy=policy), next_on_duty={PRIMARY: (JONAS,)})
    running = done(apply(seed(), Raised(), before, NIGHT))
    assert running.crew == (JONAS.id,)
    after = replace(duty(JONAS, policy=policy), next_on_duty={PRIMARY: (ADA,)})
    assert isinstance(changed(running, after), Unchanged)


def test_a_policy_of_a_thousand_steps_for_nobody_is_looked_at_once_when_duty_changes() -> None:
    """Starting from each step in turn would take a million looks, and stop a worker for seconds."""
    looks = 0

    class Counting(EscalationPlan):
        def people_of(self, step: Step) -> tuple[Person, ...]:
            nonlocal looks
            looks += 1
            return super().people_of(step)

    policy = Policy(steps=(Step((PRIMARY,), timedelta(minutes=2)),) * 1000)
    nobody = Counting(policy=policy)
    lost = done(apply(seed(), Raised(), nobody, NIGHT))
    looks = 0
    assert isinstance(changed(lost, nobody), Unchanged)
    assert looks < 2000


@pytest.mark.parametrize("if_nobody", list(IfNobody))
def test_a_webhook_beside_people_who_are_not_there_is_called_and_is_nobody(
    if_nobody: IfNobody,
) -> None:
    with_hook = Step((PRIMARY, Webhook("siem")), timedelta(minutes=2), if_nobody)
    policy = Policy(steps=(with_hook, POLICY.steps[1]))
    outcome = apply(seed(), Raised(), duty(policy=policy), NIGHT)
    calls = [effect for effect in effects(outcome) if isinstance(effect, Call)]
    assert [call.webhook for call in calls] == ["siem"]
    assert lines(outcome, EntryKind.NOBODY)[0]["webhooks"] == ["siem"]
    assert done(outcome).held is (if_nobody is IfNobody.HOLD)
    assert done(outcome).position == Position(0, 1 if if_nobody is IfNobody.SKIP else 0)
    if if_nobody is IfNobody.HOLD:  # called once, also when somebody comes
        came = changed(done(outcome), duty(JONAS, policy=policy))
        assert not [effect for effect in effects(came) if isinstance(effect, Call)]
