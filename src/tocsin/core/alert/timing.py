"""What an alert's one timer means when it fires."""

from datetime import datetime
from typing import assert_never

from tocsin.core.alert.handing import again
from tocsin.core.alert.model import Alert
from tocsin.core.alert.outcome import Changed, Outcome, Unchanged
from tocsin.core.alert.stepping import start_step
from tocsin.core.alert.telling import entry, sync
from tocsin.core.changes import AcknowledgementExpired, SnoozeEnded, StepTimedOut
from tocsin.core.effects import EntryKind
from tocsin.core.escalation import FIRST, EscalationPlan, following
from tocsin.core.kinds import SYSTEM, Status
from tocsin.core.reconcile import IntentKind

Timer = StepTimedOut | AcknowledgementExpired | SnoozeEnded


def due_change(alert: Alert) -> Timer | None:
    """The change that the alert's timer stands for, None when it has none."""
    due = alert.next_step_at
    if due is None or alert.status is Status.CLOSED:
        return None
    if alert.status is Status.OPEN:
        return StepTimedOut(due, alert.episode, alert.position)
    if due == alert.snoozed_until:
        return SnoozeEnded(due, alert.episode)
    return AcknowledgementExpired(due, alert.episode)


def timer_fired(alert: Alert, change: Timer, plan: EscalationPlan, now: datetime) -> Outcome:
    """The next step, or open again from the first; nothing when the timer is late or repeated."""
    if change != due_change(alert):
        return Unchanged("the alert has left what this timer was set for")
    if change.due > now:
        return Unchanged("not due yet")
    match change:
        case StepTimedOut(position=position):
            at = following(position, plan.policy) if position is not None else FIRST
            return Changed(*start_step(alert, plan, at, now))
        case AcknowledgementExpired():
            kind, what = EntryKind.ACKNOWLEDGEMENT_EXPIRED, "acknowledgement in Tocsin expired"
        case SnoozeEnded():
            kind, what = EntryKind.SNOOZE_ENDED, "snooze in Tocsin ended"
        case _:
            assert_never(change)
    # At the source this is a comment; status and owner stay as they are there.
    note = sync(alert, IntentKind.NOTE, SYSTEM, f"The {what}; people are paged again")
    return again(alert, plan, now, entry(kind, SYSTEM), note)
