"""How an alert is handed on and ended."""

from dataclasses import replace
from datetime import datetime

from tocsin.core.alert.altering import altered
from tocsin.core.alert.model import Alert, Closure
from tocsin.core.alert.outcome import Changed, Outcome, Refused, Unchanged
from tocsin.core.alert.stepping import (
    begin,
    end_asking,
    names,
    page,
    reachable,
    start_step,
    withdraw,
)
from tocsin.core.alert.telling import closed_already, closed_by, entry, sync, tell, update
from tocsin.core.changes import (
    Closed,
    EscalatedByHand,
    MergedInto,
    OwnerLeft,
    Reassigned,
    Reopened,
    RespondersAdded,
)
from tocsin.core.effects import Effect, Entry, EntryKind, Purpose, Wake
from tocsin.core.escalation import FIRST, EscalationPlan, following
from tocsin.core.kinds import SYSTEM, Actor, Status
from tocsin.core.reconcile import IntentKind
from tocsin.core.rules import Page


def escalate(alert: Alert, change: EscalatedByHand, plan: EscalationPlan, now: datetime) -> Outcome:
    """The next step now; after the last one, and to restart it, the first."""
    if alert.status is Status.CLOSED:
        return closed_already(alert)
    at = following(alert.position, plan.policy) if alert.position is not None else None
    line = entry(EntryKind.ESCALATED, change.by, change.comment)
    # Whoever escalates wants people paged: no reason not to page outlives that.
    loud = altered(alert, suppressed=None, suppressed_until=None, urgency=alert.message_urgency)
    if alert.status is Status.OPEN and at is not None and not change.restart:
        moved, effects = start_step(loud, plan, at, now)
    else:
        moved, effects = begin(loud, plan, now, FIRST if change.restart else at or FIRST)
    return Changed(moved, (line, *effects))


def offer(alert: Alert, change: OwnerLeft, plan: EscalationPlan, now: datetime) -> Outcome:
    """One message to those who may take it over from its owner; state and owner stay."""
    if alert.status is not Status.ACKNOWLEDGED or alert.owner != change.owner:
        return Unchanged("not acknowledged by them any more")
    people = [name for user, name in change.to.items() if user != change.owner]
    line = entry(EntryKind.OFFERED, SYSTEM, owner=change.name, to=people)
    others = (user for user in change.to if user != change.owner)
    return Changed(alert, (line, *update(alert, plan, now, others, Purpose.OFFERED)))


def reassign(alert: Alert, change: Reassigned, now: datetime) -> Outcome:
    """Open: these people are paged beside the step. Acknowledged: the first in reach owns it.

    Unchanged where they are paged by hand already, or where the owner would stay the same.
    """
    if alert.status is Status.CLOSED:
        return closed_already(alert)
    due = reachable(change.people, alert, now)
    if not due:
        return Refused(f"{change.to} cannot be reached: nobody on duty, or no contact method")
    line = entry(EntryKind.REASSIGNED, change.by, change.comment, to=change.to)
    if alert.status is Status.OPEN:
        if _all_asked(alert, due):
            return Unchanged(f"already given to {change.to}, who is being paged")
        # A suppressed alert pages nobody by its steps, so they are asked as responders are.
        paged, effects = page(alert if alert.suppressed is None else _asked(alert, due), due, now)
        return Changed(_given(paged, due), (line, *effects))
    owner = next(person for person in change.people if person.id == due[0].user)
    if alert.owner == owner.id:
        return Unchanged(f"already owned by {owner.name}")
    freed, ended = end_asking(alert, now, {alert.owner})
    paged, effects = page(altered(_asked(freed, due), owner=owner.id), due, now)
    new_owner = Actor(owner.name, owner.id, change.by.via)
    told = sync(alert, IntentKind.ACKNOWLEDGED, new_owner, change.comment)
    return Changed(paged, (line, *ended, *effects, *told))


def add_responders(alert: Alert, change: RespondersAdded, now: datetime) -> Outcome:
    """These people are paged until they answer; state and owner stay.

    Unchanged where all of them are asked already and have not answered.
    """
    if alert.status is Status.CLOSED:
        return closed_already(alert)
    due = reachable(change.people, alert, now)
    if not due:
        return Refused("none of them can be reached: nobody on duty, or no contact method")
    if {item.user for item in due} <= set(alert.responders):
        return Unchanged("asked already, and being paged")
    paged, effects = page(_asked(alert, due), due, now)
    who = names(change.people, due)
    line = entry(EntryKind.RESPONDERS_ADDED, change.by, change.comment, **who)
    return Changed(paged, (line, *effects))


def close(alert: Alert, change: Closed, now: datetime) -> Outcome:
    """It is over: nobody is paged any more, those who were are told."""
    return _end(alert, change, now, EntryKind.CLOSED)


def merge(alert: Alert, change: MergedInto, now: datetime) -> Outcome:
    """It is over here, because it goes on as a part of another."""
    ending = Closed(change.by, comment=change.target, classification="merged")
    return _end(alert, ending, now, EntryKind.MERGED)


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
    told = sync(alert, IntentKind.REOPENED, change.by, change.comment)
    return again(alert, plan, now, line, told)


def _asked(alert: Alert, due: tuple[Page, ...]) -> Alert:
    """Those who are paged now, by hand, are paged until they answer."""
    users = (item.user for item in due)
    return altered(alert, responders=tuple(dict.fromkeys((*alert.responders, *users))))


def _given(alert: Alert, due: tuple[Page, ...]) -> Alert:
    """The open alert was given to those who are paged now."""
    users = {item.user for item in due}
    return altered(
        alert,
        paged=tuple(
            replace(known, by_hand=True) if known.user in users else known for known in alert.paged
        ),
    )


def _all_asked(alert: Alert, due: tuple[Page, ...]) -> bool:
    return {item.user for item in due} <= alert.asked


def _end(alert: Alert, change: Closed, now: datetime, kind: EntryKind) -> Outcome:
    if alert.status is Status.CLOSED:
        return Unchanged(closed_by(alert))
    by = change.by
    quiet, withdrawn = withdraw(alert, now, responders=True)
    closed = altered(
        quiet,
        status=Status.CLOSED,
        closure=Closure(by.name, by.user, now, by.via, change.classification),
        next_step_at=None,
        snoozed_until=None,
        expires_at=None,
        awaiting_owner=False,
        held=False,
        responders=(),
    )
    told = sync(alert, IntentKind.CLOSED, by, change.comment, change.classification)
    if change.automatic:  # no word of ours that the trouble at the source is over
        told = sync(alert, IntentKind.NOTE, by, f"{change.comment}; nothing was changed here")
    return Changed(
        closed,
        (
            *withdrawn,
            entry(kind, by, change.comment, classification=change.classification),
            *tell(closed, now, Purpose.RESOLVED, without=by.user),
            Wake(None),
            *told,
        ),
    )
