"""A step is due: the people it means now are paged, or the next step starts."""

from tocsin.actions.desk import Desk
from tocsin.actions.world import World
from tocsin.core.alert import Changed, due_change
from tocsin.store import alerts

BATCH = 500
"""Alerts per transaction: holds row locks for well under a second even when machines are busy."""


async def page_due(world: World, limit: int = BATCH) -> int:
    """Apply the timers that have fired, longest ago first; returns how many alerts were claimed.

    After an outage an alert is moved once, for what is true now: steps that nobody was woken for
    are not replayed.
    """
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        desk = Desk(connection, now)
        claimed = await alerts.claim_due(connection, now, limit)
        await desk.prepare(
            {alert.team for alert in claimed}, {(alert.team, alert.policy) for alert in claimed}
        )
        saved: list[alerts.Saved] = []
        for alert in claimed:
            change = due_change(alert)
            outcome = await desk.decide(alert, change) if change is not None else None
            if isinstance(outcome, Changed):
                saved.append(alerts.Saved(outcome.alert, outcome.effects))
        written = await alerts.save(connection, saved, now) if saved else None
    if written is not None and (written.due or written.syncs):
        world.wake()
    return len(claimed)
