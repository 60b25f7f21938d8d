"""People are reminded before their shift begins, and before it ends where they want that."""

from datetime import timedelta

from tocsin.actions.notices import tell
from tocsin.actions.world import World
from tocsin.core.dutywords import Said, moment, notice
from tocsin.store import told
from tocsin.store.outbox import claim_job
from tocsin.store.reminders import Soon, soon

_EVERY = timedelta(seconds=30)


async def send_reminders(world: World) -> None:
    """Remind each person of each beginning and end once, written with the reminder itself.

    What has begun meanwhile, as after an outage, is not reminded of any more.
    """
    now, said = world.clock.now(), 0
    async with world.worker_database.transaction() as connection:
        if not await claim_job(connection, "reminders", _EVERY, now):
            return
        for one in await soon(connection, now):
            subject, span = f"{one.tier}/{one.user}", (one.at, one.at)
            if await told.first_time(connection, one.team, one.kind, subject, span, now):
                await tell(connection, one.team, [one.user], _words(one), now)
                said += 1
    if said:
        world.wake()


def _words(one: Soon) -> Said:
    tier = "manager" if one.tier == "manager" else f"tier {one.tier}"

    def line(zone: str) -> str:
        when = f"{moment(one.at, zone)} ({zone})"
        return f"Your duty in {one.team_name} ({tier}) {one.kind} at {when}."

    return notice(line)
