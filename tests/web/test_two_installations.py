"""Two installations watch each other: when one falls silent, the other pages its people."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

from aiohttp import web

from tests.actions.worlds import LOOPBACK, world_at
from tests.databases import Databases
from tests.store.scene import scene
from tocsin.actions.watchdog import opened_watchdog
from tocsin.core.heartbeat import rhythm
from tocsin.serving import Serving, serving
from tocsin.settings import Settings
from tocsin.store.db import run
from tocsin.testing.clock import MovableClock

SECRET = "first-site-secret-01"
EXPECTED = {"every": "1s", "grace": "1s"}


async def _phone(rang: asyncio.Queue[str]) -> web.AppRunner:
    async def rings(request: web.Request) -> web.Response:
        page = await request.json()
        rang.put_nowait(f"{request.match_info['who']}: {page['kind']}: {page['alert']['title']}")
        return web.Response()

    application = web.Application()
    application.router.add_post("/{who}", rings)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


async def _prepare(second: Serving, port: int) -> None:
    """The second site expects the first one every second, and calls ada when it is silent."""
    async with second.world.database.transaction() as connection:
        await run(
            connection,
            "UPDATE contact_method SET address = replace(address, ':9/', ':' || $1::text || '/')",
            str(port),
        )
        await run(
            connection,
            "UPDATE escalation_policy SET body = $1::text::jsonb",
            json.dumps({"steps": [{"notify": [{"user": "ada"}], "wait": "5m"}]}),
        )
        await run(
            connection,
            "INSERT INTO integration (team_id, id, name, inlet, sealed_secret, body)"
            " OVERRIDING SYSTEM VALUE VALUES (1, 50, 'first site', 'heartbeat', 'x', $1)",
            json.dumps({"inlet": "heartbeat", "settings": EXPECTED}),
        )
        await run(
            connection,
            "INSERT INTO address (hash, kind, team_id, row_id) VALUES ($1, 'integration', 1, 50)",
            second.world.keys.hash(SECRET),
        )


async def _works(first: str, second: Serving, rang: asyncio.Queue[str]) -> None:
    """The first site's watchdog finds all well for some seconds, then there is none any more."""
    span = rhythm(EXPECTED)
    async with world_at(first) as world, opened_watchdog(world) as watchdog:
        assert isinstance(world.clock, MovableClock)
        async with world.database.transaction() as connection:
            await run(
                connection,
                "INSERT INTO setting (name, body) VALUES ('watchdog', $1)",
                json.dumps({"ping": f"{second.url}/heartbeat/{SECRET}", "every": "5s"}),
            )
        for _ in range(8):
            await world.clock.move(timedelta(seconds=5))
            await watchdog.turn()
            await asyncio.sleep((span.every / 2).total_seconds())
    assert rang.empty()


async def test_a_dead_site_pages_through_the_other_one(
    databases: Databases, database: str, tmp_path: Path
) -> None:
    first = databases.migrated()
    rang: asyncio.Queue[str] = asyncio.Queue()
    phone = await _phone(rang)
    settings = Settings(home=tmp_path, database_url=database, allow_private_targets=LOOPBACK)
    try:
        async with scene(database), serving(settings, announce=lambda _: None) as second:
            await _prepare(second, phone.addresses[0][1])
            await _works(first, second, rang)
            async with asyncio.timeout(20):
                assert await rang.get() == "ada: alert: No heartbeat from first site"
    finally:
        await phone.cleanup()
        databases.drop(first)
