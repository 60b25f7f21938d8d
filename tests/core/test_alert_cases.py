"""Cases beside the table: several answers, owners known only by name, clocks set back."""

import pytest

from tests.core.stories import (
    ADA,
    EVA,
    HOUR,
    JONAS,
    MARA,
    PORTAL,
    UNREACHABLE,
    acknowledged,
    after,
    at,
    by,
    closed,
    done,
    effects,
    opened,
    pages,
    plan,
    shown,
    syncs,
)
from tocsin.core.alert import Alert, Unchanged, apply, due_change
from tocsin.core.changes import (
    Acknowledged,
    AcknowledgementExpired,
    AcknowledgementExpiring,
    DetailsUpdated,
    EscalatedByHand,
    Reassigned,
    RespondersAdded,
    SeenAgain,
    SeverityRaised,
    Snoozed,
    TakenOver,
    Unacknowledged,
)
from tocsin.core.effects import EntryKind, Publish, Purpose
from tocsin.core.kinds import Actor, Mode, Severity, Status, Urgency, Via

EMERGENCY: dict[str, object] = {"mode": Mode.EMERGENCY}
TWO: dict[str, object] = {"mode": Mode.MULTI, "acknowledgements_required": 2}
MEDIUM: dict[str, object] = {"severity": Severity.MEDIUM, "urgency": Urgency.NORMAL}
INFO: dict[str, object] = {"severity": Severity.INFO, "urgency": Urgency.RECORD}


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
    asked = after(handed, (231, AcknowledgementExpiring(at(231), 1)))
    expired = apply(asked, AcknowledgementExpired(at(241), 1), plan(), at(241))
    assert done(expired).responders == ()


def test_the_first_in_reach_becomes_owner_when_reassigned() -> None:
    change = Reassigned(by(MARA), (UNREACHABLE, JONAS), "network")
    outcome = apply(acknowledged(), change, plan(), at(3))
    assert done(outcome).owner == JONAS.id
    assert [sync.by.name for sync in syncs(effects(outcome))] == ["Jonas"]


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
    assert extended.expires_at == at(8) + 4 * HOUR
    timer = AcknowledgementExpired(at(9), 1)
    assert due_change(asked) == timer
    assert "open, owner nobody" in shown(apply(asked, timer, plan(), at(9)))


def test_the_wait_for_an_owner_makes_no_acknowledgement_longer() -> None:
    urgent = SeverityRaised(Severity.HIGH, Urgency.URGENT)
    assert after(acknowledged(**MEDIUM), (240, urgent)).next_step_at == at(241)


def test_a_snoozed_alert_that_becomes_urgent_asks_its_owner_too() -> None:
    asleep = after(acknowledged(**MEDIUM), (2, Snoozed(by(MARA), at(120))))
    asked = after(asleep, (7, SeverityRaised(Severity.HIGH, Urgency.URGENT)))
    assert due_change(asked) == AcknowledgementExpired(at(9), 1)
    assert after(asked, (8, Acknowledged(by(MARA)))).next_step_at == at(120)


def test_an_owner_who_was_never_paged_is_told_by_their_first_rule() -> None:
    alert = after(opened(), (1, Acknowledged(by(JONAS, Via.WEB))))
    outcome = apply(alert, SeverityRaised(Severity.CRITICAL, Urgency.URGENT), plan(), at(2))
    assert [(page.user, page.method, page.purpose) for page in pages(effects(outcome))] == [
        (JONAS.id, 21, Purpose.UPDATE)
    ]


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
def test_new_details_page_nobody(alert: Alert) -> None:
    change = DetailsUpdated(details={"ip": "192.0.2.1"}, url="https://example.org/1")
    outcome = apply(alert, change, plan(), at(9))
    assert done(outcome).details == {"ip": "192.0.2.1"}
    assert done(outcome).source.url == "https://example.org/1"
    assert effects(outcome) == ()
    assert isinstance(apply(done(outcome), change, plan(), at(9)), Unchanged)


def test_subscribers_hear_of_what_people_did() -> None:
    outcome = apply(opened(), Acknowledged(by(MARA)), plan(), at(1))
    heard = [effect for effect in effects(outcome) if isinstance(effect, Publish)]
    assert heard == [Publish(EntryKind.ACKNOWLEDGED, by(MARA))]


def test_a_portal_without_a_name_owns_it_for_nobody_here() -> None:
    alert = after(opened(), (1, Acknowledged(PORTAL)))
    assert (alert.status, alert.owner) == (Status.ACKNOWLEDGED, None)
    assert isinstance(apply(alert, Acknowledged(PORTAL), plan(), at(2)), Unchanged)


def test_an_owner_is_asked_before_the_acknowledgement_expires_and_not_after_an_outage() -> None:
    alert = acknowledged()
    timer = due_change(alert)
    assert isinstance(timer, AcknowledgementExpiring)
    assert timer == AcknowledgementExpiring(at(231), 1)
    asked = apply(alert, timer, plan(), at(231))
    assert [page.purpose for page in pages(effects(asked))] == [Purpose.STILL_ON_IT]
    assert due_change(done(asked)) == AcknowledgementExpired(at(241), 1)
    late = apply(alert, timer, plan(), at(241))
    assert "open, owner nobody" in shown(late)
    assert Purpose.STILL_ON_IT not in {page.purpose for page in pages(effects(late))}
