"""The closed sets of words that describe an alert."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Where an alert is in its life; senders say "resolved" where Tocsin says closed."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Severity(StrEnum):
    """How bad it is, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for info up to 4 for critical."""
        return _RANKS[self]


_RANKS = {severity: 4 - index for index, severity in enumerate(Severity)}


class Urgency(StrEnum):
    """Which of a person's two rule lists applies, or whether nobody is paged at all."""

    URGENT = "urgent"
    NORMAL = "normal"
    RECORD = "record"


class Mode(StrEnum):
    """How many people have to acknowledge: one, n different ones, or everybody."""

    SINGLE = "single"
    MULTI = "multi"
    EMERGENCY = "emergency"


USUAL_ACKNOWLEDGEMENTS = 2
"""How many `multi` asks for where nobody says."""


class Via(StrEnum):
    """The way by which somebody or something changed an alert."""

    API = "api"
    WEB = "web"
    REPLY = "reply"
    PAGE = "page"
    CHANNEL = "channel"
    INTEGRATION = "integration"
    SOURCE = "source"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: a user of ours (`user` is the id) or somebody known only by name."""

    name: str
    user: int | None = None
    via: Via = Via.SYSTEM


SYSTEM = Actor("Tocsin")
