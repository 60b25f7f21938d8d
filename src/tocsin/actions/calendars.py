"""A calendar of others is due: fetch it, read it apart, keep the last good copy."""

import asyncio
import zlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError

from tocsin.actions.calendarchild import read_apart
from tocsin.actions.calendarfetch import MOST_BYTES, WITHIN, Fetched, address_of, fetch, host_of
from tocsin.actions.world import World
from tocsin.core.calendarfile import CalendarError, Entry, Reading, local_days
from tocsin.egress import GuardedClient
from tocsin.keys import SealError
from tocsin.store import calendarlist, imports
from tocsin.store.calendarlist import CONFIGURED, Configured, NewCalendar
from tocsin.store.calendars import (
    DueCalendar,
    Origin,
    Outcome,
    Purpose,
    changed,
    claim_calendars,
    settle_calendar,
)
from tocsin.store.db import Connection, passes
from tocsin.store.outbox import claim_job
from tocsin.store.shifts import materialise

log = structlog.get_logger()

CALENDARS_EVERY = timedelta(seconds=5)
"""How often the worker looks whether one is due."""

READ_EVERY = timedelta(minutes=15)
BACK, AHEAD = timedelta(days=31), timedelta(days=400)
"""For which time around now the entries of a calendar are kept."""

_LONGEST_PAUSE = timedelta(hours=6)
_OLD = timedelta(hours=12)  # after which entries are worked out anew, for the days that came nearer
_AT_ONCE = 2  # children at a time
_TURN = timedelta(minutes=1)  # after which the configuration is looked at again


async def calendars_due(world: World, within: timedelta = WITHIN) -> bool:
    """Read the calendars whose time has come; True when there were any, so that more may be.

    Each is leased when its reading begins, so that no lease runs out while it waits.
    """
    await follow_configuration(world)
    begun = world.clock.now()
    client = GuardedClient(world.allow_private, max_bytes=MOST_BYTES, longest=within)

    read: list[int] = []

    async def lane() -> None:
        """One after the other, so that one that is slow keeps only its lane waiting."""
        while world.clock.now() - begun < _TURN:
            async with world.worker_database.transaction() as connection:
                due = await claim_calendars(connection, world.clock.now(), 1)
            if not due:
                break
            read.append(due[0].id)
            await _guarded(world, client, due[0], within)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(lane())
    finally:
        await client.close()
    return bool(read)


async def _guarded(
    world: World, client: GuardedClient, due: DueCalendar, within: timedelta
) -> None:
    try:
        await _read(world, client, due, within)
    except Exception:
        log.exception("a calendar was not read; it is when its lease has run out", id=due.id)


async def _read(world: World, client: GuardedClient, due: DueCalendar, within: timedelta) -> None:
    outcome = await _outcome(world, client, due, within)
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        if not await settle_calendar(connection, due, outcome, now):
            log.warning("another process reads this calendar now", calendar=due.name)
            return
        if outcome.entries is not None:
            await take_effect(connection, due.team, now, due.schedule)
    if outcome.entries is not None:
        world.wake()
    if (
        outcome.error is not None and due.failures == 0
    ):  # once when it goes bad, once when it is well
        log.warning("calendar not read", calendar=due.name, team=due.team, reason=outcome.error)
    elif outcome.error is None and due.failures:
        log.info("calendar is read again", calendar=due.name, team=due.team)


async def take_effect(
    connection: Connection, team: int, now: datetime, schedule: int | None = None
) -> None:
    """What calendars say of a team, or of one schedule (row), has changed: its shifts follow."""
    await imports.keep_holidays(connection, team)
    await materialise(connection, team, now, None if schedule is None else [schedule])
    await changed(connection, team)  # last: it locks the row where new alerts take their numbers


