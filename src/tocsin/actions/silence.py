"""Alerts that nothing has happened to for as long as their policy says are closed."""

import structlog
from sqlalchemy.exc import DBAPIError

from tocsin.actions.desk import Desk
from tocsin.actions.world import World
from tocsin.core.alert import Alert, Changed
from tocsin.core.changes import Closed
from tocsin.core.kinds import SYSTEM
from tocsin.core.notation import duration_text
from tocsin.store import alerts
from tocsin.store.db import passes

log = structlog.get_logger()

BATCH = 500
"""Alerts per transaction."""


async def close_silent(world: World) -> int:
    """Close them, longest silent first; their sources get a comment. Returns how many.

    One that cannot be decided or stored is logged and tried again; it holds up no other batch.
    """
    done = 0
    while True:
        count = await _close(world, BATCH)
        done += count
        if count < BATCH:
            return done


async def _close(world: World, limit: int) -> int:
    try:
        return await _batch(world, limit)
    except DBAPIError as fault:
        if passes(fault):
            raise
        log.exception("alerts without news cannot be closed", alerts=limit)
        return await _close(world, limit // 2) if limit > 1 else 0


async def _batch(world: World, limit: int) -> int:
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        desk = Desk(connection, now)
        claimed = await alerts.claim_silent(connection, now, limit)
        await desk.prepare_for(claimed)
        decided = [await _decided(desk, alert) for alert in claimed]
        saved = [one for one in decided if one is not None]
        written = await alerts.save(connection, saved, now) if saved else None
    if written is not None and written.due:
        world.wake()
    return len(saved)


async def _decided(desk: Desk, alert: Alert) -> alerts.Saved | None:
    try:
        outcome = await desk.decide(alert, closed(alert))
    except DBAPIError:
        raise
    except Exception:
        log.exception("an alert without news cannot be closed", alert=str(alert.id))
        return None
    if not isinstance(outcome, Changed):
        return None
    return alerts.Saved(outcome.alert, outcome.effects, before=alert)


def closed(alert: Alert) -> Closed:
    """The change that closes an alert whose policy says so."""
    assert alert.close_after is not None, "only those are claimed"
    return Closed(SYSTEM, f"nothing new for {duration_text(alert.close_after)}", automatic=True)
