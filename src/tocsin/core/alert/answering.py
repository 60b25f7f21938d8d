"""How people take an alert, give it back and put it off."""

from dataclasses import replace
from datetime import datetime

from tocsin.core.alert.handing import again
from tocsin.core.alert.model import Alert
from tocsin.core.alert.outcome import Changed, Outcome, Refused, Unchanged
from tocsin.core.alert.telling import (
    answered,
    closed_already,
    entry,
    expiry,
    has_answered,
    is_owner,
    owner_name,
    sync,
    tell,
)
from tocsin.core.changes import (
    Acknowledged,
    AcknowledgementExtended,
    ResponderAnswered,
    Snoozed,
    TakenOver,
    Unacknowledged,
)
from tocsin.core.effects import Effect, EntryKind, Purpose, Wake, Withdraw
from tocsin.core.escalation import EscalationPlan
from tocsin.core.kinds import Actor, Status
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
    taken = replace(
        alert,
        owner=change.by.user,
        answers=(*alert.answers, answered(change.by, now)),
        awaiting_owner=False,
        next_step_at=alert.snoozed_until or expiry(plan, now),
    )
    both = {user for user in (alert.owner, change.by.user) if user is not None}
    return Changed(
        taken,
        (
            entry(EntryKind.TAKEN_OVER, change.by, change.comment),
            *tell(alert, now, Purpose.UPDATE, only=both),
            Wake(taken.next_step_at),
            *sync(alert, IntentKind.ACKNOWLEDGED, change.by, change.comment),
        ),
    )


def snooze(alert: Alert, change: Snoozed, now: datetime) -> Outcome:
    """Acknowledged by the actor until a time in the future."""
    if alert.status is Status.CLOSED:
        return closed_already(alert)
    if change.until <= now:
        return Refused("a snooze must end in the future")
    snoozed = replace(
        alert,
        status=Status.ACKNOWLEDGED,
        owner=alert.owner if alert.status is Status.ACKNOWLEDGED else change.by.user,
        answers=alert.answers or (answered(change.by, now),),
        snoozed_until=change.until,
        next_step_at=change.until,
        awaiting_owner=False,
        exhausted=False,
    )
    effects: list[Effect] = [
        Withdraw(),
        entry(EntryKind.SNOOZED, change.by, change.comment, until=change.until.isoformat()),
        Wake(change.until),
    ]
    if alert.status is Status.OPEN:
        effects += tell(alert, now, Purpose.ACKNOWLEDGED, without=change.by.user)
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
    user = change.by.user
    answered = replace(alert, responders=tuple(r for r in alert.responders if r != user))
    effects: list[Effect] = [entry(EntryKind.RESPONDER_ANSWERED, change.by, change.comment)]
    if user is not None:
        effects.append(Withdraw(users=(user,), responders=True))
    return Changed(answered, tuple(effects))


def extend(
    alert: Alert, change: AcknowledgementExtended, plan: EscalationPlan, now: datetime
) -> Outcome:
    """The owner is still on it: the timeout starts anew."""
    if alert.status is not Status.ACKNOWLEDGED:
        return Unchanged(f"not acknowledged, but {alert.status}")
    if not is_owner(alert, change.by):
        return Refused(f"only the owner can extend it; {owner_name(alert)} owns it")
    extended = replace(
        alert, awaiting_owner=False, next_step_at=alert.snoozed_until or expiry(plan, now)
    )
    return Changed(extended, (entry(EntryKind.EXTENDED, change.by), Wake(extended.next_step_at)))


def _acknowledge_again(
    alert: Alert, change: Acknowledged, plan: EscalationPlan, now: datetime
) -> Outcome:
    by = change.by
    if by.user is not None and by.user in alert.responders:
        return responder_answered(alert, ResponderAnswered(by, change.comment), plan, now)
    if is_owner(alert, by):
        if alert.awaiting_owner:
            return extend(alert, AcknowledgementExtended(by), plan, now)
        return Unchanged(f"already acknowledged by {by.name}")
    if alert.acknowledgements_required > 1 and not has_answered(alert, by):
        recorded = replace(alert, answers=(*alert.answers, answered(by, now)))
        return Changed(recorded, (entry(EntryKind.ACKNOWLEDGED, by, change.comment),))
    first = alert.answers[0] if alert.answers else None
    when = f" at {first.at:%H:%M} UTC" if first else ""
    return Unchanged(f"already acknowledged by {owner_name(alert)}{when}")


def _take(
    alert: Alert, by: Actor, comment: str | None, plan: EscalationPlan, now: datetime
) -> Outcome:
    if has_answered(alert, by):
        return Unchanged(f"already acknowledged by {by.name}; waiting for others")
    answers = (*alert.answers, answered(by, now))
    line = entry(EntryKind.ACKNOWLEDGED, by, comment)
    if len(answers) < alert.acknowledgements_required:
        mine = (Withdraw(users=(by.user,), responders=True),) if by.user is not None else ()
        return Changed(replace(alert, answers=answers), (line, *mine))
    taken = replace(
        alert,
        status=Status.ACKNOWLEDGED,
        answers=answers,
        owner=next((answer.user for answer in answers if answer.user is not None), None),
        next_step_at=expiry(plan, now),
        exhausted=False,
        responders=tuple(user for user in alert.responders if user != by.user),
    )
    mine = (Withdraw(users=(by.user,), responders=True),) if by.user in alert.responders else ()
    return Changed(
        taken,
        (
            Withdraw(),
            *mine,
            line,
            *tell(alert, now, Purpose.ACKNOWLEDGED, without=by.user),
            Wake(taken.next_step_at),
            *sync(alert, IntentKind.ACKNOWLEDGED, by, comment),
        ),
    )
