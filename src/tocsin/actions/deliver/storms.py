"""When a storm of pages is over, the person is told what it was and what is left of it."""

from collections.abc import Iterable
from datetime import datetime

from tocsin.actions.world import World
from tocsin.core.storm import over
from tocsin.store import outbox
from tocsin.store.db import Connection
from tocsin.store.outbox import Ended

_BATCH = 50


async def storms_over(world: World) -> int:
    """Promise one notice for each storm that has been calm for long enough; returns how many."""
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        ended = await outbox.ended_storms(connection, now, _BATCH)
        await tell(connection, ended, now)
    if ended:
        world.wake()
    return len(ended)


async def tell(connection: Connection, ended: Iterable[Ended], now: datetime) -> None:
    """Promise the notices of these storms."""
    for one in ended:
        subject, text = over(one.storm, one.alerts, one.open, one.acknowledged)
        words = {"subject": subject, "text": text, "body": text}
        await outbox.plan_notices(connection, [(one.storm.team, one.method, words)], now)
