"""Retention, shifts ahead, and the check that nothing open has been forgotten."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError

from tocsin.actions.offers import expire_offers
from tocsin.actions.reach import check_reach
from tocsin.actions.silence import close_silent
from tocsin.actions.world import World
from tocsin.store import told
from tocsin.store import upkeep as rows
from tocsin.store.events import drop_partitions, make_partitions
from tocsin.store.handover import forget_left
from tocsin.store.names import all_teams
from tocsin.store.outbox import claim_job, drop_publications
from tocsin.store.schedules import schedule_rows
from tocsin.store.shifts import materialise

log = structlog.get_logger()

UPKEEP_EVERY = timedelta(seconds=10)
KEEP_EVENTS = timedelta(days=30)
_KEEP_LEFT, _KEEP_PAST = timedelta(days=1), timedelta(days=400)
KEEP_PUBLICATIONS = timedelta(days=7)
_SILENT_EVERY = timedelta(minutes=1)


async def upkeep(world: World) -> None:
    """Do what is due; a piece that fails does not keep the others from being done.

    Each piece is short: what may take minutes in a large installation has a loop of its own.
    """
    for piece in _PIECES:
        try:
            await piece(world)
        except Exception as fault:
            if _away(fault):
                raise
            log.exception("a piece of upkeep failed; it is tried again", piece=piece.__name__)


def _away(fault: Exception) -> bool:
    """Whether it is the database that is away, rather than a fault in one piece."""
    return isinstance(fault, OSError) or (
        isinstance(fault, DBAPIError) and fault.connection_invalidated
    )


async def _partitions(world: World) -> None:
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        if not await claim_job(connection, "partitions", timedelta(hours=6), now):
            return
        await make_partitions(connection, now.date())
        for name in await drop_partitions(connection, (now - KEEP_EVENTS).date()):
            log.info("raw events dropped", partition=name)


async def _budgets(world: World) -> None:
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        if await claim_job(connection, "budgets", timedelta(hours=1), now):
            await rows.forget_budgets(connection, now)


async def _forgotten(world: World) -> None:
    async with world.worker_database.transaction() as connection:
        forgotten = await rows.restart_forgotten(connection, world.clock.now())
    if forgotten:
        log.error("open alerts without a timer or a page were restarted", alerts=forgotten)
        world.wake()


async def _analyse(world: World) -> None:
    async with world.worker_database.transaction() as connection:
        await rows.analyse_new(connection)


async def _silent(world: World) -> None:
    async with world.worker_database.transaction() as connection:
        if not await claim_job(connection, "silent", _SILENT_EVERY, world.clock.now()):
            return
    if closed := await close_silent(world):
        log.info("alerts without news were closed", alerts=closed)


async def _past_duty(world: World) -> None:
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        if await claim_job(connection, "told", timedelta(hours=6), now):
            await told.forget(connection, now)
            await forget_left(connection, now - _KEEP_LEFT)
            await rows.forget_offers(connection, now - _KEEP_PAST)
            await rows.forget_overrides(connection, now - _KEEP_PAST)


async def extend_shifts(world: World) -> None:
    """Work shifts out ahead, some schedules at a time, so that no transaction is long."""
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        if not await claim_job(connection, "shifts", timedelta(hours=6), now):
            return
        teams = await all_teams(connection)
    for team, name in teams.items():
        try:
            await _extend_team(world, team, now)
        except Exception as fault:
            if _away(fault):
                raise
            log.exception("shifts of a team not worked out", team=name)


async def _publications(world: World) -> None:
    """What a sink would not take for a week is dropped, and said so."""
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        if await claim_job(connection, "publications", timedelta(hours=1), now):
            dropped = await drop_publications(connection, now - KEEP_PUBLICATIONS)
            if dropped:
                log.warning("events that a sink never took were dropped", events=dropped)


async def _extend_team(world: World, team: int, now: datetime) -> None:
    async with world.worker_database.transaction() as connection:
        every = await schedule_rows(connection, team)
    for begin in range(0, max(len(every), 1), _AT_ONCE):
        async with world.worker_database.transaction() as connection:
            await materialise(connection, team, now, every[begin : begin + _AT_ONCE])


_AT_ONCE = 50
"""So many schedules are worked out in one transaction."""

_PIECES = (
    _partitions,
    _budgets,
    _publications,
    _forgotten,
    _silent,
    _past_duty,
    _analyse,
    check_reach,
    expire_offers,
)
