"""Who came on duty and who left it lately, and the alerts that leavers still own."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tocsin.core.notation import duration
from tocsin.store.db import Connection, Row, rows, run

LOOKS_BACK = timedelta(hours=1)
"""A change of duty that nobody could see for longer, as after an outage, is no news any more."""

ACCEPT_WITHIN = timedelta(minutes=15)
"""How long a leaver's alerts are on offer before the manager is told, unless the team says."""


@dataclass(frozen=True, slots=True)
class Came:
    """Somebody's duty in a tier that began lately, without a break before."""

    team: int
    tier: str
    user: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Left:
    """An acknowledged alert whose owner went off duty in all tiers of the team."""

    team: int
    alert: UUID
    owner: int
    owner_name: str
    at: datetime
    accept_within: timedelta


@dataclass(frozen=True, slots=True)
class Untaken:
    """A leaver's alert whose time on offer is over; `theirs`: nobody took it over or closed it."""

    team: int
    alert: UUID
    owner: int
    owner_name: str
    at: datetime
    theirs: bool


async def came(connection: Connection, now: datetime, limit: int) -> list[Came]:
    """Who came on duty lately and was not told of the team's alerts, where the team wants that."""
    found = await rows(connection, _CAME, now, now - LOOKS_BACK, limit)
    return [Came(row["team_id"], row["tier"], row["user_id"], row["since"]) for row in found]


async def left(connection: Connection, now: datetime, limit: int) -> list[Left]:
    """Alerts of leavers that were not looked at since they left, in teams that want that."""
    found = await rows(connection, _LEFT, now, now - LOOKS_BACK, limit)
    return [_left(row) for row in found]


async def successors(
    connection: Connection, one: Left, since: datetime, now: datetime
) -> dict[int, str]:
    """Who is on duty now in the tiers that the leaver had since then, else in the first tier.

    Their names by id.
    """
    held = (min(since, one.at), one.at)
    found = await rows(connection, _SUCCESSORS, one.team, one.owner, *held, now)
    same = {row["id"]: row["name"] for row in found if row["same"]}
    return same or {row["id"]: row["name"] for row in found if row["tier"] == "1"}


async def note_left(connection: Connection, one: Left, tell_at: datetime | None) -> bool:
    """Remember that an alert was looked at; `tell_at`: when the manager is told of it.

    False when somebody else did; whoever asks while they hold the alert has a true answer.
    """
    written = await run(
        connection,
        "INSERT INTO left_alert (team_id, alert_id, owner_id, left_at, tell_at)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        one.team,
        one.alert,
        one.owner,
        one.at,
        tell_at,
    )
    return written == 1


async def untaken(connection: Connection, now: datetime, limit: int) -> list[Untaken]:
    """What was on offer for long enough; each is handed out once."""
    found = await rows(connection, _UNTAKEN, now, limit)
    return [
        Untaken(
            row["team_id"],
            row["alert_id"],
            row["owner_id"],
            row["name"],
            row["left_at"],
            theirs=row["theirs"],
        )
        for row in found
    ]


async def forget_left(connection: Connection, before: datetime) -> int:
    """Drop what was remembered of people who left before a moment."""
    return await run(
        connection, "DELETE FROM left_alert WHERE left_at < $1 AND tell_at IS NULL", before
    )


async def standing(connection: Connection, teams: Iterable[int]) -> dict[int, list[Row]]:
    """What is not closed in these teams, the worst first: number, title, severity, status, owner.

    Without what is suppressed, at most 200 in each.
    """
    found = await rows(connection, _STANDING, sorted(set(teams)))
    by_team: dict[int, list[Row]] = {}
    for row in found:
        by_team.setdefault(row["team_id"], []).append(row)
    return by_team


_DUTY = """
  SELECT team_id, tier, user_id, during FROM shift
  UNION ALL SELECT team_id, tier, user_id, during FROM punch
"""
_WANTED = "coalesce((t.body #>> '{hand_over,enabled}')::bool, true)"

