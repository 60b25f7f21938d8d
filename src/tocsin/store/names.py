"""The names of teams and users by id, for answers that show names."""

from collections.abc import Iterable

from tocsin.store.db import Connection, rows


async def team_names(connection: Connection, teams: Iterable[int]) -> dict[int, str]:
    """The name of each of these teams that exists."""
    found = await rows(
        connection, "SELECT id, name FROM team WHERE id = ANY($1::int[])", sorted(set(teams))
    )
    return {row["id"]: row["name"] for row in found}


async def user_names(connection: Connection, users: Iterable[int]) -> dict[int, str]:
    """The name of each of these users that exists."""
    found = await rows(
        connection, "SELECT id, name FROM app_user WHERE id = ANY($1::int[])", sorted(set(users))
    )
    return {row["id"]: row["name"] for row in found}


async def names_of(
    connection: Connection, teams: Iterable[int], users: Iterable[int]
) -> tuple[dict[int, str], dict[int, str]]:
    """The names of these teams, and of these users, looked up at once."""
    found = await rows(
        connection,
        "SELECT true AS team, id, name FROM team WHERE id = ANY($1::int[])"
        " UNION ALL SELECT false, id, name FROM app_user WHERE id = ANY($2::int[])",
        sorted(set(teams)),
        sorted(set(users)),
    )
    return (
        {row["id"]: row["name"] for row in found if row["team"]},
        {row["id"]: row["name"] for row in found if not row["team"]},
    )


async def all_teams(connection: Connection) -> dict[int, str]:
    """Every team's name."""
    return {row["id"]: row["name"] for row in await rows(connection, "SELECT id, name FROM team")}


async def newest_entry(connection: Connection) -> tuple[int, int]:
    """The (xid, id) of the newest timeline row below which no running transaction can still write.

    (0, 0), which is below every row, when there is none.
    """
    found = await rows(
        connection,
        "SELECT n.xid, n.id FROM team t CROSS JOIN LATERAL ("
        " SELECT l.xid, l.id FROM timeline l WHERE l.team_id = t.id"
        " AND l.xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
        " ORDER BY l.xid DESC, l.id DESC LIMIT 1) n"
        " ORDER BY n.xid DESC, n.id DESC LIMIT 1",
    )
    return (found[0]["xid"], found[0]["id"]) if found else (0, 0)


async def active_users(connection: Connection, wanted: Iterable[str]) -> dict[str, int]:
    """The ids of those of these names that an active user has."""
    found = await rows(
        connection,
        "SELECT id, name FROM app_user WHERE active AND name = ANY($1::text[])",
        list(wanted),
    )
    return {row["name"]: row["id"] for row in found}
