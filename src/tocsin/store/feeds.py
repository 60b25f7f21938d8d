"""Feeds: secret addresses at which a calendar of duty is fetched, by the hash of the secret."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from tocsin.core.access import Caller, Role
from tocsin.store.db import Connection, Row, rows, run


class FeedKind(StrEnum):
    """Whose duty a feed shows."""

    USER = "user"
    SCHEDULE = "schedule"
    TEAM = "team"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed with its owner, who still has to be allowed to see what it shows."""

    id: int
    name: str
    kind: FeedKind
    owner: Caller
    team: int | None
    schedule: int | None
    made_at: datetime


async def add(
    connection: Connection,
    hashed: bytes,
    *,
    name: str,
    kind: FeedKind,
    owner: int,
    team: int | None,
    schedule: int | None,
    now: datetime,
) -> int:
    """Store a feed; returns its row."""
    found = await rows(
        connection,
        "INSERT INTO feed (hash, name, kind, owner_id, team_id, schedule_id, made_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        hashed,
        name,
        kind.value,
        owner,
        team,
        schedule,
        now,
    )
    return int(found[0]["id"])


async def feeds(connection: Connection, owners: Collection[int] | None = None) -> Sequence[Row]:
    """The feeds of these users, or all: id, name, kind, owner, team, schedule and made_at."""
    return await rows(
        connection,
        "SELECT f.id, f.name, f.kind, f.owner_id, u.name AS owner, t.name AS team,"
        " s.name AS schedule, f.made_at FROM feed f JOIN app_user u ON u.id = f.owner_id"
        " LEFT JOIN team t ON t.id = f.team_id"
        " LEFT JOIN schedule s ON s.team_id = f.team_id AND s.id = f.schedule_id"
        " WHERE $1::int[] IS NULL OR f.owner_id = ANY($1::int[]) ORDER BY f.id",
        None if owners is None else list(owners),
    )


async def remove(connection: Connection, feed: int) -> bool:
    """Make a feed's address worthless; False when there is none."""
    return await run(connection, "DELETE FROM feed WHERE id = $1", feed) == 1


async def by_hash(connection: Connection, hashed: bytes) -> Feed | None:
    """The feed with this hash, None when there is none or its owner is no longer active."""
    found = await rows(connection, _BY_HASH, hashed)
    if not found:
        return None
    row = found[0]
    role = Role(row["role"])
    memberships = msgspec.json.decode(row["memberships"])
    return Feed(
        id=row["id"],
        name=row["name"],
        kind=FeedKind(row["kind"]),
        owner=Caller(
            user=row["owner_id"],
            name=row["owner"],
            role=role,
            teams={entry["team"]: Role(entry["role"] or role) for entry in memberships},
        ),
        team=row["team_id"],
        schedule=row["schedule_id"],
        made_at=row["made_at"],
    )


_BY_HASH = """
SELECT f.*, u.name AS owner, u.role,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('team', m.team_id, 'role', m.role)), '[]')
   FROM membership m WHERE m.user_id = u.id) AS memberships
FROM feed f JOIN app_user u ON u.id = f.owner_id AND u.active
WHERE f.hash = $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a team whose duty a feed shows; `version` grows with every change."""

    team: int
    name: str
    time_zone: str
    version: int
    stored: Sequence["StoredShift"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredShift:
    """A shift that has begun, as it is stored."""

    schedule: int
    user: str
    why: str
    from_: datetime
    to: datetime


async def teams_known(
    connection: Connection, teams: Collection[int], from_: datetime, now: datetime
) -> list[Known]:
    """Teams by name, with their shifts that end after `from_` and began before `now`."""
    found = await rows(
        connection,
        "SELECT id, name, time_zone, version FROM team WHERE id = ANY($1::int[]) ORDER BY name",
        list(teams),
    )
    shifts = await rows(connection, _STORED, list(teams), from_, now)
    return [
        Known(
            team=row["id"],
            name=row["name"],
            time_zone=row["time_zone"],
            version=row["version"],
            stored=[_stored(shift) for shift in shifts if shift["team_id"] == row["id"]],
        )
        for row in found
    ]


_STORED = """
SELECT s.team_id, s.schedule_id, u.name, s.why, s.during FROM shift s
JOIN app_user u ON u.id = s.user_id
WHERE s.team_id = ANY($1::int[]) AND s.during && tstzrange($2, $3) AND lower(s.during) < $3
ORDER BY lower(s.during), s.id
"""


def _stored(row: Row) -> StoredShift:
    during: Any = row["during"]
    return StoredShift(
        schedule=row["schedule_id"],
        user=row["name"],
        why=row["why"],
        from_=during.lower,
        to=during.upper,
    )
