"""API tokens and signing keys, each shown once."""

from collections.abc import Collection
from datetime import datetime

from tocsin.actions.configure.faults import ConfigureError, ConflictError, Fault, NotFoundError
from tocsin.actions.configure.finding import Guard, everywhere, find
from tocsin.actions.configure.sealing import signs_itself
from tocsin.actions.shown import instant
from tocsin.actions.world import World
from tocsin.core import ids
from tocsin.core.access import Scope
from tocsin.keys import new_signing_key, new_token
from tocsin.store import people, tokens
from tocsin.store.configuration import Kind, load, lock
from tocsin.store.db import Row, run


async def create_token(
    world: World,
    user: str,
    *,
    name: str = "",
    scope: Scope = Scope.WRITE,
    expires_at: datetime | None = None,
    guard: Guard = everywhere,
) -> dict[str, object]:
    """A new token of a user; `token` in the answer is shown this once. Raises `NotFoundError`."""
    now = world.clock.now()
    if expires_at is not None and expires_at <= now:
        raise ConfigureError([Fault(("expires_at",), "it lies in the past")])
    token = new_token()
    async with world.database.transaction() as connection:
        holder = find(await load(connection), Kind.USER, user, None, guard)
        row = await tokens.add(
            connection,
            holder.id,
            name=name,
            hashed=world.keys.hash(token),
            scope=scope.value,
            now=now,
            expires_at=expires_at,
        )
        found = await tokens.tokens(connection, [holder.id])
    made = next(entry for entry in found if entry["id"] == row)
    return {**_shown(made), "token": token}


async def show_tokens(
    world: World, users: Collection[int] | None = None
) -> list[dict[str, object]]:
    """The tokens of these users (ids), or all, without what they are."""
    async with world.database.transaction() as connection:
        return [_shown(row) for row in await tokens.tokens(connection, users)]


async def delete_token(world: World, given: str, *, guard: Guard = everywhere) -> None:
    """Make a token worthless, by its id. Raises `NotFoundError`."""
    reference = ids.decode(given)
    async with world.database.transaction() as connection:
        for row in await tokens.tokens(connection):
            if reference == (0, row["id"]):
                guard(None, row["user_id"])
                await tokens.remove(connection, row["id"])
                return
    raise NotFoundError(f"there is no token {given[:80]!r}")


async def rotate_key(world: World, given: str, *, guard: Guard = everywhere) -> str:
    """A new signing key for a contact method, shown this once.

    Raises `ConflictError` for a method whose key is kept elsewhere, or that does not sign.
    """
    key = new_signing_key()
    async with world.database.transaction() as connection:
        await lock(connection)
        held = find(await load(connection), Kind.METHOD, given, None, guard)
        if not signs_itself(held.key, held.body):
            raise ConflictError(f"{held.key} has no signing key that is kept here")
        sealed = world.keys.seal(key, people.seal_context(held.id))
        sql = "UPDATE contact_method SET sealed_key = $2 WHERE id = $1"
        await run(connection, sql, held.id, sealed)
    return key


def _shown(row: Row) -> dict[str, object]:
    times = {key: row[key] for key in ("created_at", "expires_at", "used_at")}
    return {
        "id": ids.encode(0, row["id"]),
        "name": row["name"],
        "user": row["user_name"],
        "scope": row["scope"],
        **{key: instant(at) for key, at in times.items()},
    }
