"""Time off that collides with shifts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from tocsin.core.localtime import instant
from tocsin.core.schedule.results import Shift


@dataclass(frozen=True, slots=True)
class Absence:
    """Somebody's time off, wall time or instants. It takes nobody off duty: it is only told."""

    user: str
    from_: datetime
    to: datetime


@dataclass(frozen=True, slots=True)
class Collision:
    """Somebody is on duty in [from_, to), UTC, and has time off."""

    absence: Absence
    shift: Shift
    from_: datetime
    to: datetime


def collisions(
    absences: Iterable[Absence], shifts: Iterable[Shift], zone: str
) -> Iterator[Collision]:
    """Each shift of somebody who has time off then, in the order of the absences."""
    own: dict[str, list[Shift]] = {}
    for shift in shifts:
        own.setdefault(shift.user, []).append(shift)
    for absence in absences:
        begin, end = instant(absence.from_, zone), instant(absence.to, zone)
        for shift in own.get(absence.user, ()):
            from_, to = max(begin, shift.from_), min(end, shift.to)
            if from_ < to:
                yield Collision(absence, shift, from_, to)
