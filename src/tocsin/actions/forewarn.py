"""Schedulers are told ahead of gaps and people out of reach, and when it is mended."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError

from tocsin.actions import forewords
from tocsin.actions.notices import Notice, tell_each
from tocsin.actions.reach import AHEAD as ALERTED_AHEAD
from tocsin.actions.reach import why_not
from tocsin.actions.world import World
from tocsin.core.dutywords import Said
from tocsin.core.schedule import Timeline, shifts
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

JOB = "forewarn"
_EVERY = timedelta(minutes=5)
_AT_ONCE = 50  # teams whose people on duty are read at once
_GAP, _REACH = "gap", "unreachable"


@dataclass(frozen=True, slots=True)
class _Seen:
    """The holes ahead, and those of a week before, as a team was with this version."""

    version: int
    found: Sequence[Hole]
    last_week: Sequence[Hole]


async def forewarn(world: World) -> None:
    """Look ahead team by team; what is said, or taken back, is written with its notices."""
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        if not await claim_job(connection, JOB, _EVERY, now):
            return
        wishes = await forewarning.wishes(connection)
    teams = list(wishes)
    for begin in range(0, len(teams), _AT_ONCE):
        some = {team: wishes[team] for team in teams[begin : begin + _AT_ONCE]}
        await _teams(world, some, now)
        world.wake()


async def _teams(world: World, wishes: Mapping[int, Wishes], now: datetime) -> None:
    furthest = max(one.ahead for one in wishes.values())
    async with world.worker_database.transaction() as connection:
        on_duty = await coming(connection, now, now + furthest, list(wishes))
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
    seen = await _holes(world, team, now, now + wish.ahead) if wish.gaps else None
    async with world.worker_database.transaction() as connection:
        await hold(connection, team)
        people = await forewarning.schedulers(connection, team)
        said: list[Said] = []
        # What was changed since it was looked at is looked at the next time.
        if seen is not None and seen.version == await forewarning.version(connection, team):
            said += await _gaps(connection, team, wish, seen, now)
        if wish.unreachable:
            said += await _unreachable(connection, team, wish, on_duty, reasons, now)
        notices = [Notice(team, person, words) for words in said for person in people]
        await tell_each(connection, notices, now)


async def _gaps(
    connection: Connection, team: int, wish: Wishes, seen: _Seen, now: datetime
) -> list[Said]:
    """Each gap is said once, however its ends move while it lasts."""
    known = await forewarning.told_of(connection, team, _GAP, now)
    said: list[Said] = []
    for one in known:
        same = [hole.to for hole in seen.found if _same(one, hole)]
        if same:
            await forewarning.prolong(connection, team, _GAP, one, max(same))
        else:
            await forewarning.take_back(connection, team, _GAP, one)
            said.append(forewords.mended(one, wish.name))
    for hole in news(seen.found, seen.last_week, wish.zone):
        if any(_same(one, hole) for one in known):
            continue
        times = (hole.from_, hole.to)
        if await told.first_time(connection, team, _GAP, hole.tier, times, now):
            said.append(forewords.gap(hole, wish.name, now + wish.ahead))
    return said


def _same(one: Told, hole: Hole) -> bool:
    return one.subject == hole.tier and one.from_ < hole.to and hole.from_ < one.to


async def _holes(world: World, team: int, now: datetime, until: datetime) -> _Seen:
    """Worked out with no transaction open, since many schedules take a while.

    In a thread, so that nobody who is paged waits.
    """
    async with world.worker_database.transaction() as connection:
        version = await forewarning.version(connection, team)
        found = (await schedules_of_team(connection, team, now - WEEK, until)).values()
        by_hand = await forewarning.punched(connection, team, now, until)
    ahead: list[tuple[str, Timeline]] = []
    before: list[tuple[str, Timeline]] = []
    for one in found:
        ahead.append((one.tier, await asyncio.to_thread(shifts, one, now, until)))
        before.append((one.tier, await asyncio.to_thread(shifts, one, now - WEEK, until - WEEK)))
    return _Seen(
        version,
        await asyncio.to_thread(holes, ahead, by_hand),
        await asyncio.to_thread(holes, before),
    )


async def _unreachable(
    connection: Connection,
    team: int,
    wish: Wishes,
    on_duty: Sequence[Coming],
    reasons: Mapping[tuple[str, datetime], str],
    now: datetime,
) -> list[Said]:
    """When a duty is near, an alert tells of it instead."""
    known = await forewarning.told_of(connection, team, _REACH, now)
    said: list[Said] = []
    for one in known:
        if (one.subject, one.from_) not in reasons:
            await forewarning.take_back(connection, team, _REACH, one)
            said.append(forewords.in_reach(one, wish.name))
    for duty in on_duty:
        why = reasons.get((duty.user, duty.since))
        if why is None or duty.since <= now + ALERTED_AHEAD:
            continue
        times = (duty.since, duty.since)
        if await told.first_time(connection, team, _REACH, duty.user, times, now):
            said.append(forewords.unreachable(duty, wish.name, why))
    return said
