"""Reads the database's clock again and again, so that every process goes by it."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from tocsin.clock import SharedClock, SystemClock, counted
from tocsin.store.db import Database
from tocsin.store.health import clock_time

log = structlog.get_logger()

EVERY = timedelta(seconds=5)
ASTRAY = timedelta(seconds=30)
"""A difference that somebody should hear of."""

_SLOW = 1.0
"""Seconds after which an answer says too little about when it was given."""


@asynccontextmanager
async def shared_clock(database: Database) -> AsyncGenerator[SharedClock]:
    """A clock that is kept at the database's time for as long as the block runs.

    While the database is away it counts on by itself.
    """
    clock = SharedClock()
    with contextlib.suppress(Exception):  # whoever needs the database says what is wrong with it
        await _read(database, clock)
    off = clock.now() - SystemClock().now()
    if abs(off) >= ASTRAY:
        log.warning(
            "the clock of this machine is wrong, or the database's; the database's counts",
            database_ahead_by_seconds=round(off.total_seconds()),
            remedy="have NTP keep the time of both",
        )
    keeping = asyncio.create_task(_keep(database, clock), name="clock")
    try:
        yield clock
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def _keep(database: Database, clock: SharedClock) -> None:
    while True:
        await clock.sleep(EVERY)
        try:
            await _read(database, clock)
        except Exception as fault:  # noqa: BLE001 - it counts on until the database is back
            log.debug("the database's clock was not read", fault=repr(fault))


async def _read(database: Database, clock: SharedClock) -> None:
    async with database.transaction() as connection:
        before = counted()
        at = await clock_time(connection)
        took = counted() - before
    if took > _SLOW:
        return
    moved = clock.set(at, before + took / 2)
    if abs(moved) >= ASTRAY:
        log.warning("the clock was set", by_seconds=round(moved.total_seconds()))
