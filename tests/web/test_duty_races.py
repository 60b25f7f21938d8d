"""Two change the duty of one team at the same moment, and neither undoes or breaks the other."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest

from tests.web.stage import NOW, Stage, stage
from tests.web.test_api_takeover import WEEKS, at, call, who
from tocsin.store import shifts
from tocsin.store.db import Database, run


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    """Jonas is on duty by the rotation."""
    async with stage(database) as made:
        async with made.client("sam") as web:
            done = await web.patch("/api/v1/schedules/primary", json={"rotations": [WEEKS]})
            assert done.status_code == 200, done.text
        yield made


@asynccontextmanager
async def held(doors: Stage) -> AsyncGenerator[None]:
    """Somebody else works out shifts of the team for as long as the block runs."""
    async with doors.world.worker_database.transaction() as connection:
        await shifts.hold(connection, 1)
        yield


async def both(
    doors: Stage, first: "asyncio.Task[httpx.Response]", second: "asyncio.Task[httpx.Response]"
) -> tuple[httpx.Response, httpx.Response]:
    one, two = await asyncio.gather(first, second)
    assert (one.status_code, two.status_code) == (200, 200), (one.text, two.text)
    return one, two


async def waiting() -> None:
    await asyncio.sleep(0.4)


async def test_punching_out_beside_a_take_over_leaves_the_taker_on_duty(doors: Stage) -> None:
    async with held(doors):
        first = asyncio.create_task(call(doors, "mara", "take-over"))
        await waiting()
        second = asyncio.create_task(call(doors, "jonas", "punch-out"))
        await waiting()
    one, two = await both(doors, first, second)
    assert [each[1] for each in who(one)] == [each[1] for each in who(two)] == ["mara"]
    assert await at(doors, minutes=1) == ["mara"]


async def test_an_edit_beside_a_take_over_locks_up_with_nobody_and_keeps_no_alert_waiting(
    doors: Stage,
) -> None:
    async def edited() -> httpx.Response:
        async with doors.client("sam") as web:
            changed = {"rotations": [{**WEEKS, "name": "other"}]}
            return await web.patch("/api/v1/schedules/primary", json=changed)

    async with held(doors):
        first = asyncio.create_task(call(doors, "mara", "take-over"))
        await waiting()
        second = asyncio.create_task(edited())
        await waiting()
        intake = Database(doors.world.database.dsn, size=1)
        try:
            async with intake.transaction() as connection:
                await run(connection, "SET LOCAL lock_timeout = '300ms'")
                await run(connection, "UPDATE team SET version = version WHERE id = 1")
        finally:
            await intake.close()
    await both(doors, first, second)


async def test_punching_out_of_a_punch_beside_a_take_over_locks_up_with_nobody(
    doors: Stage,
) -> None:
    await call(doors, "jonas", "punch-in", until=(NOW + timedelta(hours=2)).isoformat())
    async with held(doors):
        first = asyncio.create_task(call(doors, "mara", "take-over"))
        await waiting()
        second = asyncio.create_task(call(doors, "jonas", "punch-out"))
        await waiting()
    await both(doors, first, second)


async def test_whoever_stands_in_can_go_off_duty(doors: Stage) -> None:
    await call(doors, "mara", "take-over")
    done = await call(doors, "mara", "punch-out")
    assert who(done) == []
    assert done.json()["warnings"] == ["nobody is on duty in tier 1 now; who plans is told"]
    assert await at(doors, minutes=1) == []
