"""How fast one process plans the pages of 10,000 alerts whose step is due in the same second."""

import secrets

import asyncpg
import msgspec

from bench.configuration import configuration
from bench.figures import Figure
from bench.stage import Stage, fetch
from bench.stepping import Stepped
from tocsin.store.db import migrate

ALERTS = 10_000
LIMIT = 3.0


async def one_team(stage: Stage) -> list[Figure]:
    """All alerts belong to one team."""
    return await _storm(stage, teams=1)


async def many_teams(stage: Stage) -> list[Figure]:
    """Ten alerts in each of a thousand teams."""
    return await _storm(stage, teams=1000)


async def _storm(stage: Stage, teams: int) -> list[Figure]:
    dsn = await stage.database()
    await migrate(dsn)
    await stage.apply(dsn, configuration(phone_port=9))
    await _prepare(dsn, teams)
    key_home = stage.folder / secrets.token_hex(4)
    said = await stage.program("stepping", dsn, str(key_home))
    stepped = msgspec.json.decode(said, type=Stepped)
    planned = await fetch(dsn, "SELECT count(*) FROM notification")
    moved = await fetch(dsn, "SELECT count(*) FROM alert WHERE step = 1")
    right = planned == moved == ALERTS
    note = f"{stepped.cpu:.2f} s of CPU in Python, batches of 500"
    return [
        Figure(
            name=f"{ALERTS:,} steps due at once, {teams:,} team{'s' * (teams > 1)}",
            value=stepped.wall,
            unit="s",
            limit=LIMIT,
            note=note,
            wrong="" if right else f"{moved} alerts moved, {planned} pages planned",
        )
    ]


async def _prepare(dsn: str, teams: int) -> None:
    """Copies of the configured team, and alerts that have waited on their first step."""
    connection = await asyncpg.connect(dsn)
    try:
        for statement in _COPIES:
            await connection.execute(statement.replace("$TEAMS", str(teams)))
        body = await connection.fetchval("SELECT body FROM escalation_policy LIMIT 1")
        del body
        await connection.execute(_ALERTS, ALERTS, teams)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
