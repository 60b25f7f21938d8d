"""At a change of shift the incoming are told what stands open, and offered what leavers own."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import groupby

import structlog
from sqlalchemy.exc import DBAPIError

from tocsin.actions import handoverwords
from tocsin.actions.desk import Desk
from tocsin.actions.notices import Notice, tell_each
from tocsin.actions.world import World
from tocsin.core.alert import Alert, Changed, Outcome
from tocsin.core.changes import OwnerLeft
from tocsin.core.kinds import Urgency
from tocsin.store import alerts, handover, told
from tocsin.store.db import Connection
from tocsin.store.handover import Left, Untaken
from tocsin.store.outbox import claim_job
from tocsin.store.paging import team_contexts

log = structlog.get_logger()

HANDOVER_EVERY = timedelta(seconds=5)
"""How soon after a change of shift people are told, at the latest."""

_BATCH = 50  # people or alerts in one transaction: a second's work, whoever waits for its rows
_MOST = 200  # alerts in one message to a manager


async def change_shifts(world: World) -> None:
    """See who came on duty and who left it since the last look, and tell those concerned.

    Some at a time, in turn, so that many who come keep nobody who leaves waiting. What was said is
    written with the messages, so that a crash loses none and repeats none. A piece that fails does
    not keep the others from being done.
    """
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        if not await claim_job(connection, "hand_over", HANDOVER_EVERY, now):
            return
    pieces = list(_PIECES)
    fault: Exception | None = None
    while pieces:
        for piece in list(pieces):
            try:
                async with world.worker_database.transaction() as connection:
                    done = await piece(world, connection)
            except Exception as failed:  # noqa: BLE001 - raised when the others had their turn
                fault, done = fault or failed, 0
            if done:
                world.wake()
            if done < _BATCH:
                pieces.remove(piece)
    if fault is not None:
        raise fault


async def _welcome(world: World, connection: Connection) -> int:
    """One message to each who came on duty while anything stands open; returns how many came."""
    now = world.clock.now()
    came = await handover.came(connection, now, _BATCH)
    subjects = {(one.team, "hand_over", f"{one.tier}/{one.user}", one.since): one for one in came}
    first = await told.first_times(connection, subjects, now)
    new = [one for saying, one in subjects.items() if saying in first]
    teams = {one.team for one in new}
    standing = await handover.standing(connection, teams)
    contexts = await team_contexts(connection, teams, now)
    notices = [
        Notice(
            one.team,
            one.user,
            handoverwords.welcome(contexts[one.team].name, one.tier, standing[one.team]),
        )
        for one in new
        if one.team in standing
    ]
    await tell_each(connection, notices, now, urgency=Urgency.URGENT, contexts=contexts)
    return len(came)


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
        theirs = alert is not None and _had_it(alert, one)
        # Another process may have looked at it while we waited for the alert.
        if not await handover.note_left(
            connection, one, now + one.accept_within if theirs else None
        ):
            continue
        outcome = await _offered(desk, alert, one) if alert is not None and theirs else None
        if alert is not None and isinstance(outcome, Changed):
            saved.append(alerts.Saved(outcome.alert, outcome.effects, before=alert))
    if saved:
        await alerts.save(connection, saved, now)
    return len(found)


async def _offered(desk: Desk, alert: Alert, one: Left) -> Outcome | None:
    """What the core makes of it; None where that failed: the manager is told all the same."""
    since = one.at if alert.taken is None else alert.taken.at
    to = await handover.successors(desk.connection, one, since, desk.now)
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
    found = await handover.untaken(connection, now, _MOST)
    theirs = [one for one in found if one.theirs]
    contexts = await team_contexts(connection, {one.team for one in theirs}, now)
    for (team, _), group in groupby(theirs, key=lambda one: (one.team, one.owner)):
        ones, context = list(group), contexts[team]
        managers = context.duty.get((team, "manager"), ()) or context.admins
        words = handoverwords.not_taken(ones[0], context.name, await _titles(connection, ones))
        notices = [Notice(team, person.id, words) for person in managers]
        await tell_each(connection, notices, now, urgency=Urgency.URGENT, contexts=contexts)
    return len(found)


async def _titles(connection: Connection, ones: Iterable[Untaken]) -> Sequence[Alert]:
    found = await alerts.get_many(connection, [(one.team, one.alert) for one in ones])
    return sorted(found.values(), key=lambda alert: alert.number)


_PIECES = (_welcome, _offer, _not_taken)
