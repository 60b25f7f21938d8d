"""How fast the pages of alerts whose step is due in the same second are planned."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec

from bench.configuration import configuration
from bench.figures import Figure
from bench.stage import Stage, fetch
from bench.stepping import Stepped
from tocsin.clock import SystemClock
from tocsin.store.db import migrate

_AHEAD = timedelta(seconds=6)
"""Time for the processes to start."""


async def one_team(stage: Stage) -> list[Figure]:
    """10,000 alerts of one team, one process."""
    return await _storm(stage, 10_000, limit=3)


async def many_teams(stage: Stage) -> list[Figure]:
    """Ten alerts in each of a thousand teams, one process."""
    return await _storm(stage, 10_000, limit=3, teams=1000)


async def hundred_thousand(stage: Stage) -> list[Figure]:
    """100,000 alerts of one team, one process."""
    return await _storm(stage, 100_000, limit=12)


async def two_processes(stage: Stage) -> list[Figure]:
    """100,000 alerts of one team, two processes."""
    return await _storm(stage, 100_000, limit=8, processes=2)


async def prepare(
    stage: Stage, dsn: str, alerts: int, teams: int = 1, spread: timedelta = timedelta()
) -> datetime:
    """Alerts of the configured team and its copies, their step due from the answered time on."""
    extra = _environment(stage, dsn)
    far = datetime(2099, 1, 1, tzinfo=UTC)
    arguments = (str(alerts), str(teams), far.isoformat(), str(spread.total_seconds()))
    await stage.program("preparing", *arguments, extra=extra)
    due = (SystemClock().now() + _AHEAD).replace(microsecond=0)
    moved = f"UPDATE alert SET next_step_at = next_step_at - interval '{(far - due)}'"
    await fetch(dsn, moved)
    await fetch(dsn, "VACUUM ANALYZE alert")
    return due


async def _storm(
    stage: Stage, alerts: int, limit: float, teams: int = 1, processes: int = 1
) -> list[Figure]:
    dsn = await stage.database()
    await migrate(dsn)
    await stage.apply(dsn, configuration(phone_port=9))
    due = await prepare(stage, dsn, alerts, teams)
    begun = str(due.timestamp())
    said = await asyncio.gather(
        *(
            stage.program("stepping", begun, extra=_environment(stage, dsn))
            for _ in range(processes)
        )
    )
    done = [msgspec.json.decode(one, type=Stepped) for one in said]
    many = f", {teams:,} teams" if teams > 1 else ""
    with_ = f" by {processes} processes" if processes > 1 else ""
    cpu = " + ".join(f"{one.cpu:.1f}" for one in done)
    longest = max(one.longest for one in done)
    return [
        Figure(
            name=f"{alerts:,} steps due at once{many}, planned{with_}",
            value=max(one.ended for one in done) - due.timestamp(),
            unit="s",
            limit=limit,
            note=f"{cpu} s CPU in Python; longest turn {longest:.2f} s",
            wrong=await _wrong(dsn, alerts),
        )
    ]


async def _wrong(dsn: str, alerts: int) -> str:
    """What is missing from one page for each alert, or there twice."""
    moved = await fetch(dsn, "SELECT count(*) FROM alert WHERE step = 1")
    planned = await fetch(dsn, "SELECT count(*) FROM notification WHERE step = 1")
    twice = await fetch(
        dsn,
        "SELECT count(*) FROM (SELECT FROM notification GROUP BY team_id, alert_id, user_id,"
        " method_id, episode, round, step HAVING count(*) > 1) AS twice",
    )
    right = moved == planned == alerts and not twice
    return "" if right else f"{moved} alerts moved, {planned} pages planned, {twice} of them twice"


def _environment(stage: Stage, dsn: str) -> dict[str, str]:
    return {"TOCSIN_DATABASE_URL": dsn, "TOCSIN_HOME": str(stage.folder / "serving")}
