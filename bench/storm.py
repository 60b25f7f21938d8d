"""How fast one process plans the pages of 10,000 alerts whose step is due in the same second."""

import msgspec

from bench.configuration import configuration
from bench.figures import Figure
from bench.stage import Stage
from bench.stepping import ALERTS, Stepped
from tocsin.store.db import migrate

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
    extra = {"TOCSIN_DATABASE_URL": dsn, "TOCSIN_HOME": str(stage.folder / "serving")}
    said = await stage.program("stepping", str(teams), extra=extra)
    stepped = msgspec.json.decode(said, type=Stepped)
    right = stepped.moved == stepped.planned == ALERTS
    return [
        Figure(
            name=f"{ALERTS:,} steps due at once, {teams:,} team{'s' * (teams > 1)}",
            value=stepped.wall,
            unit="s",
            limit=LIMIT,
            note=f"{stepped.cpu:.2f} s CPU in Python; longest transaction {stepped.longest:.2f} s",
            wrong="" if right else f"{stepped.moved} alerts moved, {stepped.planned} pages planned",
        )
    ]
