"""What an alert is, and the only function that may change one."""

from datetime import datetime
from typing import assert_never

from tocsin.core.alert.altering import altered
from tocsin.core.alert.answering import (
    acknowledge,
    extend,
    responder_answered,
    snooze,
    take_over,
    unacknowledge,
)
from tocsin.core.alert.crew import duty_changed
from tocsin.core.alert.handing import (
    add_responders,
    close,
    escalate,
    merge,
    offer,
    reassign,
    reopen,
)
from tocsin.core.alert.knowing import (
    annotate,
    end_suppression,
    raise_severity,
    suppress,
    update_details,
)
from tocsin.core.alert.model import Alert, Answered, Closure, Leaving, Origin, Paged
from tocsin.core.alert.outcome import Changed, Outcome, Refused, Unchanged
from tocsin.core.alert.stepping import begin
from tocsin.core.alert.telling import entry
from tocsin.core.alert.timing import (
    clock_set_back,
    due_change,
    timer_fired,
)
from tocsin.core.changes import (
    Acknowledged,
    AcknowledgementExpired,
    AcknowledgementExpiring,
    AcknowledgementExtended,
    Annotated,
    Change,
    ClockSetBack,
    Closed,
    DetailsUpdated,
    DutyChanged,
    EscalatedByHand,
    MergedInto,
    OwnerLeft,
    Raised,
    Reassigned,
    Reopened,
    ResponderAnswered,
    RespondersAdded,
    SeenAgain,
    SeverityRaised,
    Snoozed,
    SnoozeEnded,
    StepTimedOut,
    Suppressed,
    SuppressionEnded,
    TakenOver,
    Unacknowledged,
)
from tocsin.core.effects import Entry, EntryKind, Publish
from tocsin.core.escalation import EscalationPlan
from tocsin.core.kinds import Status

__all__ = [
    "Alert",
    "Answered",
    "Changed",
    "Closure",
    "Leaving",
    "Origin",
    "Outcome",
    "Paged",
    "Refused",
    "Unchanged",
    "apply",
    "due_change",
]


def apply(alert: Alert, change: Change, plan: EscalationPlan, now: datetime) -> Outcome:
    """The alert after `change`, and what the world is asked to do; never raises.

    For `Raised` the alert is a seed with episode 0. A timer that fires late or twice names a step
    that the alert has left, and changes nothing.
    """
    outcome = _of_people(alert, change, plan, now)
    if not isinstance(outcome, Changed):
        return outcome
    told = tuple(
        Publish(effect.kind, effect.by)
        for effect in outcome.effects
        if isinstance(effect, Entry) and effect.kind in _PUBLISHED
    )
    at = max(now, outcome.alert.updated_at)  # a clock that was set back does not make it younger
    return Changed(altered(outcome.alert, updated_at=at), (*outcome.effects, *told))


def _of_people(alert: Alert, change: Change, plan: EscalationPlan, now: datetime) -> Outcome:
    match change:
        case Acknowledged():
            return acknowledge(alert, change, plan, now)
        case TakenOver():
            return take_over(alert, change, plan, now)
        case Unacknowledged():
            return unacknowledge(alert, change, plan, now)
        case Snoozed():
            return snooze(alert, change, now)
        case AcknowledgementExtended():
            return extend(alert, change, plan, now)
        case ResponderAnswered():
            return responder_answered(alert, change, plan, now)
        case EscalatedByHand():
            return escalate(alert, change, plan, now)
        case Reassigned():
            return reassign(alert, change, now)
        case RespondersAdded():
            return add_responders(alert, change, now)
        case Closed():
            return close(alert, change, now)
        case Reopened():
            return reopen(alert, change, plan, now)
        case OwnerLeft():
            return offer(alert, change, plan, now)
        case Annotated():
            return annotate(alert, change)
        case MergedInto():
            return merge(alert, change, now)
        case _:
            return _of_the_world(alert, change, plan, now)


def _of_the_world(
    alert: Alert,
    change: (
        Raised
        | SeenAgain
        | DetailsUpdated
        | SeverityRaised
        | StepTimedOut
        | AcknowledgementExpired
        | AcknowledgementExpiring
        | DutyChanged
        | ClockSetBack
        | SnoozeEnded
        | Suppressed
        | SuppressionEnded
    ),
    plan: EscalationPlan,
    now: datetime,
) -> Outcome:
    match change:
        case Raised():
            return _raised(alert, change, plan, now)
        case SeenAgain():
            return _seen_again(alert, change)
        case StepTimedOut() | AcknowledgementExpired() | AcknowledgementExpiring() | SnoozeEnded():
            return timer_fired(alert, change, plan, now)
        case DutyChanged():
            return duty_changed(alert, change, plan, now)
        case ClockSetBack():
            return clock_set_back(alert, change, now)
        case DetailsUpdated():
            return update_details(alert, change)
        case SeverityRaised():
            return raise_severity(alert, change, plan, now)
        case Suppressed():
            return suppress(alert, change, now)
        case SuppressionEnded():
            return end_suppression(alert, change, plan, now)
        case _:
            assert_never(change)


def _raised(alert: Alert, change: Raised, plan: EscalationPlan, now: datetime) -> Outcome:
    until = change.suppressed_until
    seed = altered(alert, suppressed=change.suppressed, suppressed_until=until)
    begun, effects = begin(seed, plan, now)
    entry_ = entry(EntryKind.RAISED, change.by, suppressed=change.suppressed)
    return Changed(begun, (entry_, *effects))


def _seen_again(alert: Alert, change: SeenAgain) -> Outcome:
    if alert.status is Status.CLOSED:
        return Refused("closed; the same key raises a new alert")
    return Changed(altered(alert, seen_count=alert.seen_count + change.times), ())


_PUBLISHED = frozenset(EntryKind) - {
    EntryKind.STEP,
    EntryKind.NOBODY,
    EntryKind.DETAILS,
    EntryKind.CLOCK_SET_BACK,
}
