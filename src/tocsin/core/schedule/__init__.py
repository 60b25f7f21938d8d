"""Schedule maths: rotations, restrictions, overrides and holidays become shifts and gaps."""

from tocsin.core.schedule.absences import Absence, Collision, collisions
from tocsin.core.schedule.keeping import keep_current
from tocsin.core.schedule.model import (
    Combine,
    DailyWindow,
    Day,
    Event,
    FixedShift,
    Kept,
    KeptShift,
    OnHolidays,
    Override,
    Restriction,
    Rotation,
    Schedule,
    Temporary,
    Unit,
    WeeklyWindow,
)
from tocsin.core.schedule.past import as_it_was
from tocsin.core.schedule.record import Rewriting, rewriting
from tocsin.core.schedule.results import (
    AsBefore,
    ByEvent,
    ByOverride,
    ByRotation,
    ByTemporary,
    Gap,
    Hole,
    Shift,
    Timeline,
    Why,
    told,
)
from tocsin.core.schedule.timeline import on_duty, shifts
from tocsin.core.schedule.windows import open_between

__all__ = [
    "Absence",
    "AsBefore",
    "ByEvent",
    "ByOverride",
    "ByRotation",
    "ByTemporary",
    "Collision",
    "Combine",
    "DailyWindow",
    "Day",
    "Event",
    "FixedShift",
    "Gap",
    "Hole",
    "Kept",
    "KeptShift",
    "OnHolidays",
    "Override",
    "Restriction",
    "Rewriting",
    "Rotation",
    "Schedule",
    "Shift",
    "Temporary",
    "Timeline",
    "Unit",
    "WeeklyWindow",
    "Why",
    "as_it_was",
    "collisions",
    "keep_current",
    "on_duty",
    "open_between",
    "rewriting",
    "shifts",
    "told",
]
