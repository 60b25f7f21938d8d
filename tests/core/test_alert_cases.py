"""Cases beside the table: modes, unreachable people, owners without a name here, clocks set back."""

from dataclasses import replace

import pytest

from tests.core.stories import (
    ADA,
    DUTY,
    EVA,
    HOUR,
    JONAS,
    MARA,
    MINUTE,
    NIGHT,
    POLICY,
    PORTAL,
    PRIMARY,
    UNREACHABLE,
    acknowledged,
    after,
    at,
    by,
    closed,
    done,
    kinds,
    opened,
    pages,
    plan,
    seed,
    shown,
    syncs,
)
from tocsin.core.alert import Changed, Unchanged, apply, due_change
from tocsin.core.changes import (
    Acknowledged,
    AcknowledgementExpired,
    Closed,
    DetailsUpdated,
    EscalatedByHand,
    Raised,
    Reassigned,
    RespondersAdded,
    SeenAgain,
    SeverityRaised,
    Snoozed,
    StepTimedOut,
    TakenOver,
    Unacknowledged,
)
from tocsin.core.effects import Entry, EntryKind, Notify, Publish, Purpose
from tocsin.core.escalation import IfNobody, Policy, Position, Step
from tocsin.core.kinds import Actor, Mode, Severity, Status, Urgency, Via

EMERGENCY: dict[str, object] = {"mode": Mode.EMERGENCY}
TWO: dict[str, object] = {"mode": Mode.MULTI, "acknowledgements_required": 2}
MEDIUM: dict[str, object] = {"severity": Severity.MEDIUM, "urgency": Urgency.NORMAL}
INFO: dict[str, object] = {"severity": Severity.INFO, "urgency": Urgency.RECORD}


