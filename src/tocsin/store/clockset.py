"""Times that lie ahead of a clock that was set back: found, and moved as far back."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from tocsin.core.alert import Alert
from tocsin.store.alerts import readable
from tocsin.store.db import Connection, rows, run
from tocsin.store.outbox import PAGE_LEASE, SYNC_LEASE

_LATEST = "clock"
"""The row of `job` that says how late it was when a worker looked last."""


async def latest(connection: Connection) -> datetime | None:
    """What the clock showed when a worker looked last, None before the first time."""
    found = await rows(connection, "SELECT run_at FROM job WHERE name = $1", _LATEST)
    return found[0]["run_at"] if found else None


async def note(connection: Connection, now: datetime) -> None:
    """The clock shows `now`, and what lay ahead of it has been moved."""
    await run(
        connection,
        "INSERT INTO job (name, run_at) VALUES ($1, $2)"
        " ON CONFLICT (name) DO UPDATE SET run_at = excluded.run_at",
        _LATEST,
        now,
    )


async def lies_ahead(connection: Connection, after: datetime) -> bool:
    """Whether something that waits was planned later than `after`.

    As by a process that had not yet heard that the clock was set.
    """
    found = await rows(connection, _AHEAD, after)
    return bool(found[0]["ahead"])


_AHEAD = """
SELECT EXISTS (SELECT FROM notification WHERE next_try_at > $1 AND planned_at > $1)
  OR EXISTS (SELECT FROM alert WHERE next_step_at > $1 AND updated_at > $1 AND status <> 'closed')
  OR EXISTS (SELECT FROM heartbeat WHERE heard_at > $1)
  OR EXISTS (SELECT FROM poll WHERE started_at > $1)
  OR EXISTS (SELECT FROM remote_write WHERE next_try_at > $1 AND planned_at > $1) AS ahead
