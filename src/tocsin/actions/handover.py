"""At a change of shift the incoming are told what stands open, and offered what leavers own."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import groupby

import structlog
from sqlalchemy.exc import DBAPIError

from tocsin.actions import handoverwords
from tocsin.actions.desk import Desk
from tocsin.actions.notices import tell
from tocsin.actions.world import World
from tocsin.core.alert import Alert, Changed, Outcome
from tocsin.core.changes import OwnerLeft
from tocsin.core.kinds import Urgency
from tocsin.store import alerts, handover, told
from tocsin.store.db import Connection
from tocsin.store.handover import Left, Untaken
from tocsin.store.outbox import claim_job
from tocsin.store.paging import team_context

log = structlog.get_logger()

HANDOVER_EVERY = timedelta(seconds=5)
"""How soon after a change of shift people are told, at the latest."""

_KEEP = timedelta(days=1)
_BATCH = 200


async def change_shifts(world: World) -> None:
    """See who came on duty and who left it since the last look, and tell those concerned.

    What was said is written with the messages, so that a crash loses none and repeats none.
    """
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        if not await claim_job(connection, "hand_over", HANDOVER_EVERY, now):
            return
        done = await _welcome(world, connection)
    async with world.worker_database.transaction() as connection:
        done += await _offer(world, connection)
    async with world.worker_database.transaction() as connection:
        done += await _not_taken(world, connection)
        await handover.forget_left(connection, now - _KEEP)
    if done:
        world.wake()


async def _welcome(world: World, connection: Connection) -> int:
    """One message to each who came on duty while anything stands open; returns how many."""
    now, said = world.clock.now(), 0
    came = await handover.came(connection, now)
    standing = await handover.standing(connection, {one.team for one in came})
    for one in came:
        span, subject = (one.since, now), f"{one.tier}/{one.user}"
        if not await told.first_time(connection, one.team, "hand_over", subject, span, now):
            continue
        found = standing.get(one.team, [])
        if found:
            context = await team_context(connection, one.team, now)
            words = handoverwords.welcome(context.name, one.tier, found)
            await tell(connection, one.team, [one.user], words, now, urgency=Urgency.URGENT)
            said += 1
    return said


async def _offer(world: World, connection: Connection) -> int:
    """Offer the alerts of leavers to whoever is on duty in their place; returns how many."""
    now = world.clock.now()
    found = await handover.left(connection, now, _BATCH)
    locked = await alerts.get_many(connection, [(one.team, one.alert) for one in found], lock=True)
    desk = Desk(connection, now)
    await desk.prepare_for(list(locked.values()))
    saved: list[alerts.Saved] = []
    for one in found:
        alert = locked.get(one.alert)
        if alert is None or not _had_it(alert, one):
            await handover.note_left(connection, one, None)
            continue
        await handover.note_left(connection, one, now + one.accept_within)
        outcome = await _offered(desk, alert, one)
        if isinstance(outcome, Changed):
            saved.append(alerts.Saved(outcome.alert, outcome.effects, before=alert))
    if saved:
        await alerts.save(connection, saved, now)
    return len(saved)


async def _offered(desk: Desk, alert: Alert, one: Left) -> Outcome | None:
    """What the core makes of it; None where that failed: the manager is told all the same."""
    to = await handover.successors(desk.connection, one.team, one.owner, one.at, desk.now)
    try:
        return await desk.decide(alert, OwnerLeft(one.owner, one.owner_name, to))
    except DBAPIError:
        raise
    except Exception:
        log.exception("an alert of a leaver cannot be offered", alert=str(alert.id))
        return None


def _had_it(alert: Alert, one: Left) -> bool:
    """Whether the alert was the leaver's when they left; who takes one later means to keep it."""
    return alert.owner == one.owner and (alert.taken is None or alert.taken.at <= one.at)


async def _not_taken(world: World, connection: Connection) -> int:
    """Tell the manager on duty of what nobody took over in time; returns of how many alerts."""
    now = world.clock.now()
    found = await handover.untaken(connection, now, _BATCH)
    for (team, _), group in groupby(found, key=lambda one: (one.team, one.owner)):
        ones = list(group)
        context = await team_context(connection, team, now)
        managers = context.duty.get((team, "manager"), ()) or context.admins
        words = handoverwords.not_taken(ones[0], context.name, await _titles(connection, ones))
        people = [person.id for person in managers]
        await tell(connection, team, people, words, now, urgency=Urgency.URGENT)
    return len(found)


async def _titles(connection: Connection, ones: Iterable[Untaken]) -> Sequence[Alert]:
    found = await alerts.get_many(connection, [(one.team, one.alert) for one in ones])
    return sorted(found.values(), key=lambda alert: alert.number)
