"""Schedule maths: rotations, restrictions, overrides and holidays become shifts and gaps."""

from tocsin.core.schedule.model import (
    Combine,
    DailyWindow,
    Day,
    Override,
    Restriction,
    Rotation,
    Schedule,
    Unit,
    WeeklyWindow,
)
from tocsin.core.schedule.results import ByOverride, ByRotation, Gap, Shift, Timeline, Why
from tocsin.core.schedule.timeline import on_duty, shifts
from tocsin.core.schedule.windows import open_between

__all__ = [
    "ByOverride",
    "ByRotation",
    "Combine",
    "DailyWindow",
    "Day",
    "Gap",
    "Override",
    "Restriction",
    "Rotation",
    "Schedule",
    "Shift",
    "Timeline",
    "Unit",
    "WeeklyWindow",
    "Why",
    "on_duty",
    "open_between",
    "shifts",
]
