"""The socket for dialects of incoming events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol

from tocsin.core.event import Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A sender's request as it came, read whole. Header names are lower case."""

    method: str
    path: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the sender is answered."""

    status: int
    body: bytes = b""
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """The request is not of this dialect; `reason` names the fault for the sender."""

    reason: str
    status: int = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """What became of a request: one event id for the whole, the alert ids it touched."""

    event_id: str
    received_at: datetime
    alerts: tuple[str, ...] = ()


class Inlet(Protocol):
    """One dialect of incoming events; both directions are pure and never raise."""

    overload_status: ClassVar[int]

    @staticmethod
    def parse(request: Request, settings: Mapping[str, Any]) -> tuple[Said, ...] | Unreadable:
        """What the request says."""
        ...

    @staticmethod
    def reply(request: Request, handled: Handled) -> Reply:
        """What its sender wants to hear when all of it is committed."""
        ...

    @staticmethod
    def refuse(status: int, reason: str) -> Reply:
        """How its sender is told that a request was not taken."""
        ...
