"""The closed list of things that can happen to an alert."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tocsin.core.escalation import Position
from tocsin.core.kinds import SYSTEM, Actor, Severity, Urgency
from tocsin.core.rules import Person


@dataclass(frozen=True, slots=True)
class Raised:
    """A new alert; its seed is the alert itself, not yet escalating. `suppressed` says why not.

    `suppressed_until`: what is still open then pages (the end of a maintenance window).
    """

    by: Actor = SYSTEM
    suppressed: str | None = None
    suppressed_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SeenAgain:
    """The same key came again `times` times."""

    times: int = 1


@dataclass(frozen=True, slots=True)
class DetailsUpdated:
    """The source or sender shows other words; None leaves a field as it is."""

    title: str | None = None
    text: str | None = None
    severity: Severity | None = None
    url: str | None = None
    details: Mapping[str, object] = field(default_factory=dict[str, object])
    by: Actor = SYSTEM


@dataclass(frozen=True, slots=True)
class SeverityRaised:
    """It is worse than it was."""

    severity: Severity
    urgency: Urgency
    by: Actor = SYSTEM


@dataclass(frozen=True, slots=True)
class StepTimedOut:
    """The wait of a step is over; episode and position name the step for good."""

    due: datetime
    episode: int
    position: Position | None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Somebody takes it."""

    by: Actor
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class AcknowledgementExpired:
    """Acknowledged for too long without being closed; `due` and `episode` name the timer."""

    due: datetime
    episode: int


@dataclass(frozen=True, slots=True)
class AcknowledgementExpiring:
    """It expires soon: its owner is asked first; `due` and `episode` name the timer."""

    due: datetime
    episode: int


@dataclass(frozen=True, slots=True)
class DutyChanged:
    """Somebody came on duty or left it, was deactivated, or can be reached by other methods.

    `inactive` are people who are deactivated or removed, `names` all whom the alert has paged:
    what each is called, by id.
    """

    inactive: Mapping[int, str] = field(default_factory=dict[int, str])
    names: Mapping[int, str] = field(default_factory=dict[int, str])


@dataclass(frozen=True, slots=True)
class ClockSetBack:
    """The clock that its times were taken from was set back, by `by` at least."""

    by: timedelta


@dataclass(frozen=True, slots=True)
class OwnerLeft:
    """The duty of its owner is over: it stays theirs, and these people (by id) may take it over."""

    owner: int
    name: str
    to: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class AcknowledgementExtended:
    """The owner is still on it."""

    by: Actor


@dataclass(frozen=True, slots=True)
class Unacknowledged:
    """Somebody gives it back."""

    by: Actor
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class TakenOver:
    """Somebody takes it from its owner."""

    by: Actor
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Snoozed:
    """Acknowledged by the actor until `until`."""

    by: Actor
    until: datetime
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class SnoozeEnded:
    """The snooze is over; `due` and `episode` name the timer."""

    due: datetime
    episode: int


@dataclass(frozen=True, slots=True)
class EscalatedByHand:
    """Somebody wants the next step now; with `restart` the first one."""

    by: Actor
    comment: str | None = None
    restart: bool = False


@dataclass(frozen=True, slots=True)
class Reassigned:
    """Somebody gives it to a person, or to those of a team who are to be paged (`people`)."""

    by: Actor
    people: tuple[Person, ...]
    to: str
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """It is over; `automatic`: only because nothing happened for long, so the source stays."""

    by: Actor
    comment: str | None = None
    classification: str | None = None
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class Reopened:
    """It is not over."""

    by: Actor
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Annotated:
    """Somebody writes something down."""

    by: Actor
    comment: str


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Nobody is to be paged, for a reason that stays visible; `until`: looked at again then."""

    reason: str
    by: Actor = SYSTEM
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SuppressionEnded:
    """The reason not to page is gone; `due`: its time is over, where a timer says so."""

    by: Actor = SYSTEM
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class MergedInto:
    """The source made it a part of another."""

    target: str
    by: Actor = SYSTEM


@dataclass(frozen=True, slots=True)
class RespondersAdded:
    """The owner or somebody else asks these people for help."""

    by: Actor
    people: tuple[Person, ...]
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class ResponderAnswered:
    """Somebody who was asked for help answers."""

    by: Actor
    comment: str | None = None


Change = (
    Raised
    | SeenAgain
    | DetailsUpdated
    | SeverityRaised
    | StepTimedOut
    | Acknowledged
    | AcknowledgementExpired
    | AcknowledgementExpiring
    | DutyChanged
    | ClockSetBack
    | OwnerLeft
    | AcknowledgementExtended
    | Unacknowledged
    | TakenOver
    | Snoozed
    | SnoozeEnded
    | EscalatedByHand
    | Reassigned
    | Closed
    | Reopened
    | Annotated
    | Suppressed
    | SuppressionEnded
    | MergedInto
    | RespondersAdded
    | ResponderAnswered
)
