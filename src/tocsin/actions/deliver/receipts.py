"""Reports of delivery: those that come, and those that do not come in time."""

from uuid import UUID

from tocsin.actions.world import World
from tocsin.core.notification import State
from tocsin.core.storable import line
from tocsin.store import outbox

_BATCH = 200
_LONGEST = 1000


async def late_receipts(world: World) -> int:
    """Let the next rules run of people whose messages were not reported as delivered in time.

    One batch; returns how many messages it was.
    """
    async with world.worker_database.transaction() as connection:
        found = await outbox.late(connection, world.clock.now(), _BATCH)
    if found:
        world.wake()
    return found


async def reported(
    world: World, team: int, notification: UUID, state: State, detail: str | None = None
) -> bool:
    """Write down what a provider reports, in whatever order; False when it says nothing new."""
    words = None if detail is None else line(detail, _LONGEST)
    async with world.database.transaction() as connection:
        new = await outbox.report(connection, team, notification, state, words, world.clock.now())
    if new:
        world.wake()
    return new
