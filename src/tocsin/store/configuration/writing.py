"""Configured objects written one by one, within the caller's transaction."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import and_, insert, null, update
from sqlalchemy import delete as delete_from
from sqlalchemy.sql.elements import ColumnElement

from tocsin.store.configuration.objects import Held, Kind
from tocsin.store.configuration.tables import TABLES, derived, naming
from tocsin.store.db import Connection, rows, run


async def new_id(connection: Connection, kind: Kind) -> int:
    """A number for a row that is about to be written; 0 for kinds that are known by name only."""
    table = TABLES[kind]
    if "id" not in table.c:
        return 0
    found = await rows(
        connection, "SELECT nextval(pg_get_serial_sequence($1, 'id')) AS id", table.name
    )
    return int(found[0]["id"])


async def put(
    connection: Connection, held: Held, *, new: bool, columns: Mapping[str, object] | None = None
) -> None:
    """Write an object whole; `columns` are those that its body does not show (sealed secrets)."""
    table = TABLES[held.key.kind]
    values: dict[str, object] = {
        "body": held.body,
        **derived(held.key.kind, held.body),
        **_provenance(held),
        **(columns or {}),
    }
    if "position" in table.c and held.key.kind is not Kind.RULE:
        values["position"] = held.position
    if new:
        await connection.execute(insert(table).values(**values, **_identity(held)))
    else:
        await connection.execute(update(table).where(_row(held)).values(**values))


async def drop(connection: Connection, held: Held) -> None:
    """Remove an object with all that belongs to it."""
    if held.key.kind is Kind.INTEGRATION:
        await run(
            connection, "DELETE FROM address WHERE team_id = $1 AND row_id = $2", held.team, held.id
        )
    await connection.execute(delete_from(TABLES[held.key.kind]).where(_row(held)))
    if held.key.kind is Kind.CONNECTOR:
        await _forget(connection, held)
    if held.key.kind is Kind.RULE:  # a rule is known by its place in the list
        await run(
            connection,
            "UPDATE notification_rule SET position = position - 1"
            " WHERE user_id = $1 AND urgency = $2 AND position > $3",
            held.user,
            held.key.names[1],
            held.position,
        )
    if held.key.kind is Kind.SCHEDULE:
        await run(
            connection,
            "DELETE FROM schedule_override WHERE team_id = $1 AND schedule_id = $2",
            held.team,
            held.id,
        )


async def _forget(connection: Connection, held: Held) -> None:
    """A connector that is gone is read no more, nor told; what it was to be told is shown."""
    for table in ("poll", "remote_object", "publication"):
        await run(
            connection,
            f"DELETE FROM {table} WHERE team_id = $1 AND connector_id = $2",  # noqa: S608 - two words
            held.team,
            held.id,
        )
    await run(
        connection,
        "UPDATE remote_write SET state = 'failed', detail = 'the connector was removed',"
        " next_try_at = NULL, lease_until = NULL, settled_at = now()"
        " WHERE team_id = $1 AND connector_id = $2 AND state = 'pending'",
        held.team,
        held.id,
    )


async def place_address(connection: Connection, held: Held, hashed: bytes) -> None:
    """Let senders who know the secret with this hash reach an integration, and nobody else."""
    await run(
        connection, "DELETE FROM address WHERE team_id = $1 AND row_id = $2", held.team, held.id
    )
    await run(
        connection,
        "INSERT INTO address (hash, kind, team_id, row_id) VALUES ($1, 'integration', $2, $3)",
        hashed,
        held.team,
        held.id,
    )


async def keep_members(
    connection: Connection, team: int, members: Sequence[tuple[int, str | None]]
) -> None:
    """Make these the members of a team, each with the role that is set there, in this order."""
    users = [user for user, _ in members]
    await run(
        connection,
        "DELETE FROM membership WHERE team_id = $1 AND NOT (user_id = ANY($2::int[]))",
        team,
        users,
    )
    await run(
        connection,
        "INSERT INTO membership (team_id, user_id, role, position)"
        " SELECT $1, m.user_id, m.role, m.position"
        " FROM unnest($2::int[], $3::text[]) WITH ORDINALITY AS m(user_id, role, position)"
        " ON CONFLICT (user_id, team_id) DO UPDATE"
        " SET role = excluded.role, position = excluded.position",
        team,
        users,
        [role for _, role in members],
    )


async def hold(connection: Connection, teams: Iterable[int]) -> None:
    """Lock the rows of teams in the order of their ids, as everybody does who locks several."""
    await rows(
        connection,
        "SELECT id FROM team WHERE id = ANY($1::int[]) ORDER BY id FOR NO KEY UPDATE",
        list(teams),
    )


async def bump(connection: Connection, teams: Iterable[int]) -> None:
    """Tell processes that what they remember of these teams is stale."""
    await run(
        connection, "UPDATE team SET version = version + 1 WHERE id = ANY($1::int[])", list(teams)
    )


async def touch(connection: Connection, held: Held) -> None:
    """Write only whose an object is, and where it stands."""
    table = TABLES[held.key.kind]
    values = _provenance(held)
    if "position" in table.c and held.key.kind is not Kind.RULE:
        values["position"] = held.position
    if values:
        await connection.execute(update(table).where(_row(held)).values(**values))


def _provenance(held: Held) -> dict[str, object]:
    if held.key.kind is Kind.STORED:
        return {}
    return {
        # without null() it would be the JSON value null
        "file_body": null() if held.file_body is None else held.file_body,
        "changed_by": held.changed_by,
        "changed_at": held.changed_at,
    }


def _identity(held: Held) -> dict[str, object]:
    """What is written once, when the row is made."""
    table = TABLES[held.key.kind]
    values = naming(held.key)
    if "id" in table.c:
        values["id"] = held.id
    if held.key.kind.of_team:
        values["team_id"] = held.team
    if held.key.kind.of_user:
        values["user_id"] = held.user
    if held.key.kind is Kind.OVERRIDE:
        values["schedule_id"] = held.parent
    return values


def _row(held: Held) -> ColumnElement[bool]:
    table = TABLES[held.key.kind]
    if "id" not in table.c:
        return and_(*(table.c[name] == value for name, value in naming(held.key).items()))
    if held.key.kind.of_team:
        return and_(table.c.team_id == held.team, table.c.id == held.id)
    return table.c.id == held.id