"""


async def alerts_ahead(connection: Connection, now: datetime) -> Sequence[tuple[int, UUID]]:
    """(team, id) of the alerts that were changed later than `now`."""
    found = await rows(
        connection,
        "SELECT team_id, id FROM alert WHERE status <> 'closed' AND updated_at > $1"
        " ORDER BY team_id, id",
        now,
    )
    return [(row["team_id"], row["id"]) for row in found]


async def claim_ahead(
    connection: Connection, wanted: Sequence[tuple[int, UUID]], now: datetime
) -> list[Alert]:
    """Those of these alerts that were changed later than `now`, locked until we commit.

    What this version cannot read is left out.
    """
    found = await rows(
        connection,
        "SELECT a.* FROM alert a"
        " JOIN unnest($1::int[], $2::uuid[]) AS w(team_id, id)"
        " ON a.team_id = w.team_id AND a.id = w.id"
        " WHERE a.status <> 'closed' AND a.updated_at > $3"
        " ORDER BY a.team_id, a.id FOR NO KEY UPDATE OF a",
        [team for team, _ in wanted],
        [alert for _, alert in wanted],
        now,
    )
    return readable(found)[0]


async def order_pages(
    connection: Connection, claimed: Sequence[Alert], by: timedelta, now: datetime
) -> None:
    """Pages of these alerts keep the order in which they were planned, none after `now`."""
    await run(
        connection,
        "UPDATE notification n SET planned_at = least(n.planned_at - $3::interval, $4)"
        " FROM unnest($1::int[], $2::uuid[]) AS w(team_id, id)"
        " WHERE n.team_id = w.team_id AND n.alert_id = w.id AND n.planned_at > $4",
        [alert.team for alert in claimed],
        [alert.id for alert in claimed],
        by,
        now,
    )


Place = tuple[datetime, UUID]
"""Where a batch of pages ended: when the last was to be tried, and its id."""


async def move_pages(
    connection: Connection,
    by: timedelta,
    now: datetime,
    agree: timedelta,
    after: Place,
    limit: int,
) -> tuple[int, Place | None]:
    """Pages that wait come as if the clock had not been set; how many moved, where this ended.

    Those that were planned up to `now` and `agree` later are of the present clock.

    What was tried or put off before is judged anew at once. A lease ends no later than it can.
    None: there are no more.
    """
    found = await rows(connection, _PAGES, now, by, PAGE_LEASE, *after, limit, now + agree)
    if not found:
        return 0, None
    moved = sum(row["moved"] for row in found)
    return moved, max((row["tried_at"], row["id"]) for row in found)


_PAGES = """
WITH due AS (
  SELECT team_id, id, next_try_at, greatest($2::interval, planned_at - $1) AS by FROM notification
  WHERE next_try_at > $1 AND (next_try_at, id) > ($4, $5)
  ORDER BY next_try_at, id LIMIT $6 FOR NO KEY UPDATE SKIP LOCKED
), moved AS (
  UPDATE notification n SET
    next_try_at = CASE
      WHEN n.state = 'leased' THEN least(n.next_try_at, $1::timestamptz + $3::interval)
      WHEN n.tries > 0 OR n.detail IS NOT NULL THEN $1
      WHEN n.planned_at > $7 THEN n.next_try_at - due.by ELSE n.next_try_at END,
    lease_until = CASE WHEN n.lease_until IS NOT NULL
      THEN least(n.lease_until, clock_timestamp() + $3::interval) END,
    due_at = CASE WHEN n.state = 'planned' AND n.planned_at > $7 AND NOT EXISTS (
        SELECT FROM notification o WHERE o.team_id = n.team_id AND o.alert_id = n.alert_id
          AND o.method_id = n.method_id AND o.purpose = n.purpose AND o.state <> 'cancelled'
          AND o.due_at = n.due_at - due.by)
      THEN n.due_at - due.by ELSE n.due_at END,
    planned_at = CASE WHEN n.planned_at > $7 THEN n.planned_at - due.by ELSE n.planned_at END
  FROM due WHERE n.team_id = due.team_id AND n.id = due.id
  RETURNING n.id, n.next_try_at < due.next_try_at AS moved
)
SELECT due.id, due.next_try_at AS tried_at, moved.moved FROM due JOIN moved ON moved.id = due.id
"""


async def move_others(
    connection: Connection, by: timedelta, now: datetime, latest: datetime
) -> None:
    """Receipts, heartbeats, duty by hand, alerts on offer, and talks with sources, likewise.

    Duty by hand that had begun, or ended, by the `latest` time of the former clock does so now.
    """
    await run(connection, _RECEIPTS, now, by)
    await run(connection, _HEARTBEATS, now, by)
    await run(connection, _BEGUN, now, latest)
    await run(connection, _ON_OFFER, now, by)
    await run(connection, _ENDED, now, latest)
    for table in ("remote_write", "publication"):
        await run(connection, _OUTBOX.format(table=table), now, SYNC_LEASE)
    await run(connection, _POLLS, now, SYNC_LEASE)


_RECEIPTS = """
UPDATE notification SET receipt_due_at = receipt_due_at - greatest($2::interval, sent_at - $1)
WHERE receipt_due_at > $1 AND sent_at > $1
"""

_HEARTBEATS = """
UPDATE heartbeat SET due_at = due_at - greatest($2::interval, heard_at - $1),
  heard_at = heard_at - greatest($2::interval, heard_at - $1)
WHERE heard_at > $1
"""

_BEGUN = """
UPDATE punch SET during = tstzrange($1, upper(during))
WHERE lower(during) > $1 AND lower(during) <= $2 AND coalesce(upper(during) > $1, true)
"""

_ON_OFFER = """
UPDATE left_alert SET tell_at = tell_at - greatest($2::interval, left_at - $1)
WHERE left_at > $1 AND tell_at IS NOT NULL
"""

_ENDED = """
UPDATE punch SET during = tstzrange(lower(during), $1)
WHERE lower(during) < $1 AND upper(during) > $1 AND upper(during) <= $2
"""

_OUTBOX = """
UPDATE {table} SET
  next_try_at = CASE WHEN lease_until IS NULL THEN $1
    ELSE least(next_try_at, $1::timestamptz + $2::interval) END,
  lease_until = CASE WHEN lease_until IS NOT NULL
    THEN least(lease_until, clock_timestamp() + $2::interval) END
WHERE next_try_at > $1
"""

_POLLS = """
UPDATE poll SET wanted = true, watermark = least(watermark, $1), deep_at = NULL, started_at = NULL,
  lease_until = CASE WHEN lease_until IS NOT NULL
    THEN least(lease_until, clock_timestamp() + $2::interval) END
WHERE started_at > $1 OR watermark > $1 OR succeeded_at > $1
"""
