"""Engine, `transaction()`, `listen()`: the only place that opens a connection."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import asyncpg
import msgspec
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

Connection = AsyncConnection

WAKE = "tocsin_wake"
"""The channel on which processes tell each other, after a commit, that there is something new."""

PATIENCE = timedelta(seconds=15)
"""How long a transaction may take. A server that went away without a word, as when the network
between drops packets, would else hold its callers for a quarter of an hour or for ever."""

_MILLISECOND = timedelta(milliseconds=1)


class Database:
    """A pool of connections to one database.

    `transaction()` is the only way to write: it commits when its block ends and rolls back when
    the block raises. The network is never touched inside one.
    """

    def __init__(self, dsn: str, *, size: int = 8, patience: timedelta = PATIENCE) -> None:
        self.dsn = dsn
        self._patience = patience.total_seconds()
        self._engine = _engine(dsn, size)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        """A transaction that commits at the end of the block.

        Raises `TimeoutError` when the block and its commit take longer than `patience`.
        """
        async with asyncio.timeout(self._patience), self._engine.begin() as connection:
            yield connection

    async def notify(self) -> None:
        """Tell other processes that something was committed. Correctness never depends on it."""
        async with self.transaction() as connection:
            await connection.exec_driver_sql(f"NOTIFY {WAKE}")

    async def close(self) -> None:
        """Close every connection; those to a server that hangs are left to end with the process."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self._engine.dispose()


@asynccontextmanager
async def listen(dsn: str, heard: Callable[[], None]) -> AsyncGenerator[asyncio.Event]:
    """Call `heard` at each notification while the block runs, on a connection of its own.

    Yields an event that is set when the connection is cut.
    """
    cut = asyncio.Event()

    def on_notify(*_: object) -> None:
        heard()

    def on_end(*_: object) -> None:
        cut.set()

    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        connection.add_termination_listener(on_end)
        await connection.add_listener(WAKE, on_notify)
        yield cut
    finally:
        await connection.close(timeout=2)


Row = Mapping[str, Any]
"""One row by column name."""


async def rows(connection: Connection, sql: str, *args: object) -> Sequence[Row]:
    """Run SQL with $1, $2 … and read all its rows. JSONB arrives as text."""
    result = await connection.exec_driver_sql(sql, args)
    return cast("Sequence[Row]", result.mappings().all())


async def run(connection: Connection, sql: str, *args: object) -> int:
    """Run SQL with $1, $2 … and return the number of rows it touched."""
    result = await connection.exec_driver_sql(sql, args)
    return result.rowcount


async def only_read(connection: Connection) -> None:
    """Have a transaction that begins see one moment throughout, and refuse every write."""
    sql = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    await connection.exec_driver_sql(sql)


async def migrate(dsn: str) -> None:
    """Bring an empty or older database to this version. Safe to call from several processes."""
    engine = _engine(dsn, 1)
    try:
        async with engine.begin() as connection:
            await connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7102938475610293)")
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


async def ping(dsn: str) -> str:
    """The server's version, or raises what asyncpg raises when it cannot be reached."""
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        return str(await connection.fetchval("SHOW server_version"))
    finally:
        await connection.close()


def passes(fault: DBAPIError) -> bool:
    """Whether the trouble is the server's (gone, disk full, fail-over, deadlock), not a row's."""
    state = str(getattr(fault.orig, "sqlstate", None) or "")
    return fault.connection_invalidated or state[:2] in _PASSING


_PASSING = {"08", "25", "40", "53", "55", "57", "58"}


def _engine(dsn: str, size: int) -> AsyncEngine:
    async def connect(*_: object, **__: object) -> asyncpg.Connection:
        # I1 needs a commit that is on disk, whatever the server's default is.
        settings = {
            "synchronous_commit": "on",
            "application_name": "tocsin",
            "timezone": "UTC",
            # A process that is frozen or cut off must not keep its rows from the others.
            "idle_in_transaction_session_timeout": f"{PATIENCE // _MILLISECOND}",
            # Nor must the query of one that was killed go on for nobody.
            "client_connection_check_interval": "2s",
        }
        return await asyncpg.connect(dsn, server_settings=settings, timeout=10)

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=size,
        max_overflow=0,
        pool_timeout=30,
        pool_pre_ping=False,  # a round trip for each transaction; see `_refuse_closed`
        hide_parameters=True,  # they hold what senders and people wrote, and sealed secrets
        json_serializer=_to_json,
        json_deserializer=str,  # JSONB arrives as text, to be decoded into its own type
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    return engine


def _refuse_closed(connection: DBAPIConnection, *_: object) -> None:
    """Have the pool replace what was cut while it lay there, as after a restart of the server.

    Without it each such connection would fail one request after the server is long back.
    """
    driver: Any = connection.driver_connection
    if driver is None or driver.is_closed():
        raise DisconnectionError


def _to_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _upgrade(connection: SyncConnection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
