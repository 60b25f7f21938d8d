"""What must hold after every step, asked of the tables themselves (I2 to I5)."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import asyncpg

REMEMBERED = ("ledger", "timeline")
"""Tables whose rows never change and never disappear."""


def _copy(table: str) -> str:
    return f"CREATE TABLE seen.{table} AS SELECT * FROM {table} WITH NO DATA;"


SET_UP = f"""
CREATE SCHEMA seen;
{"".join(map(_copy, REMEMBERED))}
CREATE TABLE seen.rank (state text PRIMARY KEY, rank int NOT NULL);
INSERT INTO seen.rank VALUES ('planned', 0), ('leased', 0), ('cancelled', 2), ('expired', 2),
  ('bundled', 2), ('failed', 3), ('sent', 4), ('delivered', 5), ('seen', 6), ('answered', 7);
CREATE TABLE seen.notification AS SELECT * FROM notification WITH NO DATA;
CREATE TABLE seen.claim (ledger_id int, notification_id uuid, wanted bool);
CREATE FUNCTION seen.claimed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO seen.claim
  SELECT new.id, n.id, CASE n.purpose
    WHEN 'escalation' THEN a.status = 'open' AND a.suppressed IS NULL AND a.episode = n.episode
    WHEN 'responder' THEN a.status <> 'closed' AND a.state->'responders' @> to_jsonb(n.user_id)
    ELSE true END
  FROM notification n LEFT JOIN alert a ON a.team_id = n.team_id AND a.id = n.alert_id
  WHERE n.team_id = new.team_id AND n.id = new.notification_id;
  RETURN NULL;
END $$;
CREATE TRIGGER claimed AFTER INSERT ON ledger FOR EACH ROW WHEN (new.state = 'leased')
  EXECUTE FUNCTION seen.claimed();
