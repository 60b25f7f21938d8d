"""Told at once: time off of people who are on duty then."""

import asyncio
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from tocsin.core.localtime import instant, wall_clock
from tocsin.core.schedule import Absence, Collision, Schedule, collisions, shifts
from tocsin.store.absences import TimeOff, time_off
from tocsin.store.db import Connection
from tocsin.store.schedules import schedules_of_team

AHEAD = timedelta(days=400)
"""How far ahead collisions are looked for."""

_MOST = 3
"""So many shifts are named for one absence."""


async def absent_on_duty(
    connection: Connection, teams: Iterable[int], now: datetime
) -> tuple[str, ...]:
    """One line for each shift from `now` on of somebody of these teams who has time off then."""
    found: list[str] = []
    for off in await time_off(connection, teams):
        span = _span(off, now)
        if span is None:
            continue
        for schedule in (await schedules_of_team(connection, off.team, *span)).values():
            found += told(f"{off.name}/{schedule.name}", schedule, off.absences, *span)
            await asyncio.sleep(0)  # somebody may have to be paged
    return tuple(found)


def told(
    name: str, schedule: Schedule, absences: Iterable[Absence], from_: datetime, to: datetime
) -> Iterator[str]:
    """One line for each shift of somebody who has time off, in the words of the schedule's zone."""
    zone = schedule.time_zone
    by_absence: dict[Absence, list[Collision]] = {}
    for one in collisions(absences, shifts(schedule, from_, to).shifts, zone):
        by_absence.setdefault(one.absence, []).append(one)
    for absence, found in by_absence.items():
        off = _times(absence.from_, absence.to, zone)
        for one in found[:_MOST]:
            duty = _times(one.shift.from_, one.shift.to, zone)
            yield f"{absence.user} has time off {off} and is on duty in {name} {duty} ({zone})"
        if len(found) > _MOST:
            more = len(found) - _MOST
            yield f"{absence.user} has time off {off} and {more} more shifts in {name} then"


def _span(off: TimeOff, now: datetime) -> tuple[datetime, datetime] | None:
    low = max(now, min(instant(one.from_, off.time_zone) for one in off.absences))
    high = min(now + AHEAD, max(instant(one.to, off.time_zone) for one in off.absences))
    return (low, high) if low < high else None


def _times(from_: datetime, to: datetime, zone: str) -> str:
    begin, end = (wall_clock(instant(at, zone), zone) for at in (from_, to))
    return f"from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"
