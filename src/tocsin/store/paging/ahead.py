"""Who goes on and off duty in the hours ahead, by shift or punched in."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tocsin.store.db import Connection, rows


@dataclass(frozen=True, slots=True)
class Spell:
    """Somebody on duty in a tier of a team from `since` up to `until`; None: until punched out."""

    team: int
    tier: str
    user: int
    since: datetime
    until: datetime | None


async def spells(
    connection: Connection, teams: Iterable[int], start: datetime, end: datetime
) -> list[Spell]:
    """Every spell of duty in these teams that is not over before `start` and begins by `end`.

    In the order in which whoever is on duty is paged.
    """
    found = await rows(connection, _SPELLS, sorted(set(teams)), start, end)
    return [
        Spell(row["team_id"], row["tier"], row["user_id"], row["since"], row["until"])
        for row in found
    ]


_SPELLS = """
SELECT d.* FROM unnest($1::int[]) AS asked(team), LATERAL (
  SELECT 1 AS kind, id, team_id, tier, user_id, lower(during) AS since, upper(during) AS until
  FROM shift WHERE team_id = asked.team AND during && tstzrange($2, $3, '[]')
  UNION ALL
  SELECT 2, id, team_id, tier, user_id, lower(during), upper(during)
  FROM punch WHERE team_id = asked.team AND during && tstzrange($2, $3, '[]')
) d
ORDER BY kind, id
"""
