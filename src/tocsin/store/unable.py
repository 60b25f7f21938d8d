"""Who is on duty, now or later, and may not answer alerts of the team."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tocsin.store.db import Connection, rows

_MOST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Unable:
    """Somebody whose first shift in a schedule begins, or began, at `since`."""

    team: str
    time_zone: str
    schedule: str
    user: str
    since: datetime
    why: str


async def unable_on_duty(
    connection: Connection, teams: Iterable[int], now: datetime
) -> list[Unable]:
    """People with stored shifts that are not over, the earliest 20 of them."""
    found = await rows(connection, _UNABLE, list(teams), now, _MOST)
    return [Unable(**dict(row)) for row in found]


_UNABLE = """
SELECT t.name AS team, t.time_zone, c.name AS schedule, u.name AS user,
  min(lower(s.during)) AS since,
  CASE WHEN NOT u.active THEN 'deactivated' WHEN m.user_id IS NULL THEN 'not a member'
    ELSE 'only a viewer' END AS why
FROM unnest($1::int[]) AS asked(team_id)
JOIN shift s ON s.team_id = asked.team_id AND s.during && tstzrange($2, NULL)
JOIN team t ON t.id = s.team_id
JOIN schedule c ON c.team_id = s.team_id AND c.id = s.schedule_id
JOIN app_user u ON u.id = s.user_id
LEFT JOIN membership m ON m.team_id = s.team_id AND m.user_id = s.user_id
WHERE NOT u.active OR m.user_id IS NULL OR coalesce(m.role, u.role) = 'viewer'
GROUP BY t.name, t.time_zone, c.name, u.name, u.active, m.user_id
ORDER BY since, t.name, c.name, u.name LIMIT $3
"""
