"""What an alert's one timer means when it fires."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from tocsin.core.alert.altering import altered
from tocsin.core.alert.handing import again
from tocsin.core.alert.model import Alert, Paged
from tocsin.core.alert.outcome import Changed, Outcome, Unchanged
from tocsin.core.alert.stepping import start_step
from tocsin.core.alert.telling import entry, sync, update
from tocsin.core.changes import (
    AcknowledgementExpired,
    AcknowledgementExpiring,
    ClockSetBack,
    SnoozeEnded,
    StepTimedOut,
    SuppressionEnded,
)
from tocsin.core.effects import EntryKind, Purpose, Wake
from tocsin.core.escalation import FIRST, EscalationPlan, following
from tocsin.core.kinds import SYSTEM, Status
from tocsin.core.notation import duration_text, utc_text
from tocsin.core.reconcile import IntentKind

Timer = StepTimedOut | AcknowledgementExpiring | AcknowledgementExpired | SnoozeEnded


def due_change(alert: Alert) -> Timer | SuppressionEnded | None:
    """The change that the alert's timer stands for, None when it has none."""
    due = alert.next_step_at
    if due is None or alert.status is Status.CLOSED:
        return None
    if alert.status is Status.OPEN:
        if alert.suppressed is not None:
            return SuppressionEnded(due=due)
        return StepTimedOut(due, alert.episode, alert.position)
    if due == alert.snoozed_until:
        return SnoozeEnded(due, alert.episode)
    if alert.expires_at is not None and due < alert.expires_at:
        return AcknowledgementExpiring(due, alert.episode)
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
        case AcknowledgementExpiring() if alert.expires_at is not None and now < alert.expires_at:
            return _ask_owner(alert, plan, now, alert.expires_at)
        case AcknowledgementExpiring() | AcknowledgementExpired():  # after an outage both at once
            kind, what = EntryKind.ACKNOWLEDGEMENT_EXPIRED, "acknowledgement in Tocsin expired"
        case SnoozeEnded():
            kind, what = EntryKind.SNOOZE_ENDED, "snooze in Tocsin ended"
        case _:
            assert_never(change)
    # At the source this is a comment; status and owner stay as they are there.
    note = sync(alert, IntentKind.NOTE, SYSTEM, f"The {what}; people are paged again")
    return again(alert, plan, now, entry(kind, SYSTEM), note)


def _ask_owner(alert: Alert, plan: EscalationPlan, now: datetime, until: datetime) -> Changed:
    """One message before the acknowledgement expires; acknowledging it again extends it."""
    asked = altered(alert, awaiting_owner=True, next_step_at=until)
    line = entry(EntryKind.OWNER_ASKED, SYSTEM, until=utc_text(until))
    message = update(alert, plan, now, (alert.owner,), Purpose.STILL_ON_IT)
    return Changed(asked, (line, *message, Wake(until)))


def clock_set_back(alert: Alert, change: ClockSetBack, now: datetime) -> Outcome:
    """What it waits for comes as if the clock had not been set; nothing where its times are past.

    What was written by the former clock after it was known to be set goes back by as much as it
    lies ahead. The end of a suppression stays: it follows the wall clock.
    """
    if alert.status is Status.CLOSED or alert.updated_at <= now:
        return Unchanged("its times are not ahead of the clock")

    by = max(change.by, alert.updated_at - now)

    def back(at: datetime | None) -> datetime | None:
        return None if at is None else at - by

    waits = alert.suppressed is None or alert.status is not Status.OPEN
    moved = altered(
        alert,
        updated_at=now,
        next_step_at=back(alert.next_step_at) if waits else alert.next_step_at,
        snoozed_until=back(alert.snoozed_until),
        expires_at=back(alert.expires_at),
        duty_at=back(alert.duty_at),
        paged=tuple(_earlier(paged, by) for paged in alert.paged),
    )
    line = entry(EntryKind.CLOCK_SET_BACK, SYSTEM, set_back=duration_text(by))
    at = moved.next_step_at
    return Changed(moved, (line,) if at is None else (line, Wake(at)))


def _earlier(paged: Paged, by: timedelta) -> Paged:
    again = None if paged.again_at is None else paged.again_at - by
    return replace(paged, due_at=paged.due_at - by, again_at=again)