# Unbroken duty is one: whoever has the next turn as well did not come on duty.
_CAME = f"""
SELECT d.team_id, d.tier, d.user_id, min(lower(d.during)) AS since
FROM team t CROSS JOIN LATERAL (
  SELECT * FROM ({_DUTY}) x WHERE x.team_id = t.id AND x.during @> $1::timestamptz
) d
WHERE {_WANTED} AND lower(d.during) > $2
  AND NOT EXISTS (SELECT FROM ({_DUTY}) b WHERE b.team_id = d.team_id AND b.tier = d.tier
    AND b.user_id = d.user_id AND b.during && tstzrange($2, lower(d.during), '[]')
    AND lower(b.during) < lower(d.during) AND upper(b.during) >= lower(d.during))
  AND NOT EXISTS (SELECT FROM told o WHERE o.team_id = d.team_id AND o.kind = 'hand_over'
    AND o.subject = d.tier || '/' || d.user_id AND o.begins_at = lower(d.during))
GROUP BY d.team_id, d.tier, d.user_id
ORDER BY d.team_id, d.tier, d.user_id LIMIT $3
"""  # noqa: S608 - words of our own

_LEFT = f"""
SELECT a.team_id, a.id, a.owner_id, u.name, l.left_at,
  t.body #>> '{{hand_over,accept_within}}' AS accept_within
FROM alert a JOIN team t ON t.id = a.team_id JOIN app_user u ON u.id = a.owner_id
CROSS JOIN LATERAL (
  SELECT max(upper(d.during)) AS left_at FROM ({_DUTY}) d
  WHERE d.team_id = a.team_id AND d.user_id = a.owner_id
    AND d.during && tstzrange($2, $1, '[]') AND upper(d.during) <= $1
) l
WHERE a.status = 'acknowledged' AND {_WANTED} AND l.left_at IS NOT NULL
  AND NOT EXISTS (SELECT FROM ({_DUTY}) d WHERE d.team_id = a.team_id
    AND d.user_id = a.owner_id AND d.during @> $1::timestamptz)
  AND NOT EXISTS (SELECT FROM left_alert o WHERE o.team_id = a.team_id AND o.alert_id = a.id
    AND o.owner_id = a.owner_id AND o.left_at = l.left_at)
ORDER BY a.team_id, a.id LIMIT $3
"""  # noqa: S608 - words of our own

_SUCCESSORS = f"""
SELECT u.id, u.name, d.tier, d.tier IN (
  SELECT x.tier FROM ({_DUTY}) x WHERE x.team_id = $1 AND x.user_id = $2
    AND x.during && tstzrange($3, $4, '[]') AND upper(x.during) <= $4) AS same
FROM ({_DUTY}) d JOIN app_user u ON u.id = d.user_id AND u.active
WHERE d.team_id = $1 AND d.during @> $5::timestamptz AND d.user_id <> $2
ORDER BY d.tier, u.name
"""  # noqa: S608 - words of our own

_UNTAKEN = """
WITH due AS (
  SELECT team_id, alert_id, owner_id, left_at FROM left_alert WHERE tell_at <= $1
  ORDER BY tell_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
), over AS (
  UPDATE left_alert l SET tell_at = NULL FROM due
  WHERE l.team_id = due.team_id AND l.alert_id = due.alert_id AND l.owner_id = due.owner_id
    AND l.left_at = due.left_at
  RETURNING l.team_id, l.alert_id, l.owner_id, l.left_at
)
SELECT o.*, u.name, a.status = 'acknowledged' AND a.owner_id = o.owner_id AS theirs
FROM over o JOIN alert a ON a.team_id = o.team_id AND a.id = o.alert_id
JOIN app_user u ON u.id = o.owner_id
ORDER BY o.team_id, u.name, a.number
"""

_STANDING = """
SELECT w.team AS team_id, a.* FROM unnest($1::int[]) AS w(team) CROSS JOIN LATERAL (
  SELECT a.id, a.number, a.title, a.severity, a.status, a.snoozed_until, u.name AS owner
  FROM alert a LEFT JOIN app_user u ON u.id = a.owner_id
  WHERE a.team_id = w.team AND a.status <> 'closed' AND a.suppressed IS NULL
  ORDER BY array_position(ARRAY['critical', 'high', 'medium', 'low', 'info'], a.severity),
    a.created_at LIMIT 200
) a
"""


def _left(row: Row) -> Left:
    within = row["accept_within"]
    return Left(
        row["team_id"],
        row["id"],
        row["owner_id"],
        row["name"],
        row["left_at"],
        ACCEPT_WITHIN if within is None else duration(within),
    )
