"""What an alert's one timer means when it fires."""

from datetime import datetime

from tocsin.core.alert.handing import again
from tocsin.core.alert.model import Alert
from tocsin.core.alert.outcome import Changed, Outcome, Unchanged
from tocsin.core.alert.stepping import start_step
from tocsin.core.alert.telling import entry, sync
from tocsin.core.changes import AcknowledgementExpired, SnoozeEnded, StepTimedOut
from tocsin.core.effects import EntryKind
from tocsin.core.escalation import EscalationPlan, following
from tocsin.core.kinds import SYSTEM, Status
from tocsin.core.reconcile import IntentKind

Timer = StepTimedOut | AcknowledgementExpired | SnoozeEnded


def due_change(alert: Alert) -> Timer | None:
    """The change that the alert's timer stands for, None when it has none."""
    due = alert.next_step_at
    if due is None or alert.status is Status.CLOSED:
        return None
    if alert.status is Status.OPEN:
        return StepTimedOut(due)
    return SnoozeEnded(due) if alert.snoozed_until == due else AcknowledgementExpired(due)


def step_timed_out(
    alert: Alert, change: StepTimedOut, plan: EscalationPlan, now: datetime
) -> Outcome:
    """The next step, or nobody answered."""
    stale = _stale(alert, change, now)
    if stale is not None or alert.position is None:
        return stale or Unchanged("not escalating")
    moved, effects = start_step(alert, plan, following(alert.position, plan.policy), now)
    return Changed(moved, effects)


def acknowledgement_expired(
    alert: Alert, change: AcknowledgementExpired, plan: EscalationPlan, now: datetime
) -> Outcome:
    """Open from the first step; the source hears of it in a comment and keeps status and owner."""
    stale = _stale(alert, change, now)
    if stale is not None:
        return stale
    note = "The acknowledgement in Tocsin expired; people are paged again"
    line = entry(EntryKind.ACKNOWLEDGEMENT_EXPIRED, SYSTEM)
    return again(alert, plan, now, line, sync(alert, IntentKind.NOTE, SYSTEM, note))


def snooze_ended(alert: Alert, change: SnoozeEnded, plan: EscalationPlan, now: datetime) -> Outcome:
    """Open from the first step; the source hears of it in a comment."""
    stale = _stale(alert, change, now)
    if stale is not None:
        return stale
    note = "The snooze in Tocsin ended; people are paged again"
    line = entry(EntryKind.SNOOZE_ENDED, SYSTEM)
    return again(alert, plan, now, line, sync(alert, IntentKind.NOTE, SYSTEM, note))


def _stale(alert: Alert, change: Timer, now: datetime) -> Unchanged | None:
    if change != due_change(alert):
        return Unchanged("the alert has left what this timer was set for")
    return Unchanged("not due yet") if change.due > now else None
