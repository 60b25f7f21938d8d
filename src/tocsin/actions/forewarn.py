"""Schedulers are told ahead of gaps and people out of reach, and when it is mended."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError

from tocsin.actions import forewords
from tocsin.actions.notices import tell
from tocsin.actions.reach import AHEAD as ALERTED_AHEAD
from tocsin.actions.reach import why_not
from tocsin.actions.world import World
from tocsin.core.schedule import shifts
from tocsin.core.uncovered import WEEK, Hole, holes, news
from tocsin.store import forewarning, told
from tocsin.store.db import Connection
from tocsin.store.forewarning import Told, Wishes
from tocsin.store.methods import channel_settings
from tocsin.store.outbox import claim_job
from tocsin.store.reachable import Coming, coming
from tocsin.store.schedules import schedules_of_team
from tocsin.store.shifts import hold

log = structlog.get_logger()

_EVERY = timedelta(minutes=5)
_GAP, _REACH = "gap", "unreachable"


async def forewarn(world: World) -> None:
    """Look ahead team by team; what is said, or taken back, is written with its notices."""
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        if not await claim_job(connection, "forewarn", _EVERY, now):
            return
        wishes = await forewarning.wishes(connection)
        furthest = max((one.ahead for one in wishes.values()), default=timedelta())
        on_duty = await coming(connection, now, now + furthest)
        media = {channel for one in on_duty for channel, _ in one.ways}
        settings = await channel_settings(connection, media)
    for team, wish in wishes.items():
        mine = [one for one in on_duty if one.team == team]
        try:
            await _team(world, team, wish, mine, settings)
        except (OSError, DBAPIError):
            raise
        except Exception:
            log.exception("what comes in a team was not looked at", team=wish.name)
    world.wake()


async def _team(
    world: World,
    team: int,
    wish: Wishes,
    on_duty: Sequence[Coming],
    settings: Mapping[str, Mapping[str, Any]],
) -> None:
    now = world.clock.now()
    reasons = {
        (one.user, one.since): why
        for one in on_duty
        if one.since <= now + wish.ahead and (why := why_not(one, settings, world)) is not None
    }
    async with world.worker_database.transaction() as connection:
        await hold(connection, team)
        if wish.gaps:
            await _gaps(connection, team, wish, now)
        if wish.unreachable:
            await _unreachable(connection, team, wish, on_duty, reasons, now)


async def _gaps(connection: Connection, team: int, wish: Wishes, now: datetime) -> None:
    """Each gap is said once, however its ends move while it lasts."""
    until = now + wish.ahead
    found, last_week = await _holes(connection, team, now, until)
    known = await forewarning.told_of(connection, team, _GAP, now)
    people = await forewarning.schedulers(connection, team)
    for one in known:
        same = [hole.to for hole in found if _same(one, hole)]
        if same:
            await forewarning.prolong(connection, team, _GAP, one, max(same))
        else:
            await forewarning.take_back(connection, team, _GAP, one)
            await tell(connection, team, people, forewords.mended(one, wish.name), now)
    for hole in news(found, last_week, wish.zone):
        if any(_same(one, hole) for one in known):
            continue
        times = (hole.from_, hole.to)
        if await told.first_time(connection, team, _GAP, hole.tier, times, now):
            await tell(connection, team, people, forewords.gap(hole, wish.name, until), now)


def _same(one: Told, hole: Hole) -> bool:
    return one.subject == hole.tier and one.from_ < hole.to and hole.from_ < one.to


async def _holes(
    connection: Connection, team: int, now: datetime, until: datetime
) -> tuple[list[Hole], list[Hole]]:
    """The holes from now on, and those of a week before."""
    schedules = (await schedules_of_team(connection, team, now - WEEK, until)).values()
    by_hand = await forewarning.punched(connection, team, now, until)
    ahead = [(one.tier, shifts(one, now, until)) for one in schedules]
    before = [(one.tier, shifts(one, now - WEEK, until - WEEK)) for one in schedules]
    return holes(ahead, by_hand), holes(before)


async def _unreachable(
    connection: Connection,
    team: int,
    wish: Wishes,
    on_duty: Sequence[Coming],
    reasons: Mapping[tuple[str, datetime], str],
    now: datetime,
) -> None:
    """When a duty is near, an alert tells of it instead."""
    known = await forewarning.told_of(connection, team, _REACH, now)
    people = await forewarning.schedulers(connection, team)
    for one in known:
        if (one.subject, one.from_) not in reasons:
            await forewarning.take_back(connection, team, _REACH, one)
            await tell(connection, team, people, forewords.in_reach(one, wish.name), now)
    for duty in on_duty:
        why = reasons.get((duty.user, duty.since))
        if why is None or duty.since <= now + ALERTED_AHEAD:
            continue
        times = (duty.since, duty.since)
        if await told.first_time(connection, team, _REACH, duty.user, times, now):
            await tell(connection, team, people, forewords.unreachable(duty, wish.name, why), now)
