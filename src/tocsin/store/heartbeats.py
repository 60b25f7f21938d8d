"""When heartbeats were heard, and which of them are missing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.core.heartbeat import rhythm
from tocsin.store.db import Connection, Row, rows, run
from tocsin.store.integrations import Integration, integration_of

JOB = "heartbeats"
AWAY = timedelta(seconds=5)
"""Looked for every second: after a longer pause senders may have found nobody to hear them."""

_MOST = 500


@dataclass(frozen=True, slots=True)
class Missing:
    """A heartbeat that did not come in time; `heard_at` is None where only a start was heard."""

    sender: Integration
    heard_at: datetime | None


async def heard(
    connection: Connection, sender: Integration, now: datetime, *, failed: bool
) -> bool:
    """Note a sign of life; answers whether the alert about this sender may still be open."""
    before = await rows(
        connection,
        "SELECT missed FROM heartbeat WHERE team_id = $1 AND integration_id = $2 FOR UPDATE",
        sender.team,
        sender.id,
    )
    await run(
        connection,
        "INSERT INTO heartbeat (team_id, integration_id, heard_at, due_at, missed)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (team_id, integration_id) DO UPDATE"
        " SET heard_at = excluded.heard_at, due_at = excluded.due_at, missed = excluded.missed",
        sender.team,
        sender.id,
        now,
        rhythm(sender.settings).due(now),
        failed,
    )
    return bool(before) and bool(before[0]["missed"])


async def started(connection: Connection, sender: Integration, now: datetime) -> None:
    """Note that a run began: its end is expected, no later than it was expected already."""
    await run(
        connection,
        "INSERT INTO heartbeat AS h (team_id, integration_id, due_at) VALUES ($1, $2, $3)"
        " ON CONFLICT (team_id, integration_id) DO UPDATE"
        " SET due_at = coalesce(h.due_at, excluded.due_at)",
        sender.team,
        sender.id,
        rhythm(sender.settings).due(now),
    )


async def claim_missing(connection: Connection, now: datetime) -> list[Missing]:
    """Heartbeats that are missed now, each once: it is expected again from its next sign of life.

    After a pause in which nobody looked, and probably nobody listened, each has its whole time
    again instead. Those whose integration is paused or gone are expected no more.
    """
    before = await rows(connection, "SELECT run_at FROM job WHERE name = $1 FOR UPDATE", JOB)
    await run(
        connection,
        "INSERT INTO job (name, run_at) VALUES ($1, $2)"
        " ON CONFLICT (name) DO UPDATE SET run_at = excluded.run_at",
        JOB,
        now,
    )
    if before and now - before[0]["run_at"] > AWAY:
        await _give_time(connection, now)
    found = [_missing(row) for row in await rows(connection, _CLAIM, now, _MOST)]
    return [one for one in found if one.sender.enabled]


_CLAIM = """
WITH late AS (
  SELECT team_id, integration_id FROM heartbeat WHERE due_at <= $1
  ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
), noted AS (
  UPDATE heartbeat h SET due_at = NULL, missed = true FROM late
  WHERE h.team_id = late.team_id AND h.integration_id = late.integration_id
  RETURNING h.team_id, h.integration_id, h.heard_at
)
SELECT n.heard_at, i.team_id, t.name AS team_name, i.id, i.name, i.inlet, i.body
FROM noted n JOIN integration i ON i.team_id = n.team_id AND i.id = n.integration_id
JOIN team t ON t.id = i.team_id
WHERE i.inlet = 'heartbeat'
ORDER BY i.team_id, i.id
"""


async def _give_time(connection: Connection, now: datetime) -> None:
    found = await rows(
        connection,
        "SELECT i.team_id, t.name AS team_name, i.id, i.name, i.inlet, i.body FROM heartbeat h"
        " JOIN integration i ON i.team_id = h.team_id AND i.id = h.integration_id"
        " JOIN team t ON t.id = i.team_id WHERE h.due_at IS NOT NULL",
    )
    senders = [integration_of(row) for row in found]
    await run(
        connection,
        "UPDATE heartbeat h SET due_at = greatest(h.due_at, w.due_at)"
        " FROM unnest($1::int[], $2::int[], $3::timestamptz[]) AS w(team_id, id, due_at)"
        " WHERE h.team_id = w.team_id AND h.integration_id = w.id AND h.due_at IS NOT NULL",
        [sender.team for sender in senders],
        [sender.id for sender in senders],
        [rhythm(sender.settings).due(now) for sender in senders],
    )


def _missing(row: Row) -> Missing:
    return Missing(integration_of(row), row["heard_at"])
