"""One process that steps: alerts are prepared, fall due in the same second, and are paged."""

import asyncio
import sys
import time
from collections.abc import Sequence

import msgspec

from tocsin.actions.intake import Posted, accept
from tocsin.actions.intake.accepting import new_alerts_at_most
from tocsin.actions.page import page_due
from tocsin.actions.world import World
from tocsin.app import world_of
from tocsin.core.event import Event
from tocsin.settings import read
from tocsin.store.db import rows, run
from tocsin.store.events import reserve_numbers

ALERTS = 10_000
_BATCH = 500


class Stepped(msgspec.Struct, kw_only=True):
    """What it took, in seconds, and what came of it."""

    wall: float
    cpu: float
    longest: float
    moved: int
    planned: int


async def main(teams: int) -> Stepped:
    """Prepare, then page all that is due as the worker does."""
    settings = read()
    assert settings.database_url is not None
    async with world_of(settings, settings.database_url) as world:
        await _prepare(world, await _copies(world, teams))
        wall, cpu, longest, begun = time.monotonic(), time.process_time(), 0.0, time.monotonic()
        while await page_due(world):
            longest, begun = max(longest, time.monotonic() - begun), time.monotonic()
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
        async with world.database.transaction() as connection:
            found = await rows(connection, _RESULT)
    return Stepped(
        wall=wall,
        cpu=cpu,
        longest=longest,
        moved=found[0]["moved"],
        planned=found[0]["planned"],
    )


async def _copies(world: World, teams: int) -> Sequence[int]:
    """The configured team copied, with its members, policies, categories and shifts."""
    async with world.database.transaction() as connection:
        for statement in _COPIES:
            await run(connection, statement, teams)
        return [row["id"] for row in await rows(connection, "SELECT id FROM team ORDER BY id")]


async def _prepare(world: World, teams: Sequence[int]) -> None:
    """Alerts that wait on their first step, which ends for all in the second that has begun."""
    now = world.clock.now()
    for begin in range(0, ALERTS, _BATCH):
        posted = [
            Posted(
                team=teams[number % len(teams)],
                name="plant",
                inlet="signl4",
                said=(Event(title="Pressure out of range", external_id=f"bench-{number}"),),
            )
            for number in range(begin, begin + _BATCH)
        ]
        numbers = await reserve_numbers(world.database, new_alerts_at_most(posted))
        async with world.database.transaction() as connection:
            await accept(connection, posted, numbers, now)
    async with world.database.transaction() as connection:
        await run(
            connection, "UPDATE alert SET next_step_at = date_trunc('second', $1::timestamptz)", now
        )
    async with world.database.transaction() as connection:
        await run(connection, "ANALYZE")


_SOC = "(SELECT id FROM team WHERE name = 'soc')"
_OWNED = {
    "membership": "user_id, role, position",
    "escalation_policy": "name, body",
    "category": "name, position, body",
    "shift": "schedule_id, tier, user_id, during, why",
}
_COPIES = (
    (
        "INSERT INTO team (name, time_zone, body)"
        " SELECT 'copy-' || n, time_zone, body FROM team, generate_series(2, $1::int) n"
        " WHERE name = 'soc'"
    ),
    *(
        f"INSERT INTO {table} (team_id, {columns}) SELECT copy.id, {columns}"
        f" FROM (SELECT {columns} FROM {table} WHERE team_id = {_SOC}) AS original"
        f" CROSS JOIN (SELECT id FROM team WHERE id <> {_SOC} LIMIT $1) AS copy"
        for table, columns in _OWNED.items()
    ),
)

_RESULT = """
SELECT (SELECT count(*) FROM alert WHERE step = 1) AS moved,
  (SELECT count(*) FROM notification WHERE step = 1) AS planned
"""


if __name__ == "__main__":
    print(msgspec.json.encode(asyncio.run(main(int(sys.argv[1])))).decode(), flush=True)
