"""A clock that was set back silences nobody: what waits is moved back with it."""

from datetime import datetime, timedelta
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

ASKEW = timedelta(seconds=30)
"""A clock that goes back by less is let be: what waits comes that much later."""

BATCH = 500
"""Alerts per transaction."""

_FIRST = UUID(int=0)


async def watch_clock(world: World) -> None:
    """See whether the clock was set back since a worker looked last, by whatever process.

    Timers, pages, repetitions, receipts, heartbeats and talks with sources that were planned by
    the later clock are moved back with it. What was planned before the time that the clock shows
    now waits for longer, by as much as it was set back.
    """
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        latest = await clockset.latest(connection)
        if latest is None or latest - now < ASKEW:
            await clockset.note(connection, now)
            return
    by = latest - now
    async with world.worker_database.transaction() as connection:
        pages = await clockset.move_pages(connection, by, now)
        await clockset.move_others(connection, by, now)
    moved = await _move_alerts(world, by, now)
    async with world.worker_database.transaction() as connection:
        await clockset.note(connection, world.clock.now())
    world.wake()
    log.error(
        "the clock was set back, or that of another worker is ahead; what waited was moved",
        by=duration_text(by),
        alerts=moved,
        pages=pages,
        remedy="have NTP keep the time of every machine that runs Tocsin",
    )


async def _move_alerts(world: World, by: timedelta, now: datetime) -> int:
    moved, last = 0, _FIRST
    while True:
        async with world.worker_database.transaction() as connection:
            claimed, reached = await clockset.claim_ahead(connection, now, last, BATCH)
            if reached is None:
                return moved
            desk = Desk(connection, now)
            await desk.prepare_for(claimed)
            decided = [await _decided(desk, alert, by) for alert in claimed]
            saved = [one for one in decided if one is not None]
            if saved:
                await alerts.save(connection, saved, now)
        moved, last = moved + len(saved), reached


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
