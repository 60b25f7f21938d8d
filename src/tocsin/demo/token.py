"""A token for the API that lives no longer than the demo."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from tocsin.actions.world import World
from tocsin.keys import new_token
from tocsin.store.db import run

NAME: Final = "demo"
_LASTS: Final = timedelta(days=1)  # should the demo be killed before it can take the token back


@asynccontextmanager
async def demo_token(world: World, user: str) -> AsyncGenerator[str]:
    """A token of `user` with the scope admin, gone when the block ends."""
    token, now = new_token(), world.clock.now()
    async with world.database.transaction() as connection:
        await run(connection, "DELETE FROM api_token WHERE name = $1", NAME)
        await run(
            connection,
            "INSERT INTO api_token (user_id, name, hash, scope, created_at, expires_at)"
            " SELECT id, $2, $3, 'admin', $4, $5 FROM app_user WHERE name = $1",
            user,
            NAME,
            world.keys.hash(token),
            now,
            now + _LASTS,
        )
    try:
        yield token
    finally:
        async with world.database.transaction() as connection:
            await run(connection, "DELETE FROM api_token WHERE name = $1", NAME)
