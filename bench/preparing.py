"""Alerts that wait on their first step, made through the one way in, and moved to when they end."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta

from tocsin.actions.intake import Posted, accept
from tocsin.actions.intake.accepting import new_alerts_at_most
from tocsin.actions.world import World
from tocsin.app import world_of
from tocsin.core.event import Event
from tocsin.settings import read
from tocsin.store.db import rows, run
from tocsin.store.events import reserve_numbers

_BATCH = 500


async def main(alerts: int, teams: int, due: datetime, spread: timedelta) -> None:
    """Their step ends from `due` on, evenly over `spread`; pages of before are taken back."""
    settings = read()
    assert settings.database_url is not None
    async with world_of(settings, settings.database_url) as world:
        await _raise(world, alerts, await _copies(world, teams))
        async with world.database.transaction() as connection:
            await run(connection, _QUIET)
            await run(connection, _DUE, due, spread.total_seconds() / alerts)
        async with world.database.transaction() as connection:
            await run(connection, "ANALYZE")


async def _copies(world: World, teams: int) -> Sequence[int]:
    """The configured team copied, with its members, policies, categories and shifts."""
    async with world.database.transaction() as connection:
        for statement in _COPIES:
            await run(connection, statement, teams)
        return [row["id"] for row in await rows(connection, "SELECT id FROM team ORDER BY id")]


async def _raise(world: World, alerts: int, teams: Sequence[int]) -> None:
    now = world.clock.now()
    for begin in range(0, alerts, _BATCH):
        posted = [
            Posted(
                team=teams[number % len(teams)],
                name="plant",
                inlet="signl4",
                said=(Event(title="Pressure out of range", external_id=f"bench-{number}"),),
            )
            for number in range(begin, min(alerts, begin + _BATCH))
        ]
        numbers = await reserve_numbers(world.database, new_alerts_at_most(posted))
        async with world.database.transaction() as connection:
            await accept(connection, posted, numbers, now)


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

_QUIET = """
UPDATE notification SET state = 'cancelled', next_try_at = NULL WHERE state = 'planned'
"""

_DUE = """
UPDATE alert a SET next_step_at = $1::timestamptz + o.place * $2::float8 * interval '1 second'
FROM (SELECT team_id, id, row_number() OVER (ORDER BY hashtext(id::text)) - 1 AS place FROM alert) o
WHERE a.team_id = o.team_id AND a.id = o.id
"""


if __name__ == "__main__":
    alerts, teams, due, spread = sys.argv[1:]
    asyncio.run(
        main(
            int(alerts),
            int(teams),
            datetime.fromisoformat(due),
            timedelta(seconds=float(spread)),
        )
    )
