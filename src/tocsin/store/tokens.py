"""API tokens: their hashes, their users, their scopes."""

from collections.abc import Collection, Sequence
from datetime import datetime

from tocsin.store.db import Connection, Row, rows, run


async def add(
    connection: Connection,
    user: int,
    *,
    name: str,
    hashed: bytes,
    scope: str,
    now: datetime,
    expires_at: datetime | None,
) -> int:
    """Store a token; returns its row."""
    found = await rows(
        connection,
        "INSERT INTO api_token (user_id, name, hash, scope, created_at, expires_at)"
        " VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        user,
        name,
        hashed,
        scope,
        now,
        expires_at,
    )
    return int(found[0]["id"])


async def tokens(connection: Connection, users: Collection[int] | None = None) -> Sequence[Row]:
    """The tokens of these users, or all: id, user_id, user_name, name, scope and its times."""
    return await rows(
        connection,
        "SELECT k.id, k.user_id, u.name AS user_name, k.name, k.scope, k.created_at, k.expires_at,"
        " k.used_at FROM api_token k JOIN app_user u ON u.id = k.user_id"
        " WHERE $1::int[] IS NULL OR k.user_id = ANY($1::int[]) ORDER BY k.id",
        None if users is None else list(users),
    )


async def remove(connection: Connection, token: int) -> bool:
    """Make a token worthless; False when there is none."""
    return await run(connection, "DELETE FROM api_token WHERE id = $1", token) == 1
