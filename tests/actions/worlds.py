"""A world for tests: a real database, a clock that tests move, the installed plug-ins."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from tests.store.scene import NOW, scene
from tocsin.actions.world import World
from tocsin.app import plug_ins, secret
from tocsin.egress import GuardedClient
from tocsin.keys import Keys
from tocsin.store.db import Database
from tocsin.testing.clock import MovableClock

LOOPBACK = ("127.0.0.0/8",)


@asynccontextmanager
async def world_at(
    dsn: str, start: datetime = NOW, *, wake: Callable[[], None] = lambda: None
) -> AsyncGenerator[World]:
    """The small installation of `tests.store.scene`, at `start`."""
    async with scene(dsn) as database:
        worker_database = Database(dsn, size=4)
        egress = GuardedClient(LOOPBACK)
        try:
            yield World(
                database=database,
                worker_database=worker_database,
                clock=MovableClock(start),
                keys=Keys(bytes(32)),
                egress=egress,
                secrets=secret,
                plug_ins=plug_ins(),
                public_url="http://tocsin.test",
                allow_private=LOOPBACK,
                wake=wake,
            )
        finally:
            await egress.close()
            await worker_database.close()
