"""The doors while the database is away."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from tests.web.stage import SECRET, Stage, stage
from tocsin.store.db import Database
from tocsin.web.parts import Parts
from tocsin.web.server import create_app


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    async with stage(database) as made:
        yield made


async def test_every_door_says_that_the_database_is_away_and_when_to_come_again(
    doors: Stage,
) -> None:
    links = await doors.page(await doors.alert())
    away = Database("postgresql://127.0.0.1:1/nothing")
    world = replace(doors.world, database=away)
    web = create_app(Parts(world=world, intake=doors.intake, readiness=doors.world_is_well))
    headers = {"Authorization": f"Bearer {doors.tokens['mara']}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(web), base_url="http://tocsin.test", headers=headers
    ) as client:
        answers = {
            "api": await client.get("/api/v1/alerts"),
            "sender": await client.post(f"/webhook/{SECRET}", json={"Title": "x"}),
            "reply": await client.post(links["reply"], json={"action": "close"}),
            "page": await client.get(links["page"], headers={"Accept-Language": "de"}),
            "figures": await client.get("/metrics"),
        }
        alive = await client.get("/healthz")
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(
        answers, 503
    )
    assert all(int(answer.headers["retry-after"]) > 0 for answer in answers.values())
    assert "Datenbank" in answers["page"].text
    assert "Traceback" not in "".join(answer.text for answer in answers.values())
    assert alive.status_code == 200
    await away.close()
