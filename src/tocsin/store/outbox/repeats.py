"""The next repetition of a page that went out, planned while its alert stays as it is."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from tocsin.store.db import Connection, run
from tocsin.store.uuids import uuid7


async def hold_alerts(connection: Connection, alerts: Iterable[tuple[int, UUID | None]]) -> None:
    """Keep these alerts as they are until we commit; before anything else is locked.

    A step that starts while a repetition of the one before is planned would not see it, and the
    person would be paged by both from then on.
    """
    wanted = [(team, alert) for team, alert in alerts if alert is not None]
    if wanted:
        teams, found = [team for team, _ in wanted], [alert for _, alert in wanted]
        await run(connection, _HOLD, teams, found)


# In the order of their ids, as everybody who locks alerts does.
_HOLD = """
SELECT 1 FROM alert a
JOIN unnest($1::int[], $2::uuid[]) AS h(team_id, id) ON a.team_id = h.team_id AND a.id = h.id
ORDER BY a.team_id, a.id FOR SHARE OF a
"""


async def plan_repeats(
    connection: Connection, repeats: Sequence[tuple[int, UUID, datetime]], now: datetime
) -> None:
    """Plan the next repetition of (team, notification) at a time, where it is still wanted.

    The alerts are held, or locked by a change to them.
    """
    if repeats:
        await run(
            connection,
            _REPEAT,
            [team for team, _, _ in repeats],
            [row for _, row, _ in repeats],
            [uuid7(now) for _ in repeats],
            [at for _, _, at in repeats],
            now,
        )


_REPEAT = """
INSERT INTO notification
  (team_id, id, alert_id, user_id, method_id, purpose, urgency, episode, round, step, attempt,
   repeat_every, planned_at, due_at, next_try_at)
SELECT DISTINCT ON (n.team_id, n.alert_id, n.method_id, n.purpose, r.at)
       n.team_id, r.new_id, n.alert_id, n.user_id, n.method_id, n.purpose, n.urgency, n.episode,
       n.round, n.step, n.attempt + 1, n.repeat_every, $5, r.at, r.at
FROM unnest($1::int[], $2::uuid[], $3::uuid[], $4::timestamptz[]) AS w(team_id, id, new_id, at)
JOIN notification n ON n.team_id = w.team_id AND n.id = w.id
-- No later than its interval from now: the clock may have been set back since it was worked out.
CROSS JOIN LATERAL (
  SELECT w.new_id, least(w.at, $5::timestamptz + n.repeat_every * interval '1 microsecond') AS at) r
JOIN alert a ON a.team_id = n.team_id AND a.id = n.alert_id
WHERE (n.purpose = 'escalation' AND a.episode = n.episode AND a.status = 'open'
         AND a.suppressed IS NULL
       OR n.purpose = 'responder' AND a.status <> 'closed')
  -- A newer page to the same method (the next step, the same step paged anew) has its own chain.
  AND NOT EXISTS (
    SELECT 1 FROM notification newer
    WHERE newer.team_id = n.team_id AND newer.alert_id = n.alert_id
      AND newer.method_id = n.method_id AND newer.purpose = n.purpose
      AND newer.attempt = 1 AND newer.repeat_every IS NOT NULL AND newer.state <> 'cancelled'
      AND newer.planned_at > n.planned_at)
-- Two that went out at one moment, as after an outage, have one repetition.
ORDER BY n.team_id, n.alert_id, n.method_id, n.purpose, r.at, n.repeat_every, n.attempt DESC, n.id
-- Another rule's page to the same method at the same moment stands for it, and goes on as often.
ON CONFLICT (team_id, alert_id, method_id, purpose, due_at) WHERE state <> 'cancelled'
DO UPDATE SET repeat_every = least(notification.repeat_every, excluded.repeat_every)
WHERE notification.state = 'planned'
"""
