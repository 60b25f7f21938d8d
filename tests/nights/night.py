"""A whole night in seconds: real database, real deliveries, a clock that the test moves."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aiohttp import web

from tests.actions.worlds import world_at
from tocsin.actions.deliver import Deliverer
from tocsin.actions.dutywatch import watch_duty
from tocsin.actions.intake import Intake, Posted
from tocsin.actions.page import page_due
from tocsin.actions.reply import AlertRef, Asked, change
from tocsin.actions.silence import close_silent
from tocsin.actions.world import World
from tocsin.core.alert import Alert
from tocsin.core.event import Event
from tocsin.store import alerts
from tocsin.store.db import rows, run
from tocsin.testing.clock import MovableClock

STEP = timedelta(seconds=10)


@dataclass(frozen=True)
class Rung:
    """A message that a phone or an outgoing webhook took."""

    at: datetime
    kind: str
    user: str
    contact_method: str
    step: int
    attempt: int


@dataclass
class Night:
    """Everything that happened, told line by line, and every message that was taken.

    A `broken` phone answers 503 and is tried again, a `dead` one takes no more messages at all.
    """

    world: World
    intake: Intake
    deliverer: Deliverer
    told: list[str] = field(default_factory=list[str])
    broken: set[str] = field(default_factory=set[str])
    dead: set[str] = field(default_factory=set[str])
    taken: list[Rung] = field(default_factory=list[Rung])

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
        if who in self.dead:
            self.say(f"{who}'s phone is dead")
            return web.Response(status=410)
        self.taken.append(
            Rung(
                self.clock.now(),
                page["kind"],
                page["user"],
                page["contact_method"],
                page["step"],
                page["attempt"],
            )
        )
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

    async def hurry(self, end: datetime) -> None:
        """Let the night go on from one moment at which something is due to the next."""
        while self.clock.now() < end:
            following = await self._next()
            await self.clock.move_to(end if following is None else min(following, end))
            await self.settle()

    async def _next(self) -> datetime | None:
        """When something is due next: a timer, a message, a border of somebody's duty, silence."""
        async with self.world.database.transaction() as connection:
            (found,) = await rows(connection, _NEXT, self.clock.now())
        at: datetime | None = found["at"]
        return at

    async def settle(self) -> None:
        """Do all that is due now, as the worker's loops would."""
        busy = True
        while busy:
            paged = await page_due(self.world) + await watch_duty(self.world)
            paged += await close_silent(self.world)
            sent = await self.deliverer.launch()
            await self.deliverer.drain()
            busy = bool(paged or sent)

    async def timeline(self, key: str) -> list[str]:
        alert = await self.alert(key)
        async with self.world.database.transaction() as connection:
            rows = await alerts.timeline(connection, 1, alert.id)
        return [f"{row['at']:%H:%M:%S} {row['kind']} {row['by_name']}" for row in rows]


_NEXT = """
SELECT min(at) AS at FROM (
  SELECT next_step_at AS at FROM alert
  UNION ALL SELECT next_try_at FROM notification
  UNION ALL SELECT lower(during) FROM shift UNION ALL SELECT upper(during) FROM shift
  UNION ALL SELECT lower(during) FROM punch UNION ALL SELECT upper(during) FROM punch
  UNION ALL SELECT updated_at + close_after * interval '1 second' FROM alert
    WHERE status <> 'closed'
) AS due WHERE at > $1
"""


_OUR_PORT = (
    "UPDATE contact_method SET address = replace(address, '127.0.0.1:9', '127.0.0.1:' || $1::text)",
    "UPDATE stored SET body = replace(body::text, '127.0.0.1:9', '127.0.0.1:' || $1::text)::jsonb",
)


@asynccontextmanager
async def night(dsn: str, start: datetime, setup: Iterable[str] = ()) -> AsyncGenerator[Night]:
    """The installation of `tests.store.scene` after `setup`, its phones on a free port."""
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
        try:
            async with world.database.transaction() as connection:
                for statement in setup:
                    await run(connection, statement)
                for statement in _OUR_PORT:
                    await run(connection, statement, str(port))
            yield told
        finally:
            await deliverer.close()
            await runner.cleanup()
