"""What a sender may say, in our words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tocsin.core.kinds import Mode, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something happened: raises an alert, or counts on the open one with the same `external_id`.

    `severity` and `mode` are None where the sender did not say. `source_name` is what the sender
    calls itself. `category` is a name that the sender asks for.
    """

    title: str
    text: str = ""
    external_id: str | None = None
    severity: Severity | None = None
    mode: Mode | None = None
    category: str | None = None
    source_name: str | None = None
    url: str | None = None
    details: Mapping[str, object] = field(default_factory=dict[str, object])
    links: tuple[str, ...] = ()


class AnswerKind(StrEnum):
    """What a sender may say about an alert that it raised before."""

    ACKNOWLEDGE = "acknowledge"
    CLOSE = "close"
    ANNOTATE = "annotate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The sender acknowledges, closes or annotates its alert with this key."""

    kind: AnswerKind
    external_id: str
    by: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """The sender says that a connector should be read now; `subject` names what changed."""

    subject: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """A heartbeat: `signal` is `ok`, `start` or `fail`."""

    signal: str = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """The sender asks what became of its alert or request with this key."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """The request was understood and asks for nothing, for a reason worth keeping."""

    reason: str


Said = Event | Answer | Hint | Ping | Query | Ignored