"""
"""What was there after the step before; and of each claim whether the page was wanted then."""

REMEMBER = (
    *(
        f"INSERT INTO seen.{table} SELECT * FROM {table} t WHERE NOT EXISTS"
        f" (SELECT FROM seen.{table} s WHERE s.id = t.id)"
        for table in REMEMBERED
    ),
    "TRUNCATE seen.notification",
    "INSERT INTO seen.notification SELECT * FROM notification",
)

_HAS_LINE = (
    "EXISTS (SELECT FROM timeline t WHERE t.team_id = a.team_id AND t.alert_id = a.id AND t.kind ="
)

PROMISES: Mapping[str, str] = {
    "I2: one key, one open alert": """
        SELECT external_id FROM alert WHERE status <> 'closed' AND external_id IS NOT NULL
        GROUP BY team_id, external_id HAVING count(*) > 1""",
    "I2: every alert has its own number": """
        SELECT number::text FROM alert GROUP BY team_id, number HAVING count(*) > 1""",
    "I3: an open alert has a timer or a visible reason": f"""
        SELECT number::text FROM alert a WHERE status = 'open' AND next_step_at IS NULL
        AND NOT (suppressed IS NOT NULL AND ({_HAS_LINE} 'suppressed')
                 OR {_HAS_LINE} 'raised' AND t.data ? 'suppressed')))
        AND NOT (urgency = 'record')
        AND NOT ((state->>'exhausted')::bool AND {_HAS_LINE} 'nobody_answered'))""",
    "I3: what is quiet until a time, put off or held has a timer": """
        SELECT number::text FROM alert WHERE next_step_at IS NULL AND (
          status = 'open' AND (suppressed_until IS NOT NULL OR (state->>'held')::bool)
          OR status = 'acknowledged' AND (snoozed_until IS NOT NULL OR state->>'expires_at' <> ''))
        """,
    "I3: what is over waits for nothing": """
        SELECT number::text FROM alert WHERE status = 'closed' AND next_step_at IS NOT NULL""",
    "I3: a step that holds says so": f"""
        SELECT number::text FROM alert a WHERE (state->>'held')::bool
        AND NOT {_HAS_LINE} 'nobody' AND t.data ? 'held_until')""",
    "I4: a page that is to be sent is in the queue, and no other": """
        SELECT id::text FROM notification
        WHERE (state IN ('planned', 'leased')) <> (next_try_at IS NOT NULL)""",
    "I4: a page that somebody works on comes back": """
        SELECT id::text FROM notification WHERE state = 'leased' AND lease_until IS NULL""",
    "I4: a page does not disappear, and stays what it was": """
        SELECT s.id::text FROM seen.notification s
        LEFT JOIN notification n ON n.team_id = s.team_id AND n.id = s.id
        WHERE (n.alert_id, n.user_id, n.method_id, n.purpose, n.episode, n.round, n.step,
               n.attempt, n.planned_at)
          IS DISTINCT FROM (s.alert_id, s.user_id, s.method_id, s.purpose, s.episode, s.round,
               s.step, s.attempt, s.planned_at)""",
    "I4: the state of a page only rises": """
        SELECT n.id || ': ' || s.state || ' > ' || n.state FROM seen.notification s
        JOIN seen.rank r ON r.state = s.state
        JOIN notification n ON n.team_id = s.team_id AND n.id = s.id
        JOIN seen.rank q ON q.state = n.state WHERE q.rank < r.rank""",
    "I4: the mark of a possible duplicate stays": """
        SELECT n.id::text FROM seen.notification s JOIN notification n ON n.id = s.id
        WHERE s.possible_duplicate AND NOT n.possible_duplicate""",
    "I4: a page has the state that the ledger says last or higher": """
        SELECT n.id || ': ' || n.state || ' < ' || l.state FROM notification n
        JOIN seen.rank r ON r.state = n.state
        JOIN ledger l ON l.team_id = n.team_id AND l.notification_id = n.id
        JOIN seen.rank q ON q.state = l.state WHERE q.rank > r.rank
        AND NOT (n.state = 'cancelled' AND n.detail = 'withdrawn')
        AND NOT (n.state IN ('planned', 'leased') AND l.state = 'failed')""",
    "I4: each page is planned once": """
        SELECT min(n.id::text) FROM notification n
        WHERE state <> 'cancelled' AND alert_id IS NOT NULL
        GROUP BY team_id, alert_id, user_id, method_id, webhook, purpose, episode, round, step,
                 attempt, planned_at HAVING count(*) > 1""",
    "I4: a first page has a reason in the timeline": """
        SELECT n.id || ' ' || n.purpose FROM notification n
        WHERE attempt = 1 AND purpose IN ('escalation', 'responder') AND NOT EXISTS (
          SELECT FROM timeline t WHERE t.team_id = n.team_id AND t.alert_id = n.alert_id
          AND t.at = n.planned_at AND t.kind IN ('step', 'came_on_duty', 'reassigned',
            'severity_raised', 'nobody_answered', 'responders_added'))""",
    "I4: one page at a time waits for a person, method and alert": """
        SELECT min(n.id::text) FROM notification n
        WHERE state = 'planned' AND tries = 0 AND purpose IN ('escalation', 'responder')
        GROUP BY team_id, alert_id, method_id, webhook, purpose, episode HAVING count(*) > 1""",
    "I4: a page was sent where the ledger says so": """
        SELECT n.id::text FROM notification n WHERE state IN ('sent', 'delivered', 'seen')
        AND NOT EXISTS (SELECT FROM ledger l WHERE l.team_id = n.team_id
          AND l.notification_id = n.id AND l.state IN ('sent', 'delivered', 'seen'))""",
    "I5: no page goes out that was not wanted when it was claimed": """
        SELECT c.notification_id::text FROM seen.claim c CROSS JOIN LATERAL (
          SELECT state, detail FROM ledger l WHERE l.notification_id = c.notification_id
          AND l.id > c.ledger_id ORDER BY l.id LIMIT 1) l
        WHERE NOT c.wanted AND l.state IN ('sent', 'bundled', 'failed')""",
    "I5: an acknowledged alert has one owner, another has none": """
        SELECT number::text FROM alert WHERE CASE status
          WHEN 'open' THEN owner_id IS NOT NULL
          WHEN 'acknowledged' THEN owner_id IS NULL AND NOT EXISTS (
            SELECT FROM jsonb_array_elements(state->'answers') one WHERE one->>'user' IS NULL)
          ELSE false END""",
    "I5: what is over asks nobody": """
        SELECT number::text FROM alert
        WHERE status = 'closed' AND jsonb_array_length(state->'responders') > 0""",
    "what was written stays": " UNION ALL ".join(
        f"SELECT '{table} ' || id FROM (SELECT * FROM seen.{table} EXCEPT SELECT * FROM {table}) s"
        for table in REMEMBERED
    ),
}

# People whom a step without conditions means by their duty: on duty, active and in reach.
_MEANT = """
SELECT a.number, a.state, a.id, a.episode, u.id AS user_id, u.name FROM alert a
JOIN plan p ON p.team_id = a.team_id AND p.digest = a.policy
CROSS JOIN LATERAL (SELECT p.body->'steps'->a.step AS body) step
CROSS JOIN LATERAL jsonb_array_elements(step.body->'notify') AS target
JOIN (SELECT team_id, tier, user_id, during FROM shift
      UNION ALL SELECT team_id, tier, user_id, during FROM punch) d
  ON d.team_id = coalesce((target->>'of')::int, a.team_id) AND d.tier = target->>'duty'
  AND d.during @> $1::timestamptz
