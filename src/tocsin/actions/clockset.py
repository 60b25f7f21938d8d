"""A clock that was set back silences nobody: what waits is moved back with it."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError

from tocsin.actions.desk import Desk
from tocsin.actions.world import World
from tocsin.core.alert import Alert, Changed
from tocsin.core.changes import ClockSetBack
from tocsin.core.notation import duration_text
from tocsin.store import alerts, clockset

log = structlog.get_logger()

CLOCK_EVERY = timedelta(seconds=10)

ASKEW = timedelta(seconds=30)
"""A clock that goes back by less is let be: what waits comes that much later."""

AGREE = timedelta(seconds=1)
"""What processes write while others still move is no further ahead than this: they share a clock
(see `app.timekeeping`)."""

BATCH = 500
"""Alerts or pages per transaction."""


async def watch_clock(world: World) -> None:
    """See whether the clock was set back since a worker looked last, by whatever process.

    Timers, pages, repetitions, receipts, heartbeats and talks with sources that were planned by
    the former clock are moved back with it, also those that a process writes which hears of it a
    little later. What was planned before the time that the clock shows now waits for longer, by as
    much as it was set back.
    """
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        latest = await clockset.latest(connection) or now
        set_back = latest - now >= ASKEW
        if not set_back and not await clockset.lies_ahead(connection, now + ASKEW):
            await clockset.note(connection, now)
            return
    by = latest - now if set_back else timedelta(0)
    pages = await _move_pages(world, by)
    async with world.worker_database.transaction() as connection:
        await clockset.move_others(connection, by, world.clock.now(), latest)
    moved = await _move_alerts(world, by)
    async with world.worker_database.transaction() as connection:
        await clockset.note(connection, world.clock.now())
    world.wake()
    log.error(
        "the clock of the database was set back; what waited was moved",
        by=duration_text(by),
        alerts=moved,
        pages=pages,
        remedy="have NTP keep its time",
    )


async def _move_pages(world: World, by: timedelta) -> int:
    moved, place = 0, (world.clock.now(), UUID(int=0))
    while True:
        now = world.clock.now()
        async with world.worker_database.transaction() as connection:
            count, ended = await clockset.move_pages(connection, by, now, AGREE, place, BATCH)
        moved += count
        if ended is None:
            return moved
        place = ended


async def _move_alerts(world: World, by: timedelta) -> int:
    """Batch by batch, each by the time at which it is moved."""
    now = world.clock.now() + AGREE
    async with world.worker_database.transaction() as connection:
        ahead = await clockset.alerts_ahead(connection, now)
    moved = 0
    for start in range(0, len(ahead), BATCH):
        moved += await _move(world, by, ahead[start : start + BATCH])
    return moved


async def _move(world: World, by: timedelta, wanted: Sequence[tuple[int, UUID]]) -> int:
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        claimed = await clockset.claim_ahead(connection, wanted, now + AGREE)
        desk = Desk(connection, now)
        await desk.prepare_for(claimed)
        decided = [await _decided(desk, alert, by) for alert in claimed]
        saved = [one for one in decided if one is not None]
        if saved:
            await alerts.save(connection, saved, now)
        await clockset.order_pages(connection, claimed, by, now)
    return len(saved)


async def _decided(desk: Desk, alert: Alert, by: timedelta) -> alerts.Saved | None:
    try:
        outcome = await desk.decide(alert, ClockSetBack(by))
    except DBAPIError:
        raise
    except Exception:
        log.exception("the times of an alert cannot be moved", alert=str(alert.id))
        return None
    if not isinstance(outcome, Changed):
        return None
    return alerts.Saved(outcome.alert, outcome.effects, before=alert)
