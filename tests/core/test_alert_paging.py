"""Whom an alert pages: people on duty and in reach, modes, admins, timers at the same moment."""

from dataclasses import replace

from tests.core.stories import (
    ADA,
    DUTY,
    JONAS,
    MARA,
    MINUTE,
    NIGHT,
    POLICY,
    PRIMARY,
    UNREACHABLE,
    acknowledged,
    after,
    at,
    by,
    done,
    effects,
    kinds,
    opened,
    pages,
    plan,
    seed,
    shown,
)
from tocsin.core.alert import Changed, Outcome, Unchanged, apply, due_change
from tocsin.core.changes import (
    Acknowledged,
    Closed,
    EscalatedByHand,
    Raised,
    SeverityRaised,
    StepTimedOut,
    Suppressed,
)
from tocsin.core.effects import Entry, EntryKind
from tocsin.core.escalation import FIRST, IfNobody, Policy, Position, Step
from tocsin.core.kinds import Mode, Severity, Status, Urgency

EMERGENCY: dict[str, object] = {"mode": Mode.EMERGENCY}
TWO: dict[str, object] = {"mode": Mode.MULTI, "acknowledgements_required": 2}
MEDIUM: dict[str, object] = {"severity": Severity.MEDIUM, "urgency": Urgency.NORMAL}
INFO: dict[str, object] = {"severity": Severity.INFO, "urgency": Urgency.RECORD}


def reasons(outcome: Outcome) -> list[object]:
    return [
        effect.data["reason"]
        for effect in effects(outcome)
        if isinstance(effect, Entry) and effect.kind is EntryKind.NOBODY
    ]


def test_a_policy_without_steps_tells_the_admins_at_once() -> None:
    outcome = apply(seed(), Raised(), plan(Policy(steps=())), NIGHT)
    assert shown(outcome).splitlines() == [
        "open, owner nobody, timer never, nobody answered",
        "page ada.phone 02:58 escalation",
        "timeline raised, nobody_answered",
    ]


def test_a_step_with_nobody_on_duty_is_skipped_visibly() -> None:
    outcome = apply(seed(), Raised(), plan(duty={**DUTY, PRIMARY: ()}), NIGHT)
    assert reasons(outcome) == ["nobody on duty"]
    alert = done(outcome)
    assert alert.position == Position(0, 1)
    assert [page.user for page in pages(effects(outcome))] == [ADA.id]


def test_a_step_with_nobody_on_duty_can_wait_all_the_same() -> None:
    first = replace(POLICY.steps[0], if_nobody=IfNobody.CONTINUE)
    policy = replace(POLICY, steps=(first, *POLICY.steps[1:]))
    outcome = apply(seed(), Raised(), plan(policy, {**DUTY, PRIMARY: ()}), NIGHT)
    assert reasons(outcome) == ["nobody on duty"]
    assert done(outcome).next_step_at == at(2)
    assert kinds(effects(outcome)) == ["raised", "nobody", "step"]


def test_a_person_without_a_contact_method_is_named() -> None:
    outcome = apply(seed(), Raised(), plan(duty={**DUTY, PRIMARY: (UNREACHABLE,)}), NIGHT)
    assert reasons(outcome) == ["no contact method"]
    mixed = apply(seed(), Raised(), plan(duty={**DUTY, PRIMARY: (UNREACHABLE, MARA)}), NIGHT)
    [line] = [e for e in effects(mixed) if isinstance(e, Entry) and e.kind is EntryKind.STEP]
    assert line.data == {
        "step": 1,
        "round": 1,
        "people": ["Mara"],
        "unreachable": ["Nobody"],
    }


def test_a_step_whose_people_have_all_acknowledged_says_so() -> None:
    alert = after(opened(**TWO), (1, Acknowledged(by(ADA))))
    outcome = apply(alert, StepTimedOut(at(2), 1, Position(0, 0)), plan(), at(2))
    assert reasons(outcome) == ["all have acknowledged"]
    assert done(outcome).position == Position(0, 2)
    assert {page.user for page in pages(effects(outcome))} == {MARA.id, JONAS.id}


def test_an_emergency_pages_everybody_until_everybody_has_acknowledged() -> None:
    alert = opened(**EMERGENCY)
    assert {paged.user for paged in alert.paged} == {MARA.id, JONAS.id, ADA.id}
    for minutes, person in enumerate((MARA, JONAS, ADA)):
        assert alert.status is Status.OPEN
        alert = after(alert, (1 + minutes / 10, Acknowledged(by(person))))
    assert alert.status is Status.ACKNOWLEDGED
    assert alert.owner == MARA.id


