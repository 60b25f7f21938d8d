"""A connector's time has come: read what changed, store it page by page, move the watermark."""

import asyncio
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError

from tocsin.actions.sync.details import read_details
from tocsin.actions.sync.leases import LeaseLost, Renewed, last_words
from tocsin.actions.sync.sources import NotOpenedError, Opened, Sources, broken
from tocsin.actions.sync.storing import store_page
from tocsin.actions.world import World
from tocsin.core.reconcile import Remote
from tocsin.ports import Failed, FailureKind, ReadPlan, SourceError
from tocsin.store.alerts import KeyTaken
from tocsin.store.connectors import connector
from tocsin.store.outbox import DuePoll, Polled, claim_polls, release_poll, settle_poll

log = structlog.get_logger()

_UNOPENED_EVERY = timedelta(minutes=1)
_DETAILS_AT_LEAST = timedelta(seconds=5)
_LONGEST_BACKOFF = timedelta(minutes=10)


async def poll_due(world: World, limit: int = 4) -> tuple[DuePoll, ...]:
    """Lease the connectors that are to be read now."""
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        return await claim_polls(connection, now, limit, world.clock)


async def poll(world: World, sources: Sources, due: DuePoll) -> None:
    """Read one connector. Never raises for what a source may do; its state tells.

    When it is cancelled, the lease is given back, so that another process goes on at once.
    """
    held = Renewed(due)
    try:
        polled = await _polled(world, sources, held)
        await _settle(world, held.due, polled)
    except LeaseLost:
        log.warning("another process reads this connector now", connector=due.connector)
    except asyncio.CancelledError:
        await _release(world, due)
        raise


async def _polled(world: World, sources: Sources, held: Renewed) -> Polled:
    """Read and store; whatever goes wrong is in the answer. Raises `LeaseLost`."""
    started = world.clock.now()
    due, every, name = held.due, _UNOPENED_EVERY, ""
    try:
        async with world.worker_database.transaction() as connection:
            row = await connector(connection, due.team, due.connector)
        async with sources.open(row) as opened:
            every, name = opened.source.cadence.poll_every, opened.row.name
            return await _read(world, opened, held, started)
    except LeaseLost:
        raise
    except (NotOpenedError, SourceError) as error:
        failed = error.failed
        log.warning("poll failed", connector=name or due.connector, reason=failed.reason)
    except Exception as fault:
        failed = Failed(kind=FailureKind.TEMPORARY, reason=broken(fault))
        log.exception("poll failed", connector=name or due.connector)
    return _failed(every, due, started, failed)


async def _read(world: World, opened: Opened, held: Renewed, started: datetime) -> Polled:
    cadence = opened.source.cadence
    plan = read_plan(held.due, opened, started)
    newest = held.due.watermark
    lost: list[str] = []
    async for page in opened.source.pages(plan, held, opened.budget):
        lost += await _stored(world, opened, held, page)
        changed = max((remote.modified_at for remote in page), default=None)
        newest = max(filter(None, (newest, changed)), default=None)
    run_at = started + cadence.poll_every
    await read_details(world, opened, held, max(run_at, world.clock.now() + _DETAILS_AT_LEAST))
    if lost:  # the watermark never passes what was not stored
        return Polled(run_at=run_at, error=f"not stored, see the log: {', '.join(lost[:5])}")
    return Polled(
        run_at=run_at,
        succeeded_at=world.clock.now(),
        # A scan that found nothing moves nothing, except that the first one ends the look-back.
        # A stamp from the future would hide what comes until then.
        watermark=min(newest or plan.since, started),
        deep_at=started + cadence.deep_every if plan.deep else None,
    )


def read_plan(due: DuePoll, opened: Opened, now: datetime) -> ReadPlan:
    """From where to read: the first time 24 hours back, then the watermark less an overlap.

    A deep re-scan for late arrivals is due by time, and stays due until one succeeds.
    """
    cadence = opened.source.cadence
    if due.watermark is None:
        return ReadPlan(since=now - cadence.first_run, deep=True)
    mark = min(due.watermark, now)
    if due.deep_at is None or due.deep_at <= now:
        return ReadPlan(since=mark - cadence.deep_lookback, deep=True)
    return ReadPlan(since=mark - cadence.overlap)


async def _stored(
    world: World, opened: Opened, held: Renewed, page: tuple[Remote, ...]
) -> list[str]:
    """Store a page, and where that fails each object alone; returns the keys of those that fail.

    Raises `LeaseLost`, and what it was that failed when the database is away.
    """
    try:
        await _retried(world, opened, held, page)
    except LeaseLost:
        raise
    except Exception as fault:
        if _away(fault):
            raise
        log.warning("page not stored at once", connector=opened.row.name, fault=repr(fault))
    else:
        return []
    lost: list[str] = []
    for remote in page:
        try:
            await _retried(world, opened, held, (remote,))
        except LeaseLost:
            raise
        except Exception as fault:
            if _away(fault):
                raise
            log.exception("object not stored", connector=opened.row.name, key=remote.key)
            lost.append(remote.key)
    return lost


async def _retried(world: World, opened: Opened, held: Renewed, page: tuple[Remote, ...]) -> None:
    for left in reversed(range(3)):
        try:
            held.due = await store_page(world, opened.row, held.due, page)
        except KeyTaken:
            if not left:
                raise
        else:
            return


def _away(fault: Exception) -> bool:
    """Whether it is the database that is away, and no object's fault."""
    return isinstance(fault, OSError) or (  # a TimeoutError is an OSError
        isinstance(fault, DBAPIError) and fault.connection_invalidated
    )


def _failed(every: timedelta, due: DuePoll, now: datetime, failed: Failed) -> Polled:
    backoff = every * min(2 ** min(due.failures, 4), 10)
    if failed.kind is FailureKind.CONFIGURATION:
        backoff = max(every, timedelta(seconds=30))
    wait = max(backoff, failed.retry_after or timedelta(0))
    return Polled(run_at=now + min(wait, _LONGEST_BACKOFF), error=failed.reason)


async def _settle(world: World, due: DuePoll, polled: Polled) -> None:
    async with world.worker_database.transaction() as connection:
        if not await settle_poll(connection, due, polled):
            log.warning("poll ended after its lease was lost", connector=due.connector)


async def _release(world: World, due: DuePoll) -> None:
    async def release() -> None:
        async with world.worker_database.transaction() as connection:
            await release_poll(connection, due)

    await last_words(release())
