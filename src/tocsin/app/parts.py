"""Database, keys, plug-ins: what every command that works on the installation needs."""

import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import asyncpg
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from tocsin.actions.world import PlugIns, World
from tocsin.app.keyfile import fitting_keys
from tocsin.app.timekeeping import shared_clock
from tocsin.egress import GuardedClient
from tocsin.ports import SecretMissingError
from tocsin.settings import NOT_SETTINGS, Settings
from tocsin.store import installation
from tocsin.store.db import Database, migrate
from tocsin.store.embedded import EmbeddedPostgres
from tocsin.store.events import make_partitions

WEB_CONNECTIONS = 12
WORKER_CONNECTIONS = 8
LOCAL_URL = "http://localhost:8080"
"""Where links lead to while nothing says what this installation's address is."""


@asynccontextmanager
async def opened(
    settings: Settings, *, log: Callable[[str], None], wake: Callable[[], None] = lambda: None
) -> AsyncGenerator[World]:
    """The parts of the installation that the settings name, its database migrated.

    Starts the private PostgreSQL for as long as the block runs when no other database is set.
    Raises `DatabaseUnreachableError`, `KeyFileError`, `EmbeddedError`.
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
    """The world of a database that is there and migrated. Raises `KeyFileError`."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    egress = GuardedClient(settings.allow_private_targets)
    database = Database(dsn, size=WEB_CONNECTIONS)
    worker_database = Database(dsn, size=WORKER_CONNECTIONS)
    try:
        async with shared_clock(worker_database) as clock:
            yield World(
                database=database,
                worker_database=worker_database,
                clock=clock,
                keys=await fitting_keys(database, settings.key_file, clock.now()),
                egress=egress,
                secrets=secret,
                plug_ins=plug_ins(),
                public_url=(settings.public_url or LOCAL_URL).rstrip("/"),
                allow_private=settings.allow_private_targets,
                wake=wake,
            )
    finally:
        await egress.close()
        await worker_database.close()
        await database.close()


class DatabaseUnreachableError(Exception):
    """The database cannot be used; the message names the cause and the remedy."""


_UNUSABLE = (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError)


async def _ready(dsn: str) -> None:
    """Migrate the database. Raises `DatabaseUnreachableError`, with nothing changed."""
    try:
        await _refuse_foreign(dsn)
        await migrate(dsn)
    except CommandError as fault:  # it names a revision that this version does not have
        raise DatabaseUnreachableError(
            f"the database was made by a newer version of Tocsin ({fault}); nothing was changed. "
            "Run that version, or restore the backup from before the update"
        ) from fault
    except _UNUSABLE as fault:
        told = str(fault.orig if isinstance(fault, DBAPIError) else fault).partition("\n")[0]
        raise DatabaseUnreachableError(
            f"the database cannot be used: {told or type(fault).__name__}; check"
            " TOCSIN_DATABASE_URL, and that PostgreSQL 15 or newer answers there"
        ) from fault


async def _refuse_foreign(dsn: str) -> None:
    database = Database(dsn, size=1)
    try:
        async with database.transaction() as connection:
            found = await installation.foreign(connection)
    finally:
        await database.close()
    if found:
        names = ", ".join(found[:3])
        raise DatabaseUnreachableError(
            f"the database that TOCSIN_DATABASE_URL names is neither empty nor Tocsin's (it has "
            f"{names}{' …' if len(found) > 3 else ''}); nothing was changed. Make an empty "
            "database for Tocsin and name that one"
        )


def plug_ins() -> PlugIns:
    """What is installed; each is loaded when it is first used."""
    return PlugIns(
        channels=_loaders("tocsin.channels"),
        inlets=_loaders("tocsin.inlets"),
        sources=_loaders("tocsin.sources"),
    )


def _loaders(group: str) -> Mapping[str, Callable[[], Any]]:
    return {entry.name: partial(_load, entry) for entry in entry_points(group=group)}


@cache
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
