"""People are reminded before their shift begins, and before it ends where they want that."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from tocsin.actions.notices import Notice, tell_each
from tocsin.actions.world import World
from tocsin.core.dutywords import Said, moment, notice
from tocsin.store import reminders, told
from tocsin.store.db import Connection
from tocsin.store.outbox import claim_job
from tocsin.store.reminders import Soon, Wish

_EVERY = timedelta(seconds=30)
_BATCH = 50  # in one transaction


async def send_reminders(world: World) -> None:
    """Remind each person of each beginning and end once, written with the reminder itself.

    Some people at a time. What has begun meanwhile, as after an outage, is not reminded of.
    """
    async with world.worker_database.transaction() as connection:
        if not await claim_job(connection, "reminders", _EVERY, world.clock.now()):
            return
        wanted = await reminders.wishes(connection)
        done = await _remind(connection, wanted, world.clock.now())
    while done >= _BATCH:
        world.wake()
        async with world.worker_database.transaction() as connection:
            done = await _remind(connection, wanted, world.clock.now())
    if done:
        world.wake()


async def _remind(connection: Connection, wanted: Mapping[int, Wish], now: datetime) -> int:
    """Remind the next of them; returns how many."""
    found = await reminders.soon(connection, wanted, now, _BATCH)
    sayings = {(one.team, one.kind, f"{one.tier}/{one.user}", one.at): one for one in found}
    first = await told.first_times(connection, sayings, now)
    notices = [
        Notice(one.team, one.user, _words(one))
        for saying, one in sayings.items()
        if saying in first
    ]
    await tell_each(connection, notices, now)
    return len(found)


def _words(one: Soon) -> Said:
    tier = "manager" if one.tier == "manager" else f"tier {one.tier}"

    def line(zone: str) -> str:
        when = f"{moment(one.at, zone)} ({zone})"
        return f"Your duty in {one.team_name} ({tier}) {one.kind} at {when}."

    return notice(line)
