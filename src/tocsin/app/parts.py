"""Database, keys, plug-ins: what every command that works on the installation needs."""

import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import asyncpg
from sqlalchemy.exc import DBAPIError

from tocsin.actions.world import PlugIns, World
from tocsin.clock import SystemClock
from tocsin.egress import GuardedClient
from tocsin.keys import load_or_create
from tocsin.ports import SecretMissingError
from tocsin.settings import NOT_SETTINGS, Settings
from tocsin.store.db import Database, migrate
from tocsin.store.embedded import EmbeddedPostgres
from tocsin.store.events import make_partitions

WEB_CONNECTIONS = 12
WORKER_CONNECTIONS = 8


@asynccontextmanager
async def opened(
    settings: Settings, *, log: Callable[[str], None], wake: Callable[[], None] = lambda: None
) -> AsyncGenerator[World]:
    """The parts of the installation that the settings name, its database migrated.

    Starts the private PostgreSQL for as long as the block runs when no other database is set.
    """
    async with AsyncExitStack() as stack:
        dsn = settings.database_url
        if dsn is None:
            private = await stack.enter_async_context(EmbeddedPostgres(settings.home, log=log))
            dsn = private.dsn
        await _ready(dsn)
        world = await stack.enter_async_context(world_of(settings, dsn, wake=wake))
        async with world.database.transaction() as connection:
            await make_partitions(connection, world.clock.now().date())
        yield world


@asynccontextmanager
async def world_of(
    settings: Settings, dsn: str, *, wake: Callable[[], None] = lambda: None
) -> AsyncGenerator[World]:
    """The world of a database that is there and migrated."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    egress = GuardedClient(settings.allow_private_targets)
    database = Database(dsn, size=WEB_CONNECTIONS)
    worker_database = Database(dsn, size=WORKER_CONNECTIONS)
    try:
        yield World(
            database=database,
            worker_database=worker_database,
            clock=SystemClock(),
            keys=load_or_create(settings.key_file),
            egress=egress,
            secrets=secret,
            plug_ins=plug_ins(),
            public_url=(settings.public_url or "http://localhost:8080").rstrip("/"),
            allow_private=settings.allow_private_targets,
            wake=wake,
        )
    finally:
        await egress.close()
        await worker_database.close()
        await database.close()


class DatabaseUnreachableError(Exception):
    """The database cannot be used; the message names the cause and the remedy."""


async def _ready(dsn: str) -> None:
    """Migrate the database. Raises `DatabaseUnreachableError`."""
    try:
        await migrate(dsn)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError) as fault:
        told = str(fault.orig if isinstance(fault, DBAPIError) else fault).partition("\n")[0]
        raise DatabaseUnreachableError(
            f"the database cannot be used: {told or type(fault).__name__}; check"
            " TOCSIN_DATABASE_URL, and that PostgreSQL 15 or newer answers there"
        ) from fault


def plug_ins() -> PlugIns:
    """What is installed; each is loaded when it is first used."""
    return PlugIns(
        channels=_loaders("tocsin.channels"),
        inlets=_loaders("tocsin.inlets"),
        sources=_loaders("tocsin.sources"),
    )


def _loaders(group: str) -> Mapping[str, Callable[[], Any]]:
    return {entry.name: partial(_load, entry) for entry in entry_points(group=group)}


def _load(entry: EntryPoint) -> object:
    return entry.load()


def secret(reference: Mapping[str, Any]) -> str:
    """The value of `{secret_env: NAME}`, read each time it is needed.

    Raises `SecretMissingError`; other names than the contract's are never read.
    """
    name = str(reference.get("secret_env", ""))
    if not name.endswith(NOT_SETTINGS):
        endings = ", ".join(NOT_SETTINGS)
        raise SecretMissingError(f"secret_env {name!r}: the name must end in {endings}")
    value = os.environ.get(name)
    if not value:
        raise SecretMissingError(f"the environment variable {name} is not set where serve runs")
    return value
