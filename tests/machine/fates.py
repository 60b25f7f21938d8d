"""A process of Tocsin within a test, which dies or is cut off in the middle of what it does."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import asynccontextmanager
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, TypeVar
from weakref import WeakSet

import asyncpg
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from tests.machine.handsets import FROZEN, Exchange, Handset, Pager
from tocsin.actions.deliver import Deliverer
from tocsin.actions.intake import Intake, Unstored
from tocsin.actions.world import PlugIns, World
from tocsin.egress import GuardedClient
from tocsin.keys import Keys
from tocsin.store.db import Connection, Database
from tocsin.testing.clock import MovableClock

T = TypeVar("T")


class How(StrEnum):
    """What happens to a process."""

    DIES = "dies"  # as by kill -9
    CUT = "is cut off"  # its connection ends, it goes on


@dataclass
class Fate:
    """Strikes once, at the n-th moment from now.

    Moments are each statement before it runs, each commit before it is asked for, and each commit
    after it was done, when whoever waits for it has not heard of it.
    """

    how: How | None = None
    left: int = 0
    strikes: int = 0
    died: asyncio.Event = field(default_factory=asyncio.Event)

    def arm(self, how: How, moments: int) -> None:
        self.how, self.left = how, moments

    def moment(self, connection: SyncConnection | None) -> None:
        """One moment; `connection` is None after a commit."""
        if self.how is None or self.died.is_set():
            return
        self.left -= 1
        if self.left > 0:
            return
        how, self.how = self.how, None
        self.strikes += 1
        if how is How.DIES:
            self.died.set()
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        elif connection is not None:
            driver = connection.connection.driver_connection
            assert isinstance(driver, asyncpg.Connection)
            driver.terminate()


class FragileDatabase(Database):
    """A pool whose process has a fate."""

    def __init__(self, dsn: str, fate: Fate) -> None:
        super().__init__(dsn, size=4)
        self._fate = fate
        engine = self._engine.sync_engine

        def statement(connection: SyncConnection, *_: object) -> None:
            fate.moment(connection)

        event.listen(engine, "before_cursor_execute", statement)
        event.listen(engine, "commit", statement)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        async with super().transaction() as connection:
            yield connection
        self._fate.moment(None)


OWNER: ContextVar["Process | None"] = ContextVar("OWNER", default=None)


def owned_tasks(
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[Any, Any, T] | Generator[Any, None, T],
    /,
    *,
    context: Context | None = None,
) -> "asyncio.Task[T]":
    """A task factory: each task belongs to the process in whose work it was made."""
    assert isinstance(coroutine, Coroutine)
    task = asyncio.Task(coroutine, loop=loop, context=context)
    owner = OWNER.get()
    if owner is not None:
        owner.tasks.add(task)
    return task


class Process:
    """One process: pools, intake, deliverer. What it does runs in tasks that end when it dies.

    `known_strikes` is how many strikes of its fate have been dealt with.
    """

    def __init__(self, world: World, exchange: Exchange) -> None:
        self.fate = Fate()
        self.tasks: WeakSet[asyncio.Task[Any]] = WeakSet()
        self.thawed: asyncio.Event | None = None
        self.known_strikes = 0
        Handset.exchange = exchange
        self.world = replace(
            world,
            database=FragileDatabase(world.database.dsn, self.fate),
            worker_database=FragileDatabase(world.database.dsn, self.fate),
            plug_ins=PlugIns(channels={"handset": lambda: Handset, "pager": lambda: Pager}),
        )
        self.deliverer = Deliverer(self.world)
        self.intake = Intake(self.world)

    @property
    def frozen(self) -> bool:
        return self.thawed is not None

    async def start(self) -> "Process":
        await self._within(self.intake.__aenter__())
        return self

    async def do(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Run it as this process; None when the process died or was cut off meanwhile."""
        before = self.fate.strikes
        task = self._within(work)
        died = asyncio.create_task(self.fate.died.wait())
        await asyncio.wait({task, died}, return_when=asyncio.FIRST_COMPLETED)
        died.cancel()
        if self.fate.died.is_set():
            await asyncio.wait({task}, timeout=0.05)
            return None
        try:
            return await task
        except (DBAPIError, OSError, Unstored):
            if self.fate.strikes == before:
                raise
            return None

    def freeze(self) -> None:
        """From now on what it sends hangs, until `thaw`."""
        self.thawed = asyncio.Event()

    def thaw(self) -> None:
        assert self.thawed is not None
        self.thawed.set()
        self.thawed = None

    async def end(self) -> None:
        """Nothing of it goes on."""
        tasks = [task for task in self.tasks if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.world.database.close()
        await self.world.worker_database.close()

    def _within(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        def make() -> "asyncio.Task[T]":
            OWNER.set(self)
            FROZEN.set(self.thawed)
            return asyncio.get_running_loop().create_task(work)

        return copy_context().run(make)


def a_world(dsn: str, clock: MovableClock) -> World:
    """What all processes share; its pools are replaced by each process's own."""
    database = Database(dsn, size=1)
    return World(
        database=database,
        worker_database=database,
        clock=clock,
        keys=Keys(bytes(32)),
        egress=GuardedClient(()),
        secrets=_no_secrets,
        plug_ins=PlugIns(),
        public_url="http://tocsin.test",
    )


def _no_secrets(reference: object) -> str:
    raise AssertionError(f"nothing here has a secret, {reference} is asked for")
