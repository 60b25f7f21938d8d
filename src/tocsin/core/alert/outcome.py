"""What a change may come to: changed, unchanged for a reason, or refused for a reason."""

from dataclasses import dataclass

from tocsin.core.alert.model import Alert
from tocsin.core.effects import Effect


@dataclass(frozen=True, slots=True)
class Changed:
    """The alert as it is now, and what the world is asked to do."""

    alert: Alert
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing to do; `reason` is shown to whoever asked."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The lifecycle forbids it; `reason` goes into a 409."""

    reason: str


Outcome = Changed | Unchanged | Refused
