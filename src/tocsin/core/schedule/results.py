"""What schedule maths answers: shifts and gaps, each with its reason."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from tocsin.core.schedule.model import Override


@dataclass(frozen=True, slots=True)
class ByRotation:
    """On duty because it is this person's turn; `turn` counts from 0 at the rotation's start."""

    rotation: str
    turn: int


@dataclass(frozen=True, slots=True)
class ByOverride:
    """On duty, or taken off it, because of this override."""

    override: Override


Why = ByRotation | ByOverride
Duties = tuple[tuple[str, Why], ...]  # people on duty together, nobody twice, with the reasons


@dataclass(frozen=True, slots=True)
class Shift:
    """One person's unbroken duty for one reason, [from_, to) in UTC.

    Each turn of a rotation is a shift of its own, also when the same person has the next one.
    """

    user: str
    from_: datetime
    to: datetime
    why: Why


@dataclass(frozen=True, slots=True)
class Gap:
    """Nobody is on duty in [from_, to), UTC; `why` is the override that made the hole, if any."""

    from_: datetime
    to: datetime
    why: ByOverride | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Shifts and gaps that together cover the asked time; shifts of one person never overlap."""

    shifts: tuple[Shift, ...]
    gaps: tuple[Gap, ...]


class Slice(NamedTuple):
    """A piece of time in which nothing changes; `hole` only where overrides left nobody."""

    from_: datetime
    to: datetime
    duties: Duties
    hole: ByOverride | None = None
