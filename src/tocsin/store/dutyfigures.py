"""Numbers for monitoring about duty: how many are on it, the next gap, coverage ahead."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.store.db import Connection, rows, run
from tocsin.store.dutyrecord import AHEAD

COVERED_AHEAD = timedelta(days=30)
"""Over how long the coverage is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyFigures:
    """How a tier of a team stands: `on_duty` people now, by shift or by hand.

    `next_gap` is in seconds, 0 where nobody is on duty now and `AHEAD` where no gap comes before;
    `coverage` is the part of the next 30 days with somebody on duty.
    """

    team: str
    tier: str
    on_duty: int
    next_gap: float
    coverage: float


async def duty_figures(connection: Connection, now: datetime) -> list[DutyFigures]:
    """Every tier that has a schedule or somebody on duty; gives up after two seconds."""
    await run(connection, "SET LOCAL statement_timeout = '2s'")
    found = await rows(connection, _FIGURES, now, now + AHEAD, now + COVERED_AHEAD)
    return [
        DutyFigures(
            team=row["team"],
            tier=row["tier"],
            on_duty=row["on_duty"],
            next_gap=row["next_gap"],
            coverage=row["covered"] / COVERED_AHEAD.total_seconds(),
        )
        for row in found
    ]


# Team by team, as the index on shifts begins with the team.
_FIGURES = """
SELECT t.name AS team, d.tier, d.on_duty,
  extract(epoch FROM coalesce(lower(tstzmultirange(tstzrange($1, $2)) - d.covered), $2)
    - $1::timestamptz)::float8 AS next_gap,
  (SELECT coalesce(extract(epoch FROM sum(upper(part) - lower(part))), 0)::float8
   FROM unnest(d.covered * tstzmultirange(tstzrange($1, $3))) AS part) AS covered
FROM team t CROSS JOIN LATERAL (
  SELECT one.tier, range_agg(one.during) AS covered,
    count(DISTINCT one.user_id) FILTER (WHERE one.during @> $1::timestamptz) AS on_duty
  FROM (
    SELECT tier, user_id, during FROM shift
    WHERE team_id = t.id AND during && tstzrange($1, $2)
    UNION ALL
    SELECT tier, user_id, during FROM punch
    WHERE team_id = t.id AND during && tstzrange($1, $2)
    UNION ALL
    SELECT tier, NULL, 'empty' FROM schedule WHERE team_id = t.id
  ) one LEFT JOIN app_user u ON u.id = one.user_id
  WHERE one.user_id IS NULL OR u.active
  GROUP BY one.tier
) d ORDER BY t.name, d.tier
"""
