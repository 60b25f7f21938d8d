"""How people take an alert, give it back and put it off."""

from datetime import datetime

from tocsin.core.alert.altering import altered
from tocsin.core.alert.handing import again
from tocsin.core.alert.model import Alert
from tocsin.core.alert.outcome import Changed, Outcome, Refused, Unchanged
from tocsin.core.alert.stepping import end_asking, withdraw
from tocsin.core.alert.telling import (
    answered,
    closed_already,
    entry,
    has_answered,
    is_owner,
    sync,
    tell,
    update,
    with_expiry,
)
from tocsin.core.changes import (
    Acknowledged,
    AcknowledgementExtended,
    ResponderAnswered,
    Snoozed,
    TakenOver,
    Unacknowledged,
)
from tocsin.core.effects import Effect, EntryKind, Purpose, Wake
from tocsin.core.escalation import EscalationPlan
from tocsin.core.kinds import Actor, Status
from tocsin.core.notation import utc_text
from tocsin.core.reconcile import IntentKind


def acknowledge(alert: Alert, change: Acknowledged, plan: EscalationPlan, now: datetime) -> Outcome:
    """Open: taken, or one of several who must. Acknowledged: told who was first."""
    match alert.status:
        case Status.CLOSED:
            return closed_already(alert)
        case Status.ACKNOWLEDGED:
            return _acknowledge_again(alert, change, plan, now)
        case Status.OPEN:
            return _take(alert, change.by, change.comment, plan, now)


def take_over(alert: Alert, change: TakenOver, plan: EscalationPlan, now: datetime) -> Outcome:
    """As acknowledge; of an acknowledged alert the owner changes, and both are told."""
    if alert.status is Status.CLOSED:
        return closed_already(alert)
    if alert.status is Status.OPEN:
        return _take(alert, change.by, change.comment, plan, now)
    if is_owner(alert, change.by):
        return Unchanged(f"already owned by {change.by.name}")
    both = (alert.owner, change.by.user)
    freed, ended = end_asking(alert, now, both)
    answers = (*alert.answers, answered(change.by, now))
    owned = altered(freed, owner=change.by.user, answers=answers, awaiting_owner=False)
    taken = with_expiry(owned, plan, now)
    return Changed(
        taken,
        (
            *ended,
            entry(EntryKind.TAKEN_OVER, change.by, change.comment),
            *update(taken, plan, now, both),
            Wake(taken.next_step_at),
            *sync(alert, IntentKind.ACKNOWLEDGED, change.by, change.comment),
        ),
    )


def snooze(alert: Alert, change: Snoozed, now: datetime) -> Outcome:
    """Acknowledged by the actor until a time in the future; unchanged where it is the same time."""
    if alert.status is Status.CLOSED:
        return closed_already(alert)
    if change.until <= now:
        return Refused("a snooze must end in the future")
    being_paged = alert.awaiting_owner or change.by.user in alert.responders
    if alert.snoozed_until == change.until and not being_paged:
        return Unchanged(f"already snoozed until {utc_text(change.until)}")
    freed, ended = end_asking(alert, now, {change.by.user})
    quiet, withdrawn = withdraw(freed, now)
    if alert.status is Status.OPEN:
        own = () if has_answered(alert, change.by) else (answered(change.by, now),)
        quiet = altered(quiet, owner=change.by.user, answers=(*alert.answers, *own))
    snoozed = altered(
        quiet,
        status=Status.ACKNOWLEDGED,
        snoozed_until=change.until,
        next_step_at=change.until,
        expires_at=None,
        awaiting_owner=False,
        exhausted=False,
        held=False,
    )
    effects: list[Effect] = [
        *withdrawn,
        *ended,
        entry(EntryKind.SNOOZED, change.by, change.comment, until=utc_text(change.until)),
        Wake(change.until),
    ]
    if alert.status is Status.OPEN:
        effects += tell(snoozed, now, Purpose.ACKNOWLEDGED, without=change.by.user)
        effects += sync(alert, IntentKind.ACKNOWLEDGED, change.by, change.comment)
    return Changed(snoozed, tuple(effects))


