"""When a page fails, the person's next notification rule runs at once, not at its minute."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tocsin.store.db import Connection, run


@dataclass(frozen=True, slots=True)
class Failure:
    """A page that did not reach its contact method, and what the ledger says about it."""

    team: int
    notification: UUID
    why: str


async def move_up(connection: Connection, failures: Sequence[Failure], now: datetime) -> int:
    """Have the next planned page of the same person, alert, episode and purpose run now.

    One page for each failure, by another contact method; a page that fails again and again moves
    up one alone. Pages that somebody else works on are passed over. Returns how many moved.
    """
    if not failures:
        return 0
    return await run(
        connection,
        _MOVE_UP,
        [failure.team for failure in failures],
        [failure.notification for failure in failures],
        [failure.why for failure in failures],
        now,
    )


# The unique index on the moment that a page is due leaves no room for two at the same one.
_MOVE_UP = """
WITH next AS (
  SELECT p.team_id, p.id, f.why
  FROM unnest($1::int[], $2::uuid[], $3::text[]) AS f(team_id, id, why)
  JOIN notification n ON n.team_id = f.team_id AND n.id = f.id
  CROSS JOIN LATERAL (
    SELECT p.team_id, p.id FROM notification p
    WHERE p.team_id = n.team_id AND p.alert_id = n.alert_id AND p.user_id = n.user_id
      AND p.episode = n.episode AND p.purpose = n.purpose AND p.method_id <> n.method_id
      AND p.state = 'planned' AND p.attempt = 1 AND p.due_at > $4
      AND NOT EXISTS (
        SELECT 1 FROM notification o
        WHERE o.team_id = p.team_id AND o.alert_id = p.alert_id AND o.method_id = p.method_id
          AND o.purpose = p.purpose AND o.due_at = $4 AND o.state <> 'cancelled')
    ORDER BY p.due_at, p.method_id, p.id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
  ) p
  WHERE n.purpose IN ('escalation', 'responder')
    AND (n.state <> 'planned' OR 1 >= (
      SELECT count(*) FROM ledger l
      WHERE l.team_id = n.team_id AND l.notification_id = n.id AND l.state = 'retry'))
), moved AS (
  UPDATE notification n SET due_at = $4, next_try_at = $4
  FROM next WHERE n.team_id = next.team_id AND n.id = next.id AND n.state = 'planned'
  RETURNING n.team_id, n.id, next.why, n.possible_duplicate
)
INSERT INTO ledger (team_id, notification_id, at, state, detail, possible_duplicate)
SELECT team_id, id, $4, 'planned', 'moved up: ' || why, possible_duplicate FROM moved
"""