JOIN app_user u ON u.id = d.user_id AND u.active
WHERE a.status = 'open' AND a.suppressed IS NULL AND a.mode <> 'emergency'
AND step.body->'when' IS NULL AND step.body->'pick' IS NULL
AND EXISTS (SELECT FROM contact_method c WHERE c.user_id = u.id AND c.disabled IS NULL)
AND NOT EXISTS (
  SELECT FROM jsonb_array_elements(a.state->'answers') one WHERE (one->>'user')::int = u.id)
"""

AT_REST: Mapping[str, str] = {
    "I3: nothing that is due waits": """
        SELECT 'timer of alert ' || number FROM alert WHERE next_step_at <= $1
        UNION ALL
        SELECT 'page ' || id || ' ' || state FROM notification WHERE next_try_at <= $1""",
    "I3: whoever is on duty for a step is one of those whom it pages": f"""
        SELECT number || ' ' || name FROM ({_MEANT}) m
        WHERE NOT state->'crew' @> to_jsonb(user_id)""",
    "I4: whoever is on duty for a step was promised a page that can reach them": f"""
        SELECT number || ' ' || name FROM ({_MEANT}) m WHERE NOT EXISTS (
          SELECT FROM notification n JOIN contact_method c ON c.id = n.method_id
          WHERE n.alert_id = m.id AND n.user_id = m.user_id AND n.episode = m.episode
          AND n.state <> 'cancelled' AND c.disabled IS NULL)""",
}
"""What must hold as well when the workers have done all that is due; $1 is the time."""


def _all(promises: Mapping[str, str]) -> str:
    return " UNION ALL ".join(
        f"SELECT '{promise}' AS promise, found.* FROM ({sql}) AS found(what)"
        for promise, sql in promises.items()
    )


_UNMARKED = """
SELECT w.id::text FROM unnest($1::uuid[]) AS w(id) LEFT JOIN notification n ON n.id = w.id
WHERE NOT coalesce(n.possible_duplicate AND EXISTS (
  SELECT FROM ledger l WHERE l.notification_id = n.id AND l.possible_duplicate), false)
"""


async def broken(eye: asyncpg.Connection, twice: list[str]) -> list[str]:
    """Every promise that does not hold now; `twice` are notifications that rang more than once."""
    found = _said(await eye.fetch(_all(PROMISES)))
    found += [
        f"I4: what rang twice is marked: {row['id']}" for row in await eye.fetch(_UNMARKED, twice)
    ]
    for statement in REMEMBER:
        await eye.execute(statement)
    return found


async def broken_at_rest(eye: asyncpg.Connection, now: datetime) -> list[str]:
    """Every further promise that does not hold when nothing is left to do."""
    return _said(await eye.fetch(_all(AT_REST), now))


def _said(found: Iterable[asyncpg.Record]) -> list[str]:
    return [f"{row['promise']}: {row['what']}" for row in found]