def unacknowledge(
    alert: Alert, change: Unacknowledged, plan: EscalationPlan, now: datetime
) -> Outcome:
    """Given back: open from the first step, the former owner included."""
    if alert.status is not Status.ACKNOWLEDGED:
        return Unchanged(f"not acknowledged, but {alert.status}")
    line = entry(EntryKind.UNACKNOWLEDGED, change.by, change.comment)
    note = f"Un-acknowledged in Tocsin: {change.comment or 'given back, people are paged again'}"
    return again(alert, plan, now, line, sync(alert, IntentKind.NOTE, change.by, note))


def responder_answered(
    alert: Alert, change: ResponderAnswered, plan: EscalationPlan, now: datetime
) -> Outcome:
    """Open: as acknowledge. Else recorded, and their pages end."""
    if alert.status is Status.OPEN:
        return _take(alert, change.by, change.comment, plan, now)
    freed, ended = end_asking(alert, now, {change.by.user})
    return Changed(freed, (*ended, entry(EntryKind.RESPONDER_ANSWERED, change.by, change.comment)))


def extend(
    alert: Alert, change: AcknowledgementExtended, plan: EscalationPlan, now: datetime
) -> Outcome:
    """The owner is still on it: the timeout starts anew."""
    if alert.status is not Status.ACKNOWLEDGED:
        return Unchanged(f"not acknowledged, but {alert.status}")
    if not is_owner(alert, change.by):
        return Refused("only its owner can extend an acknowledgement")
    freed, ended = end_asking(alert, now, {change.by.user})
    extended = with_expiry(altered(freed, awaiting_owner=False), plan, now)
    line = entry(EntryKind.EXTENDED, change.by)
    return Changed(extended, (*ended, line, Wake(extended.next_step_at)))


def _acknowledge_again(
    alert: Alert, change: Acknowledged, plan: EscalationPlan, now: datetime
) -> Outcome:
    by = change.by
    if alert.awaiting_owner and is_owner(alert, by):
        return extend(alert, AcknowledgementExtended(by), plan, now)
    if by.user in alert.responders:
        return responder_answered(alert, ResponderAnswered(by, change.comment), plan, now)
    if is_owner(alert, by):
        return Unchanged(f"already acknowledged by {by.name}")
    if alert.acknowledgements_required > 1 and not has_answered(alert, by):
        recorded = altered(alert, answers=(*alert.answers, answered(by, now)))
        return Changed(recorded, (entry(EntryKind.ACKNOWLEDGED, by, change.comment),))
    taken = alert.taken
    whose = f" by {taken.name} at {taken.at:%H:%M} UTC" if taken else ""
    return Unchanged(f"already acknowledged{whose}")


def _take(
    alert: Alert, by: Actor, comment: str | None, plan: EscalationPlan, now: datetime
) -> Outcome:
    if has_answered(alert, by):
        return Unchanged(f"already acknowledged by {by.name}; waiting for others")
    answers = (*alert.answers, answered(by, now))
    line = entry(EntryKind.ACKNOWLEDGED, by, comment)
    freed, ended = end_asking(alert, now, {by.user})
    if len(answers) < alert.acknowledgements_required:
        mine: tuple[Effect, ...] = ()
        if by.user is not None:
            freed, mine = withdraw(freed, now, (by.user,))
        return Changed(altered(freed, answers=answers), (*ended, *mine, line))
    quiet, withdrawn = withdraw(freed, now)
    owned = altered(
        quiet,
        status=Status.ACKNOWLEDGED,
        answers=answers,
        owner=next((answer.user for answer in answers if answer.user is not None), None),
        exhausted=False,
        held=False,
    )
    taken = with_expiry(owned, plan, now)
    return Changed(
        taken,
        (
            *withdrawn,
            *ended,
            line,
            *tell(taken, now, Purpose.ACKNOWLEDGED, without=by.user),
            Wake(taken.next_step_at),
            *sync(alert, IntentKind.ACKNOWLEDGED, by, comment),
        ),
    )
