"""A whole night in seconds: real database, real deliveries, a clock that the test moves."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aiohttp import web

from tests.actions.worlds import world_at
from tocsin.actions.deliver import Deliverer
from tocsin.actions.intake import Intake, Posted
from tocsin.actions.page import page_due
from tocsin.actions.reply import AlertRef, Asked, change
from tocsin.actions.world import World
from tocsin.core.alert import Alert
from tocsin.core.event import Event
from tocsin.store import alerts
from tocsin.store.db import run
from tocsin.testing.clock import MovableClock

STEP = timedelta(seconds=10)


@dataclass
class Night:
    """Everything that happened, told line by line."""

    world: World
    intake: Intake
    deliverer: Deliverer
    told: list[str] = field(default_factory=list[str])
    broken: set[str] = field(default_factory=set[str])

    @property
    def clock(self) -> MovableClock:
        assert isinstance(self.world.clock, MovableClock)
        return self.world.clock

    def say(self, line: str) -> None:
        self.told.append(f"{self.clock.now():%H:%M:%S} {line}")

    async def rings(self, request: web.Request) -> web.Response:
        """The phones: everything that is posted to them."""
        page = await request.json()
        who = request.match_info["who"]
        if who in self.broken:
            self.say(f"{who}'s phone is broken")
            return web.Response(status=503)
        again = f" again ({page['attempt']})" if page["attempt"] > 1 else ""
        self.say(f"{who}: {page['kind']}{again}: {page['text']}")
        return web.Response()

    async def raise_alert(self, title: str, key: str) -> None:
        said = (Event(title=title, external_id=key),)
        await self.intake.accept(
            Posted(team=1, name="plant", inlet="signl4", said=said, integration=1)
        )
        self.say(f"raised: {title}")
        await self.settle()

    async def answer(self, key: str, asked: Asked, line: str) -> None:
        alert = await self.alert(key)
        done = await change(self.world, AlertRef(1, alert.id), asked)
        assert done is not None
        self.say(f"{line} → {done.alert.status}")
        await self.settle()

    async def alert(self, key: str) -> Alert:
        async with self.world.database.transaction() as connection:
            found = await alerts.search(
                connection, alerts.Filter(teams=(1,), external_id=key, limit=1)
            )
        return found[0]

    async def until(self, end: datetime) -> None:
        """Let the night go on, ten seconds at a time."""
        while self.clock.now() < end:
            await self.clock.move(min(STEP, end - self.clock.now()))
            await self.settle()

    async def settle(self) -> None:
        """Do all that is due now, as the worker's loops would."""
        busy = True
        while busy:
            paged = await page_due(self.world)
            sent = await self.deliverer.launch()
            await self.deliverer.drain()
            busy = bool(paged or sent)

    async def timeline(self, key: str) -> list[str]:
        alert = await self.alert(key)
        async with self.world.database.transaction() as connection:
            rows = await alerts.timeline(connection, 1, alert.id)
        return [f"{row['at']:%H:%M:%S} {row['kind']} {row['by_name']}" for row in rows]


@asynccontextmanager
async def night(dsn: str, start: datetime) -> AsyncGenerator[Night]:
    """The installation of `tests.store.scene`, its phones on a free port."""
    async with world_at(dsn, start) as world, Intake(world) as intake:
        deliverer = Deliverer(world)
        told = Night(world, intake, deliverer)
        application = web.Application()
        application.router.add_post("/{who}", told.rings)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        async with world.database.transaction() as connection:
            await run(
                connection,
                "UPDATE contact_method SET address = replace(address, '127.0.0.1:9',"
                " '127.0.0.1:' || $1::text)",
                str(port),
            )
        try:
            yield told
        finally:
            await deliverer.close()
            await runner.cleanup()
