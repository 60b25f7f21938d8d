"""Everything that says who of a team is on duty, read, and worked out without stopping others."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from tocsin.core.coverage import (
    Comparison,
    Limits,
    TeamPlan,
    compared,
    team_plan,
    timeline_of,
)
from tocsin.core.schedule import Absence, Override, Schedule, Timeline
from tocsin.store import holidays, named
from tocsin.store.absences import time_off
from tocsin.store.db import Connection
from tocsin.store.schedules import made_here, schedules_of_team
from tocsin.store.tiers import steps_by_tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a team's plan is worked out from.

    `by_hand` has, by name of a schedule, the overrides that no file made. People in `gone` are
    never on duty. `paged_by` has, by tier, the steps of the team's policies that page it.
    """

    zone: str
    schedules: tuple[Schedule, ...]
    holidays: Mapping[date, str]
    absences: tuple[Absence, ...]
    by_hand: Mapping[str, tuple[Override, ...]]
    gone: frozenset[str]
    paged_by: Mapping[str, tuple[str, ...]]


async def definition(
    connection: Connection, team: int, from_: datetime, to: datetime
) -> Definition:
    """What is stored of a team, with the holidays of the time from `from_` to `to`."""
    found = await schedules_of_team(connection, team, from_, to)
    return Definition(
        zone=await named.zone_of(connection, team),
        schedules=tuple(found.values()),
        holidays=await holidays.holidays_of(connection, team, from_, to),
        absences=tuple(a for one in await time_off(connection, [team]) for a in one.absences),
        by_hand=await made_here(connection, team),
        gone=await named.gone_users(connection),
        paged_by=await steps_by_tier(connection, team),
    )


async def worked_out(what: Definition, from_: datetime, to: datetime) -> TeamPlan:
    """The plan of a team in [from_, to). Raises `ValueError` for a time out of reach."""
    found: list[tuple[Schedule, Timeline]] = []
    for schedule in what.schedules:
        found.append((schedule, timeline_of(schedule, from_, to, what.gone)))
        await asyncio.sleep(0)  # somebody may have to be paged
    return team_plan(
        found,
        from_,
        to,
        zone=what.zone,
        holidays=what.holidays,
        absences=what.absences,
        paged_by=what.paged_by,
    )


async def compare(before: TeamPlan | None, after: TeamPlan, limits: Limits) -> Comparison:
    """What becomes different; in a thread, as a year of hourly turns takes a second."""
    return await asyncio.to_thread(compared, before, after, limits)
