"""A sender says that it is alive, or does not."""

from collections.abc import Sequence
from datetime import timedelta

from tocsin.actions.intake import Posted, take_in
from tocsin.actions.world import World
from tocsin.core.event import Said
from tocsin.core.heartbeat import FAIL, START, back, failure, rhythm, silence
from tocsin.core.kinds import SYSTEM, Actor
from tocsin.store import heartbeats
from tocsin.store.db import Connection
from tocsin.store.integrations import Integration

HEARTBEATS_EVERY = timedelta(seconds=1)


async def heard(world: World, sender: Integration, signal: str) -> None:
    """Note a ping (`ok`, `start` or `fail`), and raise or close the alert that follows from it.

    A start neither closes an alert nor gives more time: a run that begins again and again and
    never ends is found.
    """
    now = world.clock.now()

    async def note(connection: Connection) -> Sequence[Posted]:
        if signal == START:
            await heartbeats.started(connection, sender, now)
            return ()
        failed = signal == FAIL
        missed = await heartbeats.heard(connection, sender, now, failed=failed)
        if failed:
            return (_posted(sender, failure(sender.name, now)),)
        return (_posted(sender, back(sender.name, now)),) if missed else ()

    await take_in(world, world.database, note)


async def heartbeats_due(world: World) -> int:
    """Raise an alert for every heartbeat that is missed now; returns how many there were."""
    now = world.clock.now()

    async def find(connection: Connection) -> Sequence[Posted]:
        return [
            _posted(
                one.sender,
                silence(one.sender.name, one.heard_at, rhythm(one.sender.settings)),
                SYSTEM,
            )
            for one in await heartbeats.claim_missing(connection, now)
        ]

    return len(await take_in(world, world.worker_database, find))


def _posted(sender: Integration, said: Said, actor: Actor | None = None) -> Posted:
    return Posted(
        team=sender.team,
        name=sender.name,
        inlet=sender.inlet,
        said=(said,),
        integration=sender.id,
        policy=sender.policy,
        actor=actor,
        settings=sender.settings,
    )
