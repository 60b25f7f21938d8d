"""What schedule maths answers: shifts and gaps, each with its reason."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, assert_never

from tocsin.core.schedule.model import Override, Temporary


@dataclass(frozen=True, slots=True)
class ByRotation:
    """On duty because it is this person's turn; `turn` counts from 0 at the rotation's start.

    `holiday` marks the turns of a rotation that is for holidays only.
    """

    rotation: str
    turn: int
    holiday: bool = False


@dataclass(frozen=True, slots=True)
class ByEvent:
    """On duty by the event of this place in the list, from 0, at its time `begin` (wall time)."""

    number: int
    begin: datetime


@dataclass(frozen=True, slots=True)
class ByCalendar:
    """On duty by an entry of this imported calendar, which begins at the instant `begin`."""

    calendar: str
    begin: datetime


@dataclass(frozen=True, slots=True)
class ByOverride:
    """On duty, or taken off it, because of this override."""

    override: Override


@dataclass(frozen=True, slots=True)
class ByTemporary:
    """On duty, or nobody is, because of this temporary schedule."""

    temporary: Temporary


@dataclass(frozen=True, slots=True)
class AsBefore:
    """On duty as it was before an edit that keeps who is on duty; `why` is the reason in words."""

    why: str


Why = ByRotation | ByEvent | ByCalendar | ByOverride | ByTemporary | AsBefore
Hole = ByOverride | ByTemporary
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
    """Nobody is on duty in [from_, to), UTC; `why` is what made the hole, if anything did."""

    from_: datetime
    to: datetime
    why: Hole | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Shifts and gaps that together cover the asked time; shifts of one person never overlap."""

    shifts: tuple[Shift, ...]
    gaps: tuple[Gap, ...]


class Slice(NamedTuple):
    """A piece of time in which nothing changes; `hole` only where something left nobody."""

    from_: datetime
    to: datetime
    duties: Duties
    hole: Hole | None = None


def told(why: Why) -> str:
    """A reason in words: `rotation weeks`, `event`, `calendar sap`, `override`, and so on."""
    match why:
        case ByRotation(rotation, _, holiday):
            return f"{'holiday' if holiday else 'rotation'} {rotation}"
        case ByEvent():
            return "event"
        case ByCalendar(calendar):
            return f"calendar {calendar}"
        case ByOverride(override):
            return "swap" if override.swap else "override"
        case ByTemporary():
            return "temporary"
        case AsBefore(words):
            return words
        case _:
            assert_never(why)
