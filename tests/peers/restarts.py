"""Nights in which the process ends and another one, which remembers nothing, goes on."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

from tests.nights.night import Night
from tocsin.actions.deliver import Deliverer
from tocsin.actions.intake import Intake
from tocsin.store.db import Database, run


@asynccontextmanager
async def next_process(before: Night) -> AsyncGenerator[Night]:
    """The night as a new process sees it: same database, phones and clock, nothing in memory."""
    database = Database(before.world.database.dsn, size=4)
    world = replace(before.world, database=database, worker_database=database)
    deliverer = Deliverer(world)
    try:
        async with Intake(world) as intake:
            yield replace(before, world=world, intake=intake, deliverer=deliverer)
    finally:
        await deliverer.close()
        await database.close()


async def policy(night: Night, steps: str) -> None:
    """Give the team's policy these steps; alerts that are open keep theirs."""
    await sql(night, "UPDATE escalation_policy SET body = $1", f'{{"steps": [{steps}]}}')


async def sql(night: Night, text: str, *args: object) -> None:
    """Reach into the database."""
    async with night.world.database.transaction() as connection:
        await run(connection, text, *args)


def rang(night: Night, who: str) -> list[str]:
    """When somebody's phone rang for an alert, by the clock in UTC."""
    return [line[:8] for line in night.told if f"{who}: alert" in line]
