"""Databases for tests, each a copy of one template that was migrated once in the run."""

import asyncio
import itertools
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from tocsin.store.db import migrate

_LOCK = 7_215_604_917  # any number: which worker makes the template


class Databases:
    """Makes databases on one server and removes them; usable from tests with and without a loop."""

    def __init__(self, admin: str, run: str, worker: str) -> None:
        self._admin = admin
        self._run = run
        self._worker = worker
        self._numbers = itertools.count(1)

    def migrated(self) -> str:
        """The address of a new database with every table and no rows."""
        template = f"{self._run}_template"
        _wait(_make_template(self._admin, template))
        return self._create(template)

    def empty(self) -> str:
        """The address of a new database with nothing in it."""
        return self._create("template1")

    def drop(self, dsn: str) -> None:
        """Removes a database, ending the connections that are still open to it."""
        name = urlsplit(dsn).path.removeprefix("/")
        _wait(_execute(self._admin, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))

    def _create(self, template: str) -> str:
        name = f"{self._run}_{self._worker}_{next(self._numbers)}"
        _wait(_execute(self._admin, f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
        return _address(self._admin, name)


def drop_run(admin: str, run: str) -> None:
    """Removes every database that the run made, for servers that outlive the run."""
    _wait(_drop_run(admin, run))


async def _drop_run(admin: str, run: str) -> None:
    connection = await asyncpg.connect(admin)
    try:
        for row in await connection.fetch(
            "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", f"{run}_"
        ):
            await connection.execute(f'DROP DATABASE IF EXISTS "{row["datname"]}" WITH (FORCE)')
    finally:
        await connection.close()


async def _make_template(admin: str, name: str) -> None:
    """Migrates the template unless a worker has done so; a half-made one never has its name."""
    connection = await asyncpg.connect(admin)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        if await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            return
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}_new" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}_new" TEMPLATE template1')
        await migrate(_address(admin, f"{name}_new"))
        await connection.execute(f'ALTER DATABASE "{name}_new" RENAME TO "{name}"')
    finally:
        await connection.close()


async def _execute(admin: str, statement: str) -> None:
    connection = await asyncpg.connect(admin)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _address(admin: str, name: str) -> str:
    return urlunsplit(urlsplit(admin)._replace(path=f"/{name}"))


def _wait(work: Coroutine[object, object, None]) -> None:
    """Runs `work` in a loop of its own, on a thread, since the caller's thread may have one."""
    with ThreadPoolExecutor(max_workers=1) as threads:
        threads.submit(asyncio.run, work).result()
