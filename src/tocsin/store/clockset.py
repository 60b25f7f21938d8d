"""Times that lie ahead of a clock that was set back: found, and moved as far back."""

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
    """The clock shows `now`, and nothing lies ahead of it that should not."""
    await run(
        connection,
        "INSERT INTO job (name, run_at) VALUES ($1, $2)"
        " ON CONFLICT (name) DO UPDATE SET run_at = excluded.run_at",
        _LATEST,
        now,
    )


async def claim_ahead(
    connection: Connection, now: datetime, after: UUID, limit: int
) -> tuple[list[Alert], UUID | None]:
    """Alerts that were changed later than `now`, locked, by id from after `after`; the last id.

    What this version cannot read is left out. None: there are no more.
    """
    found = await rows(
        connection,
        "SELECT * FROM alert WHERE status <> 'closed' AND updated_at > $1 AND id > $2"
        " ORDER BY id LIMIT $3 FOR NO KEY UPDATE",
        now,
        after,
        limit,
    )
    return readable(found)[0], found[-1]["id"] if found else None


async def move_pages(connection: Connection, by: timedelta, now: datetime) -> int:
    """Pages and receipts that wait come as if the clock had not been set; how many pages moved.

    What was tried or put off before is judged anew at once. A lease ends no later than it can.
    Pages of open alerts that went out keep the order in which they were planned.
    """
    moved = await run(connection, _PAGES, now, by, PAGE_LEASE)
    await run(connection, _ORDER, now, by)
    await run(connection, _RECEIPTS, now, by)
    return moved


_PAGES = """
UPDATE notification SET
  next_try_at = CASE WHEN state = 'leased' THEN least(next_try_at, $1::timestamptz + $3::interval)
    WHEN tries > 0 OR detail IS NOT NULL THEN $1
    WHEN planned_at > $1 THEN next_try_at - $2::interval ELSE next_try_at END,
  lease_until = CASE WHEN lease_until IS NOT NULL
    THEN least(lease_until, clock_timestamp() + $3::interval) END,
  due_at = CASE WHEN state = 'planned' AND planned_at > $1 THEN due_at - $2::interval
    ELSE due_at END,
  planned_at = CASE WHEN planned_at > $1 THEN planned_at - $2::interval ELSE planned_at END
WHERE next_try_at > $1
"""

_ORDER = """
UPDATE notification n SET planned_at = n.planned_at - $2::interval
FROM alert a
WHERE a.status <> 'closed' AND n.team_id = a.team_id AND n.alert_id = a.id AND n.planned_at > $1
"""

_RECEIPTS = """
UPDATE notification SET receipt_due_at = receipt_due_at - $2::interval
WHERE receipt_due_at > $1 AND sent_at > $1
"""


async def move_others(connection: Connection, by: timedelta, now: datetime) -> None:
    """Heartbeats, duty taken by hand, alerts on offer, and talks with sources, likewise.

    A source is read again from now on backwards, which costs a read and loses nothing.
    """
    await run(connection, _HEARTBEATS, now, by)
    await run(connection, _PUNCHES, now, by)
    await run(connection, _ON_OFFER, now, by)
    await run(connection, _WRITES, now, SYNC_LEASE)
    await run(connection, _POLLS, now, SYNC_LEASE)


_HEARTBEATS = """
UPDATE heartbeat SET due_at = due_at - $2::interval, heard_at = heard_at - $2::interval
WHERE heard_at > $1
"""

_PUNCHES = """
UPDATE punch SET during = tstzrange($1, upper(during))
WHERE lower(during) > $1 AND coalesce(upper(during) > $1, true)
  AND lower(during) <= $1 + $2::interval
"""

_ON_OFFER = """
UPDATE left_alert SET tell_at = tell_at - $2::interval WHERE left_at > $1 AND tell_at IS NOT NULL
"""

_WRITES = """
UPDATE remote_write SET
  next_try_at = CASE WHEN lease_until IS NULL THEN $1
    ELSE least(next_try_at, $1::timestamptz + $2::interval) END,
  lease_until = CASE WHEN lease_until IS NOT NULL
    THEN least(lease_until, clock_timestamp() + $2::interval) END
WHERE next_try_at > $1
"""

_POLLS = """
UPDATE poll SET wanted = true, watermark = least(watermark, $1), deep_at = NULL,
  lease_until = CASE WHEN lease_until IS NOT NULL
    THEN least(lease_until, clock_timestamp() + $2::interval) END
"""
