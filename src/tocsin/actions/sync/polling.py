"""A connector's time has come: read what changed, store it page by page, move the watermark."""

from datetime import datetime, timedelta

import structlog

from tocsin.actions.desk import Desk
from tocsin.actions.sync.sources import Opened, Sources
from tocsin.actions.sync.storing import LeaseLost, store_page
from tocsin.actions.world import World
from tocsin.core.alert import Changed
from tocsin.core.changes import DetailsUpdated
from tocsin.core.kinds import Actor, Via
from tocsin.core.reconcile import Remote
from tocsin.ports import Failed, FailureKind, ReadPlan, SourceError
from tocsin.store import alerts, remotes
from tocsin.store.alerts import KeyTaken
from tocsin.store.connectors import connector
from tocsin.store.outbox import DuePoll, Polled, claim_polls, settle_poll

log = structlog.get_logger()


async def poll_due(world: World, limit: int = 4) -> tuple[DuePoll, ...]:
    """Lease the connectors that are to be read now."""
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        return await claim_polls(connection, now, limit, world.clock)


async def poll(world: World, sources: Sources, due: DuePoll) -> None:
    """Read one connector. Never raises for what a source may do; its state tells."""
    started = world.clock.now()
    async with world.worker_database.transaction() as connection:
        row = await connector(connection, due.team, due.connector)
    opened = await sources.open(row) if row is not None and row.enabled else None
    if opened is None:
        again = started + timedelta(hours=1)
        await _settle(world, due, Polled(run_at=again, error="no such source is installed"))
        return
    try:
        polled, due = await _read(world, opened, due, started)
    except LeaseLost:
        log.warning("another process reads this connector now", connector=opened.row.name)
        return
    except SourceError as error:
        polled = _failed(opened, due, started, error.failed)
        log.warning("poll failed", connector=opened.row.name, reason=error.failed.reason)
    await _settle(world, due, polled)
    if polled.error is None:
        await _read_details(world, opened, due)


async def _read(
    world: World, opened: Opened, due: DuePoll, started: datetime
) -> tuple[Polled, DuePoll]:
    cadence = opened.source.cadence
    plan = read_plan(due, opened, started)
    newest = due.watermark
    # The scan reads under the lease as renewed by each stored page.
    held = _Renewed(due)
    async for page in opened.source.pages(plan, held, opened.budget):
        held.due = await _stored(world, opened, held.due, page)
        changed = max((remote.modified_at for remote in page), default=None)
        newest = max(filter(None, (newest, changed)), default=None)
    return (
        Polled(
            run_at=started + cadence.poll_every,
            succeeded_at=world.clock.now(),
            # A scan that found nothing moves nothing, except that the first one ends the look-back.
            watermark=newest or plan.since,
            deep_at=started + cadence.deep_every if plan.deep else None,
        ),
        held.due,
    )


def read_plan(due: DuePoll, opened: Opened, now: datetime) -> ReadPlan:
    """From where to read: the first time 24 hours back, then the watermark less an overlap.

    A deep re-scan for late arrivals is due by time, and stays due until one succeeds.
    """
    cadence = opened.source.cadence
    if due.watermark is None:
        return ReadPlan(since=now - cadence.first_run, deep=True)
    if due.deep_at is None or due.deep_at <= now:
        return ReadPlan(since=min(due.watermark, now) - cadence.deep_lookback, deep=True)
    return ReadPlan(since=due.watermark - cadence.overlap)


class _Renewed:
    """The lease of a poll whose pages renew it."""

    def __init__(self, due: DuePoll) -> None:
        self.due = due

    @property
    def number(self) -> int:
        return self.due.lease.number

    def remaining(self) -> timedelta:
        return self.due.lease.remaining()


async def _stored(world: World, opened: Opened, due: DuePoll, page: tuple[Remote, ...]) -> DuePoll:
    for left in reversed(range(3)):
        try:
            return await store_page(world, opened.row, due, page)
        except KeyTaken:
            if not left:
                raise
    raise AssertionError("the last try returns or raises")


def _failed(opened: Opened, due: DuePoll, now: datetime, failed: Failed) -> Polled:
    every = opened.source.cadence.poll_every
    backoff = every * min(2**due.failures, 10)
    if failed.kind is FailureKind.CONFIGURATION:
        backoff = max(every, timedelta(seconds=30))
    wait = max(backoff, failed.retry_after or timedelta(0))
    return Polled(run_at=now + min(wait, timedelta(minutes=10)), error=failed.reason)


async def _settle(world: World, due: DuePoll, polled: Polled) -> None:
    async with world.worker_database.transaction() as connection:
        if not await settle_poll(connection, due, polled):
            log.warning("poll ended after its lease was lost", connector=due.connector)


async def _read_details(world: World, opened: Opened, due: DuePoll) -> None:
    """The parts of objects that arrived, after they were stored and paged."""
    async with world.worker_database.transaction() as connection:
        wanting = await remotes.wanting_details(connection, due.team, due.connector, 20)
    for key, alert in wanting:
        found = await opened.source.details(key, due.lease, opened.budget)
        if isinstance(found, Failed):
            log.info("details not read yet", connector=opened.row.name, reason=found.reason)
            if found.kind is FailureKind.TEMPORARY:
                return
            found = {"details_error": found.reason}
        now = world.clock.now()
        async with world.worker_database.transaction() as connection:
            one = await alerts.get(connection, due.team, alert, lock=True)
            if one is not None:
                by = Actor(opened.row.name, via=Via.SOURCE)
                outcome = await Desk(connection, now).decide(
                    one, DetailsUpdated(details=found, by=by)
                )
                if isinstance(outcome, Changed):
                    saved = alerts.Saved(outcome.alert, outcome.effects)
                    await alerts.save(connection, [saved], now)
            await remotes.details_read(connection, due.team, due.connector, key)
