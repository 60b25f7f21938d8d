"""Who was on duty in a time that has passed, by shift or punched in."""

from datetime import datetime

from tocsin.store.db import Connection, rows


async def duties_between(
    connection: Connection, team: int, from_: datetime, to: datetime
) -> list[tuple[str, str, datetime, datetime]]:
    """Who was on duty in a time, by shift or punched in: shown name, address, beginning, end."""
    found = await rows(connection, _BETWEEN, team, from_, to)
    return [(row["name"], row["mail"], row["begins"], row["ends"]) for row in found]


_BETWEEN = """
SELECT coalesce(u.body->>'name', u.name) AS name, coalesce(u.email, '') AS mail,
  greatest(lower(d.during), $2) AS begins, least(coalesce(upper(d.during), $3), $3) AS ends
FROM (
  SELECT user_id, during FROM shift WHERE team_id = $1 AND during && tstzrange($2, $3)
  UNION ALL
  SELECT user_id, during FROM punch WHERE team_id = $1 AND during && tstzrange($2, $3)
) d JOIN app_user u ON u.id = d.user_id
"""
