"""Finds configured things by name or by row."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from tocsin.store.db import Connection, Row, rows

_TABLES: Final = {
    "schedule": "schedule",
    "escalation_policy": "escalation_policy",
    "category": "category",
    "integration": "integration",
    "connector": "connector",
    "calendar": "calendar",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A thing by its row; `team` is 0 for what no team owns."""

    team: int
    row: int
    name: str


async def team(connection: Connection, name: str, row: int | None) -> Found | None:
    """The team with this name, or with this row."""
    return _whole(await _one(connection, "team", name, row))


async def zone_of(connection: Connection, team: int) -> str:
    """The time zone of a team that exists."""
    (found,) = await rows(connection, "SELECT time_zone FROM team WHERE id = $1", team)
    zone: str = found["time_zone"]
    return zone


async def user(connection: Connection, name: str, row: int | None) -> Found | None:
    """The user with this name, or with this row."""
    return _whole(await _one(connection, "app_user", name, row))


async def maintenance_window(
    connection: Connection, name: str, row: int | None
) -> tuple[int | None, Found] | None:
    """The maintenance window with this name or row, after the team that it is of (None: all)."""
    found = await _one(connection, "maintenance_window", name, row, "team_id")
    return None if found is None else (found["team_id"], _found(0, found["id"], found["name"]))


async def all_users(connection: Connection) -> tuple[str, ...]:
    """The name of everybody."""
    return tuple(row["name"] for row in await rows(connection, "SELECT name FROM app_user"))


async def gone_users(connection: Connection) -> frozenset[str]:
    """The name of everybody who is not active: never on duty, never paged."""
    found = await rows(connection, "SELECT name FROM app_user WHERE NOT active")
    return frozenset(row["name"] for row in found)


async def teams_of(connection: Connection, user: int) -> tuple[int, ...]:
    """The teams of a user."""
    found = await rows(connection, "SELECT team_id FROM membership WHERE user_id = $1", user)
    return tuple(row["team_id"] for row in found)


async def people_of(connection: Connection, teams: Iterable[int]) -> tuple[int, ...]:
    """Everybody who is in any of these teams."""
    found = await rows(
        connection,
        "SELECT DISTINCT user_id FROM membership WHERE team_id = ANY($1::int[])",
        list(teams),
    )
    return tuple(row["user_id"] for row in found)


async def may_answer(connection: Connection, team: int, user: int) -> bool:
    """Whether somebody is an active member of a team, and more than a viewer there."""
    found = await rows(
        connection,
        "SELECT 1 FROM membership m JOIN app_user u ON u.id = m.user_id AND u.active"
        " WHERE m.team_id = $1 AND m.user_id = $2 AND coalesce(m.role, u.role) <> 'viewer'",
        team,
        user,
    )
    return bool(found)


async def methods(
    connection: Connection, users: Collection[int] | None, name: str, row: int | None
) -> list[tuple[int, str]]:
    """The contact methods with this name, or this row, of these users (None: of everybody).

    Each with the name of its user.
    """
    found = await rows(
        connection,
        "SELECT c.id, u.name FROM contact_method c JOIN app_user u ON u.id = c.user_id"
        " WHERE ($1::int[] IS NULL OR c.user_id = ANY($1::int[]))"
        " AND CASE WHEN $3::int IS NULL THEN c.name = $2 ELSE c.id = $3 END ORDER BY u.name",
        None if users is None else list(users),
        name,
        row,
    )
    return [(one["id"], one["name"]) for one in found]


async def by_row(connection: Connection, kind: str, team: int, row: int) -> Found | None:
    """The thing of this kind with this row in a team."""
    found = await rows(
        connection,
        f"SELECT team_id, id, name FROM {_TABLES[kind]} WHERE team_id = $1 AND id = $2",  # noqa: S608 - from the table above
        team,
        row,
    )
    return _found(found[0]["team_id"], found[0]["id"], found[0]["name"]) if found else None


async def by_name(
    connection: Connection, kind: str, teams: Iterable[int], name: str
) -> list[Found]:
    """The things of this kind with this name in any of these teams."""
    found = await rows(
        connection,
        f"SELECT team_id, id, name FROM {_TABLES[kind]}"  # noqa: S608 - from the table above
        " WHERE team_id = ANY($1::int[]) AND name = $2 ORDER BY team_id",
        list(teams),
        name,
    )
    return [_found(row["team_id"], row["id"], row["name"]) for row in found]


async def _one(
    connection: Connection, table: str, name: str, row: int | None, more: str = "id"
) -> Row | None:
    found = await rows(
        connection,
        f"SELECT id, name, {more} FROM {table} WHERE name = $1 OR id = $2"  # noqa: S608 - from above
        " ORDER BY name = $1 DESC LIMIT 1",
        name,
        row,
    )
    return found[0] if found else None


def _whole(row: Row | None) -> Found | None:
    return None if row is None else _found(0, row["id"], row["name"])


def _found(team: int, row: int, name: str) -> Found:
    return Found(team, row, name)