async def _outcome(
    world: World, client: GuardedClient, due: DueCalendar, within: timedelta
) -> Outcome:
    """What became of one reading; whatever is wrong with the calendar is told in it."""
    error = None
    fetched: Fetched | None = None
    try:
        address = world.keys.open(due.sealed_address, seal_context(due.team, due.id)).decode()
        fetched = await fetch(
            client, address_of(address), etag=due.etag, modified=due.modified, within=within
        )
    except (ValueError, SealError) as fault:  # CalendarError among them
        error = str(fault)
    former = None if due.content is None else await asyncio.to_thread(zlib.decompress, due.content)
    content = former if fetched is None else fetched.content
    now = world.clock.now()
    fresh = due.worked_out_at is not None and now - due.worked_out_at < _OLD
    reading: Reading | None = None
    if content is not None and not (fresh and content == former):
        try:
            reading = await read_apart(content, due.time_zone, now - BACK, now + AHEAD)
        except CalendarError as fault:
            error = error or str(fault)
    sound = fetched is not None and error is None
    kept = await asyncio.to_thread(zlib.compress, content) if sound and content else None
    return Outcome(
        run_at=now + _pause(due, error),
        error=error,
        notes=reading.notes if reading else (),
        content=kept,
        etag=fetched.etag if sound and fetched else None,
        modified=fetched.modified if sound and fetched else None,
        entries=None if reading is None else list(_with_days(reading, due.time_zone)),
    )


def _with_days(reading: Reading, zone: str) -> Iterator[tuple[Entry, tuple[date, date]]]:
    return ((entry, local_days(entry, zone)) for entry in reading.entries)


def _pause(due: DueCalendar, error: str | None) -> timedelta:
    return (
        READ_EVERY if error is None else min(READ_EVERY * 2 ** min(due.failures, 8), _LONGEST_PAUSE)
    )


def seal_context(team: int, calendar: int) -> str:
    """What the address of a calendar is sealed with."""
    return f"calendar {team} {calendar}"


async def follow_configuration(world: World) -> None:
    """Have the calendars that teams' `holidays` name, and no longer those that they named."""
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        if not await claim_job(connection, "calendars", timedelta(minutes=1), now):
            return
        found = await calendarlist.configured(connection)
    for one in found:
        try:
            await _follow(world, one, now)
        except OSError:
            raise
        except Exception as fault:
            if isinstance(fault, DBAPIError) and passes(fault):
                raise
            log.exception("the calendar of a team's holidays was not looked at", team=one.team)


async def _follow(world: World, one: Configured, now: datetime) -> None:
    """One team in a transaction of its own, so that none holds the others' rows."""
    if one.address is not None and _address(world, one) == one.address:
        return
    async with world.worker_database.transaction() as connection:
        if one.address is None:
            await _forgotten(connection, one, now)
        else:
            await _named(world, connection, one, one.address)


async def _forgotten(connection: Connection, one: Configured, now: datetime) -> None:
    if one.calendar is not None and await calendarlist.remove(connection, one.team, one.calendar):
        await take_effect(connection, one.team, now)


async def _named(world: World, connection: Connection, one: Configured, text: str) -> None:
    now, calendar = world.clock.now(), one.calendar
    try:
        address_of(text)
    except ValueError as fault:  # what an older version let pass
        log.warning(
            "the calendar of a team's holidays has no address", team=one.team, why=str(fault)
        )
        return
    if calendar is None:
        calendar = await _added(connection, one.team, now)
    if calendar is None:
        log.warning(
            "the calendar of a team's holidays is not read: other calendars of the team have its"
            " names; remove one of them",
            team=one.team,
            names=CONFIGURED,
        )
        return
    await set_address(world, connection, one.team, calendar, text)


async def _added(connection: Connection, team: int, now: datetime) -> int | None:
    """A calendar under the first of its names that no other calendar of the team has."""
    for name in CONFIGURED:
        new = NewCalendar(
            team=team,
            name=name,
            purpose=Purpose.HOLIDAYS,
            origin=Origin.CONFIGURATION,
            schedule=None,
            people={},
            made_by="the configuration",
        )
        calendar = await calendarlist.add(connection, new, now)
        if calendar is not None:
            return calendar
    return None


async def set_address(
    world: World, connection: Connection, team: int, calendar: int, text: str
) -> None:
    """Read a calendar from this address from now on. Raises `ValueError` for one that is none."""
    address = address_of(text)
    sealed = world.keys.seal(text, seal_context(team, calendar))
    host = host_of(address)
    await calendarlist.set_address(connection, team, calendar, sealed, host, world.clock.now())


def _address(world: World, one: Configured) -> str | None:
    if one.calendar is None or one.sealed is None:
        return None
    try:
        return world.keys.open(one.sealed, seal_context(one.team, one.calendar)).decode()
    except SealError:
        return None  # sealed with another key: the configuration says it anew
