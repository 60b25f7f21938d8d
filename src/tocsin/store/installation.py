"""Whose database this is, by its tables and by the key that it belongs to."""

from collections.abc import Sequence
from datetime import datetime

from tocsin.store.db import Connection, rows, run

_OURS = """
SELECT to_regclass('alembic_version') IS NOT NULL AND EXISTS (
    SELECT 1 FROM pg_attribute
    WHERE attrelid = to_regclass('installation') AND attname = 'key_fingerprint'
) AS it
"""
# What an extension brought is nobody's; `tocsin demo` puts its mark into an empty database.
_FOREIGN = """
SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (current_schemas(false)) AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
  AND NOT starts_with(c.relname, 'tocsin_')
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relkind, c.relname LIMIT 4
"""


async def foreign(connection: Connection) -> Sequence[str]:
    """Up to four relations of a database that is neither empty nor Tocsin's; else none."""
    if (await rows(connection, _OURS))[0]["it"]:
        return ()
    return [row["name"] for row in await rows(connection, _FOREIGN)]


async def lock(connection: Connection) -> None:
    """Let one transaction at a time settle which key this is; it ends with the transaction."""
    await rows(connection, "SELECT pg_advisory_xact_lock(7102938475610296)")


async def fingerprint(connection: Connection) -> bytes | None:
    """The fingerprint of the key that this database belongs to, None before its first start."""
    found = await rows(connection, "SELECT key_fingerprint FROM installation")
    return found[0]["key_fingerprint"] if found else None


async def keep(connection: Connection, key: bytes, now: datetime) -> None:
    """Belong to this key from now on, and to no other."""
    await run(connection, "DELETE FROM installation")
    await run(connection, "INSERT INTO installation VALUES ($1, $2)", key, now)


async def forget(connection: Connection) -> None:
    """Belong to the key of whoever comes next; for data that were made up, as in the demo."""
    found = await rows(connection, "SELECT to_regclass('installation') IS NOT NULL AS it")
    if found[0]["it"]:
        await run(connection, "DELETE FROM installation")
