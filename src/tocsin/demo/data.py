"""The database of the demo: one that it made, or one that is empty."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from tocsin.store import installation
from tocsin.store.db import Database, rows, run

MARK: Final = "tocsin_demo"
"""The table that says whose database it is. It is the first thing made in an empty one."""


class DemoError(Exception):
    """The demo cannot run like this; the message says why and what to do."""


async def claim(dsn: str, now: datetime) -> None:
    """Take an empty database for the demo. One that the demo made before stays as it is.

    Raises `DemoError` for any other, with nothing changed.
    """
    database = Database(dsn, size=1)
    try:
        async with database.transaction() as connection:
            await rows(connection, "SELECT pg_advisory_xact_lock(7102938475610295)")
            marked = await rows(connection, "SELECT to_regclass($1) IS NOT NULL AS it", MARK)
            if marked[0]["it"]:
                await installation.forget(connection)  # its key may lie in another home
                return
            found = await rows(connection, _RELATIONS)
            if found:
                names = ", ".join(row["name"] for row in found[:3])
                raise DemoError(
                    "this database is neither empty nor made by `tocsin demo` "
                    f"(it has {names}{' …' if len(found) > 3 else ''}); nothing was changed. "
                    "Point TOCSIN_DATABASE_URL at an empty database, or unset it"
                )
            await run(connection, f"CREATE TABLE {MARK} (made_at timestamptz NOT NULL)")
            await run(connection, f"INSERT INTO {MARK} VALUES ($1)", now)  # noqa: S608 - our name
    finally:
        await database.close()


# Tables, views, sequences of anybody, except those that an extension brought.
_RELATIONS = """
SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
  AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relkind, c.relname LIMIT 4
"""


@contextmanager
def alone(home: Path) -> Generator[None]:
    """Keep a second demo off the same folder while the block runs. Raises `DemoError`."""
    file = os.open(home / "demo.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(
                f"another `tocsin demo` runs with the data in {home}; "
                "stop it, or set TOCSIN_HOME to another folder"
            ) from None
        yield
    finally:
        os.close(file)
