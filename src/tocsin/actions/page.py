"""A step is due: the people it means now are paged, or the next step starts."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import structlog
from sqlalchemy.exc import DBAPIError

from tocsin.actions.desk import Desk, UnreadableCopyError
from tocsin.actions.maintenance import quiet_over
from tocsin.actions.unread import Unread
from tocsin.actions.world import World
from tocsin.core.alert import Alert, Changed, due_change
from tocsin.core.changes import Change, Suppressed, SuppressionEnded
from tocsin.store import alerts

log = structlog.get_logger()

BATCH = 500
"""Alerts per transaction: holds row locks for well under a second even when machines are busy."""

LATER = timedelta(minutes=1)
"""When an alert that cannot be decided or stored is looked at again; it holds up no other."""


_UNREAD = Unread()


async def page_on(world: World, *, more: bool) -> bool:
    """One batch, or two side by side where there was `more` than one; answers whether there is.

    One of the two is decided here while the database reads or writes the other.
    """
    if not more:
        return await page_due(world) == BATCH
    async with asyncio.TaskGroup() as both:
        batches = [both.create_task(page_due(world)) for _ in range(2)]
    return sum(one.result() for one in batches) >= BATCH


async def page_due(world: World, limit: int = BATCH) -> int:
    """Apply the timers that have fired, longest ago first; returns how many alerts were claimed.

    After an outage an alert is moved once, for what is true now: steps that nobody was woken for
    are not replayed.
    """
    try:
        return await _page(world, limit)
    except DBAPIError as fault:
        if fault.connection_invalidated:
            raise
        if limit > 1:
            log.exception("a batch of timers was refused; half of it")
            return await page_due(world, limit // 2)
        return await _put_off(world)


async def _page(world: World, limit: int) -> int:
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        desk = Desk(connection, now)
        claimed, unread = await alerts.claim_due(connection, now, limit, _UNREAD.passed_over(now))
        _UNREAD.note(unread, now)
        await desk.prepare_for(claimed)
        decided = [await _decided(desk, alert) for alert in claimed]
        saved = [one for one in decided if one is not None]
        written = await alerts.save(connection, saved, now) if saved else None
    if written is not None and (written.due or written.syncs):
        world.wake()
    return len(claimed) + len(unread)


async def _decided(desk: Desk, alert: Alert) -> alerts.Saved | None:
    change: Change | None = due_change(alert)
    try:
        if isinstance(change, SuppressionEnded):
            change = quiet_over(await desk.context(alert.team), alert)
        if isinstance(change, Suppressed) and change.until == alert.suppressed_until:
            # looked at early
            return alerts.Saved(replace(alert, next_step_at=change.until), (), before=alert)
        outcome = await desk.decide(alert, change) if change is not None else None
    except DBAPIError:
        raise
    except UnreadableCopyError:
        _UNREAD.note([(alert.team, alert.id)], desk.now)
        return None
    except Exception:
        log.exception("a timer cannot be decided; looked at again in a minute", alert=str(alert.id))
        return alerts.Saved(replace(alert, next_step_at=desk.now + LATER), (), before=alert)
    if not isinstance(outcome, Changed):
        return None
    return alerts.Saved(outcome.alert, outcome.effects, before=alert)


async def _put_off(world: World) -> int:
    """The alert whose timer fired longest ago cannot be stored: others go first."""
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        claimed, _ = await alerts.claim_due(connection, now, 1, _UNREAD.passed_over(now))
        for alert in claimed:
            log.error("an alert cannot be stored; again in a minute", alert=str(alert.id))
            await alerts.put_off(connection, alert.team, alert.id, now + LATER)
    return len(claimed)
