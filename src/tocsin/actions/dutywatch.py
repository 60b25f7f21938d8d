"""Who comes on duty while a step waits is paged at once, who leaves or is gone is let go."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError

from tocsin.actions.desk import Desk, UnreadableCopyError
from tocsin.actions.unread import Unread
from tocsin.actions.world import World
from tocsin.core.alert import Alert, Changed
from tocsin.core.changes import DutyChanged
from tocsin.store import alerts, dutywatch
from tocsin.store.db import passes
from tocsin.store.dutywatch import Watched

log = structlog.get_logger()

BATCH = 100
"""Alerts per transaction: timers and pages get their turn in between."""

DUTY_EVERY = timedelta(seconds=1)


async def watch_duty(world: World, limit: int = BATCH) -> int:
    """See whose duty has changed, then look at the alerts that it concerns, batch by batch.

    Ends after a second, so that further changes are seen while thousands wait; returns how many
    alerts were looked at, 0 when none is left. What cannot be decided or stored is logged and left
    until the next change of duty; it holds up no other.
    """
    begun, done = world.clock.now(), 0
    await _see(world)
    while looked_at := await _look(world, limit):
        done += looked_at
        if world.clock.now() - begun >= DUTY_EVERY:
            break
    return done


async def _see(world: World) -> None:
    async with world.worker_database.transaction() as connection:
        seen = await dutywatch.changed(connection, world.clock.now())
        if seen:
            await dutywatch.note(connection, seen, world.clock.now())


async def _look(world: World, limit: int) -> int:
    claimed: list[Watched] = []
    try:
        await _batch(world, limit, claimed)
    except DBAPIError as fault:
        if passes(fault) or not claimed:
            raise
        if len(claimed) > 1:
            log.exception("a batch of changes of duty was refused; half of it")
            return await _look(world, len(claimed) // 2)
        log.exception("a change of duty cannot be stored", alert=str(claimed[0].alert.id))
        async with world.worker_database.transaction() as connection:
            at = max(world.clock.now(), claimed[0].changed_at)
            await dutywatch.looked_at(connection, [(claimed[0].alert, at)])
    return len(claimed)


@dataclass(slots=True)
class _Looked:
    """What a batch came to: alerts that change, and those for which only the moment is noted."""

    changed: list[alerts.Saved] = field(default_factory=list[alerts.Saved])
    same: list[tuple[Alert, datetime]] = field(default_factory=list[tuple[Alert, datetime]])


async def _batch(world: World, limit: int, claimed: list[Watched]) -> None:
    now, written = world.clock.now(), None
    async with world.worker_database.transaction() as connection:
        found, unread = await dutywatch.claim(connection, now, limit, _UNREAD.passed_over(now))
        _UNREAD.note(unread, now)
        claimed += found
        if not claimed:
            return
        desk = Desk(connection, now)
        await desk.prepare_for([one.alert for one in claimed])
        paged = {user for one in claimed for user in _paged(one.alert)}
        people = await dutywatch.people(connection, paged)
        looked = _Looked()
        for one in claimed:
            await _decide(desk, one, people, looked)
        if looked.changed:
            written = await alerts.save(connection, looked.changed, now)
        if looked.same:
            await dutywatch.looked_at(connection, looked.same)
    if written is not None and (written.due or written.syncs):
        world.wake()


async def _decide(
    desk: Desk, one: Watched, people: Mapping[int, tuple[str, bool]], looked: _Looked
) -> None:
    at = max(desk.now, one.changed_at)
    change = duty_changed(one.alert, people)
    try:
        outcome = await desk.decide(one.alert, change)
    except DBAPIError:
        raise
    except UnreadableCopyError:
        _UNREAD.note([(one.alert.team, one.alert.id)], desk.now)
        return
    except Exception:
        log.exception("a change of duty cannot be decided", alert=str(one.alert.id))
        looked.same.append((one.alert, at))
        return
    if isinstance(outcome, Changed):
        alert = replace(outcome.alert, duty_at=at)
        looked.changed.append(alerts.Saved(alert, outcome.effects, before=one.alert))
    else:
        looked.same.append((one.alert, at))


def duty_changed(alert: Alert, people: Mapping[int, tuple[str, bool]]) -> DutyChanged:
    """The change for an alert; `people` has the name of each user, and whether they are active."""
    known = {user: people[user] for user in _paged(alert) if user in people}
    return DutyChanged(
        inactive={user: name for user, (name, active) in known.items() if not active},
        names={user: name for user, (name, _) in known.items()},
    )


_UNREAD = Unread()


def _paged(alert: Alert) -> tuple[int, ...]:
    return (*alert.crew, *(one.user for one in alert.leaving))
