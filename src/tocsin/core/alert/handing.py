"""How an alert is handed on and ended."""

from dataclasses import replace
from datetime import datetime

from tocsin.core.alert.model import Alert, Closure
from tocsin.core.alert.outcome import Changed, Outcome, Refused, Unchanged
from tocsin.core.alert.stepping import begin, page, reachable, start_step
from tocsin.core.alert.telling import closed_already, closed_by, entry, sync, tell
from tocsin.core.changes import Closed, EscalatedByHand, Reassigned, Reopened, RespondersAdded
from tocsin.core.effects import Effect, Entry, EntryKind, Purpose, Wake, Withdraw
from tocsin.core.escalation import EscalationPlan, following
from tocsin.core.kinds import Actor, Status
from tocsin.core.reconcile import IntentKind


def escalate(alert: Alert, change: EscalatedByHand, plan: EscalationPlan, now: datetime) -> Outcome:
    """The next step now; after the last one, the first."""
    if alert.status is Status.CLOSED:
        return closed_already(alert)
    at = following(alert.position, plan.policy) if alert.position is not None else None
    line = entry(EntryKind.ESCALATED, change.by, change.comment)
    if alert.status is Status.OPEN and at is not None:
        moved, effects = start_step(replace(alert, suppressed=None), plan, at, now)
    else:
        moved, effects = begin(replace(alert, suppressed=None), plan, now, at)
    return Changed(moved, (line, *effects))


def reassign(alert: Alert, change: Reassigned, now: datetime) -> Outcome:
    """Open: these people are paged beside the step. Acknowledged: the first of them owns it."""
    if alert.status is Status.CLOSED:
        return closed_already(alert)
    due = reachable(change.people, alert, now)
    if not due:
        return Refused(f"{change.to} cannot be reached: nobody on duty, or no contact method")
    line = entry(EntryKind.REASSIGNED, change.by, change.comment, to=change.to)
    if alert.status is Status.OPEN:
        paged, effects = page(alert, due, Purpose.ESCALATION)
        return Changed(paged, (line, *effects))
    owner = change.people[0]
    handed = replace(
        alert,
        owner=owner.id,
        responders=tuple(dict.fromkeys((*alert.responders, *(p.id for p in change.people)))),
    )
    paged, effects = page(handed, due, Purpose.RESPONDER)
    new_owner = Actor(owner.name, owner.id, change.by.via)
    return Changed(
        paged, (line, *effects, *sync(alert, IntentKind.ACKNOWLEDGED, new_owner, change.comment))
    )


def add_responders(alert: Alert, change: RespondersAdded, now: datetime) -> Outcome:
    """These people are paged until they answer; state and owner stay."""
    if alert.status is Status.CLOSED:
        return closed_already(alert)
    due = reachable(change.people, alert, now)
    if not due:
        return Refused("none of them can be reached: nobody on duty, or no contact method")
    asked = tuple(dict.fromkeys((*alert.responders, *(person.id for person in change.people))))
    paged, effects = page(replace(alert, responders=asked), due, Purpose.RESPONDER)
    names = [person.name for person in change.people]
    line = entry(EntryKind.RESPONDERS_ADDED, change.by, change.comment, people=names)
    return Changed(paged, (line, *effects))


def close(
    alert: Alert, change: Closed, now: datetime, kind: EntryKind = EntryKind.CLOSED
) -> Outcome:
    """It is over: nobody is paged any more, those who were are told."""
    if alert.status is Status.CLOSED:
        return Unchanged(closed_by(alert))
    by = change.by
    closed = replace(
        alert,
        status=Status.CLOSED,
        closure=Closure(by.name, by.user, now, by.via, change.classification),
        next_step_at=None,
        snoozed_until=None,
        awaiting_owner=False,
        responders=(),
    )
    return Changed(
        closed,
        (
            Withdraw(responders=True),
            entry(kind, by, change.comment, classification=change.classification),
            *tell(alert, now, Purpose.RESOLVED, without=by.user),
            Wake(None),
            *sync(alert, IntentKind.CLOSED, by, change.comment, change.classification),
        ),
    )


def again(
    alert: Alert, plan: EscalationPlan, now: datetime, line: Entry, more: tuple[Effect, ...] = ()
) -> Changed:
    """Open from the first step, after `line`."""
    opened, effects = begin(alert, plan, now)
    return Changed(opened, (line, *effects, *more))


def reopen(alert: Alert, change: Reopened, plan: EscalationPlan, now: datetime) -> Outcome:
    """Closed: open from the first step, for those on duty now. Else nothing to do."""
    if alert.status is not Status.CLOSED:
        return Unchanged(f"not closed, but {alert.status}")
    line = entry(EntryKind.REOPENED, change.by, change.comment)
    note = f"Reopened in Tocsin{f': {change.comment}' if change.comment else ''}"
    return again(alert, plan, now, line, sync(alert, IntentKind.NOTE, change.by, note))
