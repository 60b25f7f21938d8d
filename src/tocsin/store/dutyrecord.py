"""Who was on duty and who is planned to be, as shifts and punches have recorded it."""

from datetime import datetime, timedelta

from tocsin.core.coverage import Place, Stint
from tocsin.store.db import Connection, rows
from tocsin.store.shifts import HORIZON

AHEAD = HORIZON - timedelta(days=1)
"""How far ahead shifts are surely recorded: they are worked out anew once a day."""

BY_HAND = "punched in"
"""Stands in the place of a schedule where duty was taken by hand."""


async def stints(
    connection: Connection, team: int, from_: datetime, to: datetime, now: datetime
) -> list[Stint]:
    """Everybody's recorded duty in [from_, to), clipped to it.

    Who is not active any more was on duty up to now and will not be.
    """
    found = await rows(connection, _STINTS, team, from_, to, now)
    return [
        Stint(Place(row["schedule"], row["tier"]), row["name"], row["begins"], row["ends"])
        for row in found
    ]


_STINTS = f"""
SELECT coalesce(c.name, d.source) AS schedule, d.tier, u.name, lower(d.inside) AS begins,
  upper(d.inside) AS ends
FROM (
  SELECT schedule_id, 'removed schedule' AS source, tier, user_id,
    during * tstzrange($2, $3) AS during
  FROM shift WHERE team_id = $1 AND during && tstzrange($2, $3)
  UNION ALL
  SELECT NULL, '{BY_HAND}', tier, user_id, during * tstzrange($2, $3)
  FROM punch WHERE team_id = $1 AND during && tstzrange($2, $3)
) p
JOIN app_user u ON u.id = p.user_id
LEFT JOIN schedule c ON c.team_id = $1 AND c.id = p.schedule_id
CROSS JOIN LATERAL (
  SELECT p.source, p.tier,
    CASE WHEN u.active THEN p.during ELSE p.during * tstzrange(NULL, $4) END AS inside
) d
WHERE NOT isempty(d.inside)
ORDER BY lower(d.inside), u.name
"""  # noqa: S608 - the word is ours


async def places(connection: Connection, team: int) -> tuple[Place, ...]:
    """The team's schedules, in their order."""
    found = await rows(
        connection,
        "SELECT name, tier FROM schedule WHERE team_id = $1 ORDER BY position, id",
        team,
    )
    return tuple(Place(row["name"], row["tier"]) for row in found)


async def members(connection: Connection, team: int) -> tuple[str, ...]:
    """The active people of the team."""
    found = await rows(
        connection,
        "SELECT u.name FROM membership m JOIN app_user u ON u.id = m.user_id AND u.active"
        " WHERE m.team_id = $1 ORDER BY u.name",
        team,
    )
    return tuple(row["name"] for row in found)