def reasons(outcome: object) -> list[object]:
    assert isinstance(outcome, Changed)
    return [
        effect.data["reason"]
        for effect in outcome.effects
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
    assert [page.user for page in pages(_effects(outcome))] == [ADA.id]


def test_a_step_with_nobody_on_duty_can_wait_all_the_same() -> None:
    first = replace(POLICY.steps[0], if_nobody=IfNobody.CONTINUE)
    policy = replace(POLICY, steps=(first, *POLICY.steps[1:]))
    outcome = apply(seed(), Raised(), plan(policy, {**DUTY, PRIMARY: ()}), NIGHT)
    assert reasons(outcome) == ["nobody on duty"]
    assert done(outcome).next_step_at == at(2)
    assert kinds(_effects(outcome)) == ["raised", "nobody", "step"]


def test_a_person_without_a_contact_method_is_named() -> None:
    outcome = apply(seed(), Raised(), plan(duty={**DUTY, PRIMARY: (UNREACHABLE,)}), NIGHT)
    assert reasons(outcome) == ["no contact method"]
    mixed = apply(seed(), Raised(), plan(duty={**DUTY, PRIMARY: (UNREACHABLE, MARA)}), NIGHT)
    [line] = [e for e in _effects(mixed) if isinstance(e, Entry) and e.kind is EntryKind.STEP]
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
    assert {page.user for page in pages(_effects(outcome))} == {MARA.id, JONAS.id}


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
    assert {page.user for page in pages(_effects(outcome))} == {MARA.id, JONAS.id}


def test_the_same_person_counts_once_by_whatever_name() -> None:
    alert = after(opened(**TWO), (0.5, Acknowledged(by(MARA))))
    renamed = Actor("Mara Ilves", MARA.id, Via.SOURCE)
    assert isinstance(apply(alert, Acknowledged(renamed), plan(), at(1)), Unchanged)


def test_a_responder_who_is_the_first_of_two_to_acknowledge_is_asked_no_more() -> None:
    alert = after(opened(**TWO), (0.5, RespondersAdded(by(MARA), (EVA,))))
    recorded = after(alert, (1, Acknowledged(by(EVA))))
    assert recorded.status is Status.OPEN
    assert recorded.responders == ()


def test_responders_stay_asked_when_the_alert_pages_again() -> None:
    asked = after(acknowledged(), (3, RespondersAdded(by(MARA), (EVA,))))
    again = after(asked, (4, Unacknowledged(by(MARA))))
    assert again.responders == (EVA.id,)
    assert EVA.id in {paged.user for paged in again.paged}


def test_a_responder_who_is_on_a_step_is_paged_once_and_until_they_answer() -> None:
    asked = after(opened(), (0.5, RespondersAdded(by(MARA), (ADA,))))
    outcome = apply(asked, EscalatedByHand(by(MARA)), plan(), at(1))
    assert shown(outcome).splitlines()[1:3] == ["take back ada", "page ada.phone 02:59 responder"]


def test_whoever_loses_the_alert_is_no_longer_asked_for_it() -> None:
    handed = after(acknowledged(), (3, Reassigned(by(MARA), (JONAS,), "Jonas")))
    assert handed.responders == (JONAS.id,)
    outcome = apply(handed, TakenOver(by(ADA)), plan(), at(4))
    assert done(outcome).responders == ()
    assert "take back jonas" in shown(outcome)
    expired = apply(handed, AcknowledgementExpired(at(241), 1), plan(), at(241))
    assert done(expired).responders == ()


def test_the_first_in_reach_becomes_owner_when_reassigned() -> None:
    change = Reassigned(by(MARA), (UNREACHABLE, JONAS), "network")
    outcome = apply(acknowledged(), change, plan(), at(3))
    assert done(outcome).owner == JONAS.id
    assert [sync.by.name for sync in syncs(_effects(outcome))] == ["Jonas"]


def test_who_was_first_is_told_truly_after_a_take_over_and_after_a_reassignment() -> None:
    taken = after(acknowledged(), (5, TakenOver(by(JONAS))))
    again = apply(taken, Acknowledged(by(ADA)), plan(), at(6))
    assert again == Unchanged("already acknowledged by Jonas at 02:03 UTC")
    handed = after(acknowledged(), (5, Reassigned(by(MARA), (JONAS,), "Jonas")))
    again = apply(handed, Acknowledged(by(ADA)), plan(), at(6))
    assert again == Unchanged("already acknowledged by Mara at 01:59 UTC")


def test_an_owner_known_only_by_name_can_be_followed_by_another() -> None:
    alert = after(opened(), (1, Acknowledged(Actor("x@example.org", via=Via.SOURCE))))
    alert = after(alert, (2, TakenOver(Actor("y@example.org", via=Via.SOURCE))))
    assert alert.owner is None
    assert alert.taken is not None
    assert alert.taken.name == "y@example.org"
    same = apply(alert, TakenOver(Actor("y@example.org", via=Via.SOURCE)), plan(), at(3))
    assert same == Unchanged("already owned by y@example.org")


def test_a_snooze_counts_as_the_answer_of_who_snoozes() -> None:
    alert = after(opened(**TWO), (0.5, Acknowledged(by(MARA))), (1, Snoozed(by(JONAS), at(60))))
    assert alert.owner == JONAS.id
    assert [answer.user for answer in alert.answers] == [MARA.id, JONAS.id]


def test_an_owner_who_does_not_react_when_it_becomes_urgent_loses_it() -> None:
    asked = after(acknowledged(**MEDIUM), (7, SeverityRaised(Severity.HIGH, Urgency.URGENT)))
    extended = after(asked, (8, Acknowledged(by(MARA))))
    assert not extended.awaiting_owner
    assert extended.next_step_at == at(8) + 4 * HOUR
    timer = due_change(asked)
    assert timer == AcknowledgementExpired(at(9), 1)
    assert "open, owner nobody" in shown(apply(asked, timer, plan(), at(9)))


def test_a_snoozed_alert_that_becomes_urgent_asks_its_owner_too() -> None:
    asleep = after(acknowledged(**MEDIUM), (2, Snoozed(by(MARA), at(120))))
    asked = after(asleep, (7, SeverityRaised(Severity.HIGH, Urgency.URGENT)))
    assert due_change(asked) == AcknowledgementExpired(at(9), 1)
    assert after(asked, (8, Acknowledged(by(MARA)))).next_step_at == at(120)


def test_an_owner_who_was_never_paged_is_told_by_their_first_rule() -> None:
    alert = after(opened(), (1, Acknowledged(by(JONAS, Via.WEB))))
    outcome = apply(alert, SeverityRaised(Severity.CRITICAL, Urgency.URGENT), plan(), at(2))
    assert [(page.user, page.method, page.purpose) for page in pages(_effects(outcome))] == [
        (JONAS.id, 21, Purpose.UPDATE)
    ]


def test_what_is_only_recorded_pages_when_somebody_escalates_it() -> None:
    recorded = opened(**INFO)
    assert recorded.next_step_at is None
    outcome = apply(recorded, EscalatedByHand(by(ADA)), plan(), at(1))
    assert done(outcome).next_step_at == at(3)
    assert {page.urgency for page in pages(_effects(outcome))} == {Urgency.NORMAL}


def test_escalating_past_the_last_step_begins_again() -> None:
    alert = replace(opened(), position=Position(1, 2), exhausted=True, next_step_at=None)
    again = after(alert, (40, EscalatedByHand(by(MARA))))
    assert (again.episode, again.position, again.exhausted) == (2, Position(0, 0), False)


def test_news_goes_only_to_methods_that_were_really_paged() -> None:
    quick = apply(acknowledged(), Closed(by(JONAS)), plan(), at(60))  # Mara's mail was due at 03:00
    assert [(page.user, page.method) for page in pages(_effects(quick))] == [(MARA.id, 11)]
    slow = apply(after(opened(), (3, Acknowledged(by(JONAS)))), Closed(by(JONAS)), plan(), at(60))
    assert {(page.user, page.method) for page in pages(_effects(slow))} == {
        (MARA.id, 11),
        (MARA.id, 12),
    }


def test_admins_are_told_beside_what_is_still_repeated() -> None:
    policy = Policy((Step((PRIMARY,), MINUTE),))
    alert = opened()
    ringing = plan(policy, {PRIMARY: (ADA, MARA)})
    alert = done(apply(seed(), Raised(), ringing, NIGHT))
    outcome = apply(alert, StepTimedOut(at(1), 1, Position(0, 0)), ringing, at(1))
    assert shown(outcome).splitlines() == [
        "open, owner nobody, timer never, nobody answered",
        "page ada.phone 02:59 escalation",
        "timeline nobody_answered",
    ]


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


def test_a_clock_that_was_set_back_does_not_make_an_alert_younger() -> None:
    alert = after(acknowledged(), (-120, SeenAgain(3)))
    assert alert.updated_at == at(1)
    assert alert.seen_count == 4


def test_a_lower_severity_is_recorded_and_a_higher_one_waits_for_its_own_change() -> None:
    alert = opened()
    lower = apply(alert, DetailsUpdated(severity=Severity.LOW), plan(), at(1))
    assert done(lower).severity is Severity.LOW
    assert done(lower).urgency is Urgency.URGENT
    assert isinstance(
        apply(alert, DetailsUpdated(severity=Severity.CRITICAL), plan(), at(1)), Unchanged
    )


@pytest.mark.parametrize("alert", [opened(), acknowledged(), closed()], ids=lambda a: a.status)
def test_details_are_added_and_pages_nobody(alert: object) -> None:
    assert isinstance(alert, type(opened()))
    change = DetailsUpdated(details={"ip": "192.0.2.1"}, url="https://example.org/1")
    outcome = apply(alert, change, plan(), at(9))
    assert done(outcome).details == {"ip": "192.0.2.1"}
    assert done(outcome).source.url == "https://example.org/1"
    assert _effects(outcome) == ()
    assert isinstance(apply(done(outcome), change, plan(), at(9)), Unchanged)


def test_subscribers_hear_of_what_people_did() -> None:
    outcome = apply(opened(), Acknowledged(by(MARA)), plan(), at(1))
    heard = [effect for effect in _effects(outcome) if isinstance(effect, Publish)]
    assert heard == [Publish(EntryKind.ACKNOWLEDGED, by(MARA))]
    assert not any(isinstance(effect, Notify) for effect in heard)


def test_a_portal_without_a_name_owns_it_for_nobody_here() -> None:
    alert = after(opened(), (1, Acknowledged(PORTAL)))
    assert (alert.status, alert.owner) == (Status.ACKNOWLEDGED, None)
    assert isinstance(apply(alert, Acknowledged(PORTAL), plan(), at(2)), Unchanged)


def _effects(outcome: object) -> tuple[object, ...]:
    assert isinstance(outcome, Changed)
    return outcome.effects
