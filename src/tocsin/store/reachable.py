"""Who is on duty soon and how they are reached, and the alerts about those who are not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tocsin.store.db import Connection, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """Somebody's shift that runs or begins soon.

    `able`: they may answer alerts of the team. `ways` are (channel, address) of the contact methods
    that are switched on, `methods` counts all.
    """

    team: int
    time_zone: str
    user: str
    active: bool
    able: bool
    since: datetime
    ways: tuple[tuple[str, str], ...]
    methods: int


async def coming(
    connection: Connection, now: datetime, until: datetime, teams: Sequence[int] | None = None
) -> list[Coming]:
    """Everybody who is on duty from now to `until`, each with each beginning once.

    In these teams, or in all.
    """
    found = await rows(connection, _COMING, now, until, None if teams is None else list(teams))
    return [
        Coming(
            team=row["team_id"],
            time_zone=row["time_zone"],
            user=row["name"],
            active=row["active"],
            able=row["able"],
            since=row["since"],
            ways=tuple(zip(row["channels"], row["addresses"], strict=True)),
            methods=row["methods"],
        )
        for row in found
    ]


_COMING = """
SELECT d.team_id, d.time_zone, u.name, u.active, d.since,
  EXISTS (SELECT FROM membership m WHERE m.team_id = d.team_id AND m.user_id = u.id
          AND coalesce(m.role, u.role) <> 'viewer') AS able,
  ARRAY(SELECT c.channel FROM contact_method c WHERE c.user_id = u.id AND c.disabled IS NULL
        ORDER BY c.id) AS channels,
  ARRAY(SELECT c.address FROM contact_method c WHERE c.user_id = u.id AND c.disabled IS NULL
        ORDER BY c.id) AS addresses,
  (SELECT count(*) FROM contact_method c WHERE c.user_id = u.id) AS methods
FROM (
  SELECT t.id AS team_id, t.time_zone, s.user_id, lower(s.during) AS since
  FROM team t JOIN shift s ON s.team_id = t.id AND s.during && tstzrange($1, $2)
  WHERE $3::int[] IS NULL OR t.id = ANY($3)
  UNION
  SELECT t.id, t.time_zone, p.user_id, lower(p.during)
  FROM team t JOIN punch p ON p.team_id = t.id AND p.during && tstzrange($1, $2)
  WHERE $3::int[] IS NULL OR t.id = ANY($3)
) d JOIN app_user u ON u.id = d.user_id
ORDER BY d.team_id, d.since, u.name
"""


async def is_open(
    connection: Connection, team: int, key: str, *, or_ended_by_hand: bool = False
) -> bool:
    """Whether a team has an open alert with this key.

    With `or_ended_by_hand` also whether a person closed one: they know.
    """
    found = await rows(
        connection,
        "SELECT 1 FROM alert WHERE team_id = $1 AND external_id = $2 AND (status <> 'closed'"
        " OR $3 AND state->'closure'->>'user' IS NOT NULL) LIMIT 1",
        team,
        key,
        or_ended_by_hand,
    )
    return bool(found)


async def open_keys(connection: Connection, kind: str, prefix: str) -> Sequence[tuple[int, str]]:
    """Team and key of the open alerts of a source's kind whose keys begin so."""
    found = await rows(
        connection,
        "SELECT team_id, external_id FROM alert WHERE status <> 'closed' AND source_kind = $1"
        " AND starts_with(external_id, $2) ORDER BY team_id, external_id",
        kind,
        prefix,
    )
    return [(row["team_id"], row["external_id"]) for row in found]
