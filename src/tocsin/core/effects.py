"""The closed list of things the core may ask the world to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from tocsin.core.kinds import SYSTEM, Actor, Urgency
from tocsin.core.reconcile import IntentKind


class Purpose(StrEnum):
    """Why a page is sent, which decides how long it stays wanted (`notification.still_wanted`)."""

    ESCALATION = "escalation"  # until acknowledged or closed
    RESPONDER = "responder"  # until this person answers, or the alert closes
    UPDATE = "update"  # once, whatever the state
    ACKNOWLEDGED = "acknowledged"  # once: somebody owns it now
    RESOLVED = "resolved"  # once: it is over
    STILL_ON_IT = "still_on_it"  # once: its owner is asked before their acknowledgement expires
    OFFERED = "offered"  # once: its owner went off duty, and whoever is on duty may take it over
    NOTICE = "notice"  # once: words of their own, about no alert


@dataclass(frozen=True, slots=True)
class Notify:
    """Send a message to a contact method at a time; again every `repeat_every` while wanted."""

    user: int
    method: int
    due_at: datetime
    purpose: Purpose
    urgency: Urgency
    repeat_every: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """Post the page to the outgoing webhook that a step names, once, now."""

    webhook: str
    due_at: datetime
    urgency: Urgency


@dataclass(frozen=True, slots=True)
class TakeTurn:
    """A step that goes round robin has used one turn."""

    step: int


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take back pages that are planned and not sent: of these people, or of everybody (None).

    Those of responders asked for by hand stay, unless `responders` says otherwise.
    """

    users: tuple[int, ...] | None = None
    responders: bool = False


@dataclass(frozen=True, slots=True)
class Wake:
    """Look at this alert again at `at`; None ends its timer."""

    at: datetime | None


@dataclass(frozen=True, slots=True)
class Sync:
    """Tell the source."""

    intent: IntentKind
    by: Actor
    comment: str | None = None
    classification: str | None = None


class EntryKind(StrEnum):
    """What the timeline can say."""

    RAISED = "raised"
    DETAILS = "details"
    SEVERITY_RAISED = "severity_raised"
    STEP = "step"
    NOBODY = "nobody"
    NOBODY_ANSWERED = "nobody_answered"
    ACKNOWLEDGED = "acknowledged"
    ACKNOWLEDGEMENT_EXPIRED = "acknowledgement_expired"
    UNACKNOWLEDGED = "unacknowledged"
    TAKEN_OVER = "taken_over"
    SNOOZED = "snoozed"
    SNOOZE_ENDED = "snooze_ended"
    ESCALATED = "escalated"
    REASSIGNED = "reassigned"
    CLOSED = "closed"
    REOPENED = "reopened"
    ANNOTATED = "annotated"
    SUPPRESSED = "suppressed"
    SUPPRESSION_ENDED = "suppression_ended"
    MERGED = "merged"
    RESPONDERS_ADDED = "responders_added"
    RESPONDER_ANSWERED = "responder_answered"
    EXTENDED = "extended"
    OWNER_ASKED = "owner_asked"
    OFFERED = "offered"
    CAME_ON_DUTY = "came_on_duty"
    LEFT_DUTY = "left_duty"
    PASSED_OVER = "passed_over"
    BUNDLED = "bundled"
    THROTTLED = "throttled"
    CLOCK_SET_BACK = "clock_set_back"


@dataclass(frozen=True, slots=True)
class Entry:
    """Write a line in the timeline."""

    kind: EntryKind
    by: Actor = SYSTEM
    data: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class Publish:
    """Tell subscribers."""

    kind: EntryKind
    by: Actor = SYSTEM


Effect = Notify | Call | TakeTurn | Withdraw | Wake | Sync | Entry | Publish
