"""A calendar of others is due: fetch it, read it apart, keep the last good copy."""

import asyncio
import zlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import structlog

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
from tocsin.store.db import Connection
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


async def calendars_due(world: World, within: timedelta = WITHIN) -> bool:
    """Read the calendars whose time has come; True when there may be more."""
    await follow_configuration(world)
    async with world.worker_database.transaction() as connection:
        due = await claim_calendars(connection, world.clock.now(), 2 * _AT_ONCE)
    if not due:
        return False
    client = GuardedClient(world.allow_private, max_bytes=MOST_BYTES, longest=within)
    turns = asyncio.Semaphore(_AT_ONCE)
    try:
        async with asyncio.TaskGroup() as group:
            for one in due:
                group.create_task(_guarded(world, client, turns, one))
    finally:
        await client.close()
    return True


async def _guarded(
    world: World, client: GuardedClient, turns: asyncio.Semaphore, due: DueCalendar
) -> None:
    async with turns:
        try:
            await _read(world, client, due)
        except Exception:
            log.exception("a calendar was not read; it is when its lease has run out", id=due.id)


async def _read(world: World, client: GuardedClient, due: DueCalendar) -> None:
    outcome = await _outcome(world, client, due)
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


async def _outcome(world: World, client: GuardedClient, due: DueCalendar) -> Outcome:
    """What became of one reading; whatever is wrong with the calendar is told in it."""
    error = None
    fetched: Fetched | None = None
    try:
        address = world.keys.open(due.sealed_address, seal_context(due.team, due.id)).decode()
        fetched = await fetch(client, address_of(address), etag=due.etag, modified=due.modified)
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
        for one in await calendarlist.configured(connection):
            if one.address is None:
                await _forgotten(connection, one, now)
            elif _address(world, one) != one.address:
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
        new = NewCalendar(
            team=one.team,
            name=CONFIGURED,
            purpose=Purpose.HOLIDAYS,
            origin=Origin.CONFIGURATION,
            schedule=None,
            people={},
            made_by="the configuration",
        )
        calendar = await calendarlist.add(connection, new, now)
    if calendar is not None:
        await set_address(world, connection, one.team, calendar, text)


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
