"""Reads what paging needs to know of teams, in one round trip."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from tocsin.core.escalation import OnDuty, OneUser, Target, WholeTeam
from tocsin.store.db import Connection, rows
from tocsin.store.maintenance import WINDOWS
from tocsin.store.paging.context import Parts, TeamContext, context_of, persons_of


async def team_context(
    connection: Connection, team: int, now: datetime, also: Iterable[Target] = ()
) -> TeamContext:
    """Look a team up; one that does not exist has no name, no people and no policies.

    `also` are targets of copied policies that no policy of today may name any more.
    """
    return (await team_contexts(connection, [team], now, also))[team]


async def team_contexts(
    connection: Connection, teams: Iterable[int], now: datetime, also: Iterable[Target] = ()
) -> dict[int, TeamContext]:
    """The same for many teams, in one round trip: every batch of events and of timers needs it."""
    wanted = sorted(set(teams))
    users = sorted({target.user for target in also if isinstance(target, OneUser)})
    others = sorted(
        {
            target.team
            for target in also
            if isinstance(target, WholeTeam | OnDuty) and target.team is not None
        }
    )
    found: Parts = {}
    for row in await rows(connection, _CONTEXTS + WINDOWS, wanted, now, users, others):
        found.setdefault(row["kind"], {})[row["id"]] = msgspec.json.decode(row["body"])
    persons = persons_of(found)
    return {team: context_of(team, found, persons, now) for team in wanted}


# One row for each kind and team, so that a person in many teams is read once.
_CONTEXTS = """
WITH RECURSIVE reached AS (
  SELECT team_id, team_id AS other_id, id, name, body FROM escalation_policy
  WHERE team_id = ANY($1::int[])
  UNION SELECT r.team_id, p.team_id, p.id, p.name, p.body FROM reached r,
    jsonb_path_query(r.body, '$.steps[*].notify[*].policy') AS named
    JOIN team t ON t.name = split_part(named #>> '{}', '/', 1)
    JOIN escalation_policy p ON p.team_id = t.id
      AND p.name = substr(named #>> '{}', strpos(named #>> '{}', '/') + 1)
), target AS (
  SELECT r.team_id, pair.key AS kind, pair.value #>> '{}' AS name FROM reached r,
    jsonb_path_query(r.body, '$.steps[*].notify[*]') AS one, jsonb_each(one) AS pair
  WHERE pair.key IN ('user', 'team')
), near AS (
  SELECT id AS team_id, id AS other_id, name FROM team WHERE id = ANY($1::int[])
  UNION SELECT x.team_id, o.id, o.name FROM target x JOIN team o ON o.name = x.name
  WHERE x.kind = 'team'
  UNION SELECT r.team_id, o.id, o.name FROM reached r JOIN team o ON o.id = r.other_id
  UNION SELECT t.id, o.id, o.name FROM team t, team o
  WHERE t.id = ANY($1::int[]) AND o.id = ANY($4::int[])
), crew AS (
  SELECT n.team_id, n.other_id, n.name, m.user_id, m.role, m.position
  FROM near n LEFT JOIN membership m ON m.team_id = n.other_id
), duty AS (
  SELECT n.team_id, n.other_id, 1 AS kind, s.id, s.tier, s.user_id FROM near n
  JOIN shift s ON s.team_id = n.other_id WHERE s.during @> $2::timestamptz
  UNION ALL SELECT n.team_id, n.other_id, 2, p.id, p.tier, p.user_id FROM near n
  JOIN punch p ON p.team_id = n.other_id WHERE p.during @> $2::timestamptz
), person AS (
  SELECT team_id, user_id FROM crew WHERE user_id IS NOT NULL
  UNION SELECT team_id, user_id FROM duty
  UNION SELECT x.team_id, u.id FROM target x JOIN app_user u ON u.name = x.name
  WHERE x.kind = 'user'
  UNION SELECT t.id, u.id FROM team t, app_user u
  WHERE t.id = ANY($1::int[]) AND (u.role = 'admin' OR u.id = ANY($3::int[]))
)
SELECT 'team' AS kind, id, jsonb_build_object('name', name, 'time_zone', time_zone,
  'days', body #> '{holidays,days}',
  'holidays', (SELECT jsonb_agg(DISTINCT day) FROM holiday WHERE team_id = team.id
    AND day BETWEEN ($2::timestamptz - interval '3 days')::date
    AND ($2::timestamptz + interval '3 days')::date)) AS body
FROM team WHERE id = ANY($1::int[])
UNION ALL
SELECT 'category', team_id,
  jsonb_agg(jsonb_build_object('name', name, 'body', body) ORDER BY position, id)
FROM category WHERE team_id = ANY($1::int[]) GROUP BY team_id
UNION ALL
SELECT 'policy', team_id, jsonb_agg(jsonb_build_object(
  'team', other_id, 'name', name, 'body', body) ORDER BY id)
FROM reached GROUP BY team_id
UNION ALL
SELECT 'named', x.team_id, jsonb_object_agg(u.name, u.id) FROM target x
JOIN app_user u ON u.name = x.name WHERE x.kind = 'user' GROUP BY x.team_id
UNION ALL
SELECT 'crew', team_id, jsonb_agg(jsonb_build_object(
  'team', other_id, 'name', name, 'user', user_id, 'role', role) ORDER BY position, user_id)
FROM crew GROUP BY team_id
UNION ALL
SELECT 'duty', team_id,
  jsonb_agg(jsonb_build_object('team', other_id, 'tier', tier, 'user', user_id) ORDER BY kind, id)
FROM duty GROUP BY team_id
UNION ALL
SELECT 'person', team_id, jsonb_agg(user_id ORDER BY user_id) FROM person GROUP BY team_id
UNION ALL
SELECT 'user', u.id, jsonb_build_object('name', u.name, 'role', u.role,
  'time_zone', u.body ->> 'time_zone',
  'methods', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                 'id', c.id, 'name', c.name, 'channel', c.channel) ORDER BY c.id), '[]')
              FROM contact_method c WHERE c.user_id = u.id AND c.disabled IS NULL),
  'rules', (SELECT coalesce(jsonb_agg(jsonb_build_object(
               'urgency', r.urgency, 'body', r.body) ORDER BY r.urgency, r.position), '[]')
            FROM notification_rule r WHERE r.user_id = u.id))
FROM app_user u WHERE u.active AND u.id IN (SELECT user_id FROM person)
UNION ALL
"""
