"""Retention, shifts ahead, and the check that nothing open has been forgotten."""

from datetime import timedelta

import structlog

from tocsin.actions.world import World
from tocsin.store import upkeep as rows
from tocsin.store.events import drop_partitions, make_partitions
from tocsin.store.names import all_teams
from tocsin.store.outbox import claim_job
from tocsin.store.shifts import materialise

log = structlog.get_logger()

UPKEEP_EVERY = timedelta(seconds=10)
KEEP_EVENTS = timedelta(days=30)


async def upkeep(world: World) -> None:
    """Do what is due; each piece by one process at a time, in a transaction of its own."""
    now = world.clock.now()
    database = world.worker_database
    async with database.transaction() as connection:
        if await claim_job(connection, "partitions", timedelta(hours=6), now):
            await make_partitions(connection, now.date())
            for name in await drop_partitions(connection, (now - KEEP_EVENTS).date()):
                log.info("raw events dropped", partition=name)
    await _extend_shifts(world)
    async with database.transaction() as connection:
        if await claim_job(connection, "budgets", timedelta(hours=1), now):
            await rows.forget_budgets(connection, now)
    async with database.transaction() as connection:
        forgotten = await rows.restart_forgotten(connection, now)
    if forgotten:
        log.error("open alerts without a timer or a page were restarted", alerts=forgotten)
        world.wake()


async def _extend_shifts(world: World) -> None:
    """Work shifts out ahead, team by team, so that no lock is held for long."""
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        if not await claim_job(connection, "shifts", timedelta(hours=6), now):
            return
        teams = await all_teams(connection)
    for team in teams:
        async with world.worker_database.transaction() as connection:
            await materialise(connection, team, now)
