"""Schedules written briefly, and their shifts as short tables."""

from datetime import datetime, timedelta

from tocsin.core.schedule import Combine, Day, Override, Rotation, Schedule, Unit, shifts

at = datetime.fromisoformat  # with Z an instant, without it wall time
WORKDAYS = (Day.MON, Day.TUE, Day.WED, Day.THU, Day.FRI)
DAILY = Rotation("days", (("ada",), ("ben",), ("cleo",)), at("2026-01-01T09:00"), Unit.DAY)


def always(user: str) -> Rotation:
    """One person's rotation without end, named after the person."""
    return Rotation(user, ((user,),), at("2000-01-01T00:00"), Unit.YEAR, every=9_999)


def plan(
    *rotations: Rotation,
    zone: str = "Europe/Berlin",
    overrides: tuple[Override, ...] = (),
    combine: Combine = Combine.LAST_WINS,
) -> Schedule:
    return Schedule("plan", "1", zone, rotations, overrides, combine)


def table(schedule: Schedule, from_: str, to: str) -> list[str]:
    """Shifts as `day hour/day hour user` in UTC, gaps with a dash, by beginning."""
    timeline = shifts(schedule, at(from_), at(to))
    rows = [(shift.from_, shift.to, shift.user) for shift in timeline.shifts]
    rows += [(gap.from_, gap.to, "-") for gap in timeline.gaps]
    return [f"{begin:%d %H:%M}/{end:%d %H:%M} {user}" for begin, end, user in sorted(rows)]


def lengths(schedule: Schedule, from_: str, to: str) -> list[timedelta]:
    """How long each shift lasts, by beginning."""
    return [shift.to - shift.from_ for shift in shifts(schedule, at(from_), at(to)).shifts]