def test_an_emergency_that_becomes_urgent_pages_everybody_who_has_not_answered() -> None:
    alert = after(opened(**EMERGENCY, **MEDIUM), (0.5, Acknowledged(by(ADA))))
    outcome = apply(alert, SeverityRaised(Severity.HIGH, Urgency.URGENT), plan(), at(1))
    assert {page.user for page in pages(effects(outcome))} == {MARA.id, JONAS.id}


def test_what_is_only_recorded_pages_when_somebody_escalates_it() -> None:
    recorded = opened(**INFO)
    assert recorded.next_step_at is None
    outcome = apply(recorded, EscalatedByHand(by(ADA)), plan(), at(1))
    assert done(outcome).next_step_at == at(3)
    assert {page.urgency for page in pages(effects(outcome))} == {Urgency.NORMAL}


def test_escalating_past_the_last_step_begins_again() -> None:
    alert = replace(opened(), position=Position(1, 2), exhausted=True, next_step_at=None)
    again = after(alert, (40, EscalatedByHand(by(MARA))))
    assert (again.episode, again.position, again.exhausted) == (2, Position(0, 0), False)


def test_news_goes_only_to_methods_that_were_really_paged() -> None:
    quick = apply(acknowledged(), Closed(by(JONAS)), plan(), at(60))  # Mara's mail was due at 03:00
    assert [(page.user, page.method) for page in pages(effects(quick))] == [(MARA.id, 11)]
    slow = apply(after(opened(), (3, Acknowledged(by(JONAS)))), Closed(by(JONAS)), plan(), at(60))
    assert {(page.user, page.method) for page in pages(effects(slow))} == {
        (MARA.id, 11),
        (MARA.id, 12),
    }


def test_admins_are_told_once_beside_what_is_still_repeated_to_them() -> None:
    policy = Policy((Step((PRIMARY,), MINUTE),))
    ringing = replace(plan(policy, {PRIMARY: (JONAS, MARA)}), admins=(JONAS, UNREACHABLE))
    alert = done(apply(seed(), Raised(), ringing, NIGHT))
    outcome = apply(alert, StepTimedOut(at(1), 1, FIRST), ringing, at(1))
    assert shown(outcome).splitlines() == [
        "open, owner nobody, timer never, nobody answered",
        "page jonas.phone 02:59 escalation",
        "timeline nobody_answered",
    ]
    [line] = [effect for effect in effects(outcome) if isinstance(effect, Entry)]
    assert line.data == {"told": ["Jonas"]}


def test_a_suppressed_alert_that_becomes_urgent_stays_silent() -> None:
    hushed = after(opened(**MEDIUM), (0.5, Suppressed("maintenance")))
    outcome = apply(hushed, SeverityRaised(Severity.HIGH, Urgency.URGENT), plan(), at(1))
    assert kinds(effects(outcome)) == ["severity_raised"]
    assert done(outcome).episode == hushed.episode


def test_a_timer_of_an_earlier_episode_is_stale_even_at_the_same_moment() -> None:
    hasty = replace(POLICY, acknowledge_timeout=0 * MINUTE)
    alert = after(opened(), (1, Acknowledged(by(MARA))), plan_=plan(hasty))
    timer = due_change(alert)
    assert timer is not None
    again = done(apply(alert, timer, plan(hasty), at(1)))
    taken = after(again, (1, Acknowledged(by(MARA))), plan_=plan(hasty))
    assert taken.next_step_at == timer.due
    assert isinstance(apply(taken, timer, plan(hasty), at(1)), Unchanged)


def test_steps_without_a_wait_are_told_apart_by_their_position() -> None:
    hasty = replace(POLICY, steps=tuple(replace(s, wait=0 * MINUTE) for s in POLICY.steps))
    alert = done(apply(seed(), Raised(), plan(hasty), NIGHT))
    timer = due_change(alert)
    assert timer is not None
    moved = done(apply(alert, timer, plan(hasty), NIGHT))
    assert moved.next_step_at == timer.due
    assert isinstance(apply(moved, timer, plan(hasty), NIGHT), Unchanged)


def test_a_copy_of_the_policy_that_is_gone_is_no_reason_to_fail() -> None:
    empty = plan(Policy(steps=()))
    urgent = SeverityRaised(Severity.HIGH, Urgency.URGENT)
    assert isinstance(apply(opened(**MEDIUM), urgent, empty, at(1)), Changed)
    assert isinstance(apply(acknowledged(**MEDIUM), urgent, empty, at(2)), Changed)
