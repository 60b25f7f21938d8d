"""What is foreseen: one line for each thing that would happen, and how it goes on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tocsin.core.alert import Alert
from tocsin.core.effects import Entry, EntryKind
from tocsin.core.kinds import Urgency
from tocsin.core.notation import optional_text, texts


class Kind(StrEnum):
    """What a line tells of."""

    RAISED = "raised"
    STEP = "step"  # it begins; `until` is the end of its wait
    PASSED_OVER = "passed_over"  # a condition of the step does not hold
    NOBODY = "nobody"  # the step means nobody who can be reached
    HELD = "held"  # it waits for somebody to come on duty, until `until`
    CAME_ON_DUTY = "came_on_duty"
    LEFT_DUTY = "left_duty"
    NOBODY_ANSWERED = "nobody_answered"  # after the last step; `people` are the admins told
    SUPPRESSED = "suppressed"
    SUPPRESSION_ENDED = "suppression_ended"
    CLOSED = "closed"  # by itself, after a time without news
    OWNER_ASKED = "owner_asked"
    ACKNOWLEDGEMENT_EXPIRED = "acknowledgement_expired"
    SNOOZE_ENDED = "snooze_ended"
    THROTTLED = "throttled"  # a contact method has had its messages of this minute
    PAGE = "page"  # a message that wakes somebody
    MESSAGE = "message"  # one that only tells; `reason` says of what
    CALL = "call"  # of an outgoing webhook, whose name is `contact_method`
    FAILED = "failed"  # a message that does not arrive; `reason` says why
    QUIET = "quiet"  # a message waits for the end of quiet hours, `until`
    RELIEVED = "relieved"  # whoever left duty is paged no more: a successor has been reached


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that would happen at `at`.

    Of messages: `person`, `contact_method`, `channel`, `urgency` and `attempt` (2 for the first
    repetition). Of the timeline: `people`, and those of them who are `unreachable`. `step` and
    `round` count from 1.
    """

    at: datetime
    kind: Kind
    step: int | None = None
    round: int | None = None
    people: tuple[str, ...] = ()
    unreachable: tuple[str, ...] = ()
    person: str | None = None
    contact_method: str | None = None
    channel: str | None = None
    urgency: Urgency | None = None
    attempt: int | None = None
    repeat_every: timedelta | None = None
    until: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Repeating:
    """A message that goes on until somebody answers."""

    person: str
    contact_method: str
    channel: str
    every: timedelta


class Ending(StrEnum):
    """Why there are no further lines."""

    OVER = "over"  # nothing more is due while nobody does anything
    HOURS = "hours"  # the time that is looked at is over
    LINES = "lines"  # so many lines are enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What would happen from `at` on while nobody answers.

    `alert` is the alert as it is raised. `until` is the moment up to which `lines` tell it;
    `repeating` are the messages that go on after that. `warnings` say what cannot be known.
    """

    alert: Alert
    team: str
    time_zone: str
    at: datetime
    lines: tuple[Line, ...]
    until: datetime
    ending: Ending
    repeating: tuple[Repeating, ...] = ()
    warnings: tuple[str, ...] = ()


def line_of(entry: Entry, alert: Alert, at: datetime) -> Line:
    """A line of the timeline; `alert` is how the change left it."""
    data = entry.data
    held = entry.kind is EntryKind.NOBODY and "held_until" in data
    kind = Kind.HELD if held else Kind(entry.kind.value)
    return Line(
        at=at,
        kind=kind,
        step=_number(data, "step"),
        round=_number(data, "round"),
        people=texts(data.get("told" if kind is Kind.NOBODY_ANSWERED else "people")),
        unreachable=texts(data.get("unreachable")),
        until=_until(kind, alert),
        reason=optional_text(data.get("reason") or data.get("suppressed") or data.get("comment")),
    )


def _until(kind: Kind, alert: Alert) -> datetime | None:
    match kind:
        case Kind.STEP | Kind.HELD:
            return alert.next_step_at
        case Kind.RAISED | Kind.SUPPRESSED:
            return alert.suppressed_until
        case Kind.OWNER_ASKED:
            return alert.expires_at
        case _:
            return None


def _number(data: Mapping[str, object], name: str) -> int | None:
    value = data.get(name)
    return value if isinstance(value, int) else None
