"""Alerts that nothing has happened to for as long as their policy says are closed."""

from tocsin.actions.desk import Desk
from tocsin.actions.world import World
from tocsin.core.alert import Alert, Changed
from tocsin.core.changes import Closed
from tocsin.core.kinds import SYSTEM
from tocsin.core.notation import duration_text
from tocsin.store import alerts

BATCH = 500
"""Alerts per transaction."""


async def close_silent(world: World) -> int:
    """Close them, longest silent first; their sources are told nothing. Returns how many."""
    closed = 0
    while True:
        count = await _close(world)
        closed += count
        if count < BATCH:
            return closed


async def _close(world: World) -> int:
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        desk = Desk(connection, now)
        claimed = await alerts.claim_silent(connection, now, BATCH)
        await desk.prepare_for(claimed)
        saved = [
            alerts.Saved(outcome.alert, outcome.effects, before=alert)
            for alert in claimed
            if isinstance(outcome := await desk.decide(alert, closed(alert)), Changed)
        ]
        written = await alerts.save(connection, saved, now) if saved else None
    if written is not None and written.due:
        world.wake()
    return len(saved)


def closed(alert: Alert) -> Closed:
    """The change that closes an alert whose policy says so."""
    assert alert.close_after is not None, "only those are claimed"
    return Closed(SYSTEM, f"nothing new for {duration_text(alert.close_after)}", automatic=True)
