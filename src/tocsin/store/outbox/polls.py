"""How far each connector has been read, and who is reading it."""

from dataclasses import dataclass
from datetime import datetime

from tocsin.ports import Clock
from tocsin.store.db import Connection, rows, run
from tocsin.store.outbox.leases import SYNC_LEASE, Held, held


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePoll:
    """A connector that this process is to read now."""

    team: int
    connector: int
    watermark: datetime | None
    deep_at: datetime | None
    failures: int
    lease: Held


async def claim_polls(
    connection: Connection, now: datetime, limit: int, clock: Clock
) -> tuple[DuePoll, ...]:
    """Lease connectors whose time has come; each is read by one holder at a time.

    One that was never read is due at once.
    """
    await run(connection, _NEW, now)
    found = await rows(connection, _CLAIM, now, limit, SYNC_LEASE)
    return tuple(
        DuePoll(
            team=row["team_id"],
            connector=row["connector_id"],
            watermark=row["watermark"],
            deep_at=row["deep_at"],
            failures=row["failures"],
            lease=held(row["lease_number"], row["database_now"], row["lease_until"], clock),
        )
        for row in found
    )


_NEW = """
INSERT INTO poll (team_id, connector_id, run_at)
SELECT c.team_id, c.id, $1 FROM connector c WHERE c.enabled AND NOT EXISTS (
  SELECT 1 FROM poll p WHERE p.team_id = c.team_id AND p.connector_id = c.id)
ON CONFLICT DO NOTHING
"""

_CLAIM = """
WITH due AS (
  SELECT p.team_id, p.connector_id FROM poll p
  JOIN connector c ON c.team_id = p.team_id AND c.id = p.connector_id AND c.enabled
  WHERE (p.run_at <= $1 OR p.wanted)
    AND (p.lease_until IS NULL OR p.lease_until <= clock_timestamp())
  ORDER BY p.run_at LIMIT $2 FOR NO KEY UPDATE OF p SKIP LOCKED
)
UPDATE poll p SET lease_number = p.lease_number + 1, started_at = $1, wanted = false,
  lease_until = clock_timestamp() + $3::interval
FROM due WHERE p.team_id = due.team_id AND p.connector_id = due.connector_id
RETURNING p.*, clock_timestamp() AS database_now
"""


async def renew_poll(connection: Connection, due: DuePoll) -> Held | None:
    """Hold the lease for longer, in the transaction that stores a page; None when it was lost."""
    found = await rows(
        connection,
        "UPDATE poll SET lease_until = clock_timestamp() + $4::interval"
        " WHERE team_id = $1 AND connector_id = $2 AND lease_number = $3"
        " AND lease_until IS NOT NULL"
        " RETURNING lease_until, clock_timestamp() AS database_now",
        due.team,
        due.connector,
        due.lease.number,
        SYNC_LEASE,
    )
    if not found:
        return None
    return held(
        due.lease.number, found[0]["database_now"], found[0]["lease_until"], due.lease.clock
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """How a poll ended; None leaves a field as it is. `run_at` is when to read again."""

    run_at: datetime
    succeeded_at: datetime | None = None
    watermark: datetime | None = None
    deep_at: datetime | None = None
    error: str | None = None


async def settle_poll(connection: Connection, due: DuePoll, polled: Polled) -> bool:
    """End the lease and, after a complete scan, move the watermark, never backwards.

    False, and nothing written, when the lease was lost: a process that slept cannot move it.
    """
    written = await run(
        connection,
        "UPDATE poll SET lease_until = NULL, run_at = $4,"
        " succeeded_at = coalesce($5, succeeded_at), watermark = greatest(watermark, $6),"
        " deep_at = coalesce($7, deep_at), error = $8,"
        " failures = CASE WHEN $8::text IS NULL THEN 0 ELSE failures + 1 END"
        " WHERE team_id = $1 AND connector_id = $2 AND lease_number = $3"
        " AND lease_until IS NOT NULL",
        due.team,
        due.connector,
        due.lease.number,
        polled.run_at,
        polled.succeeded_at,
        polled.watermark,
        polled.deep_at,
        polled.error,
    )
    return written == 1


async def release_poll(connection: Connection, due: DuePoll) -> None:
    """Give a claim back as if it had not been made: the next claim is due at once."""
    await run(
        connection,
        "UPDATE poll SET lease_until = NULL, wanted = true"
        " WHERE team_id = $1 AND connector_id = $2 AND lease_number = $3"
        " AND lease_until IS NOT NULL",
        due.team,
        due.connector,
        due.lease.number,
    )


async def poll_now(connection: Connection, team: int, connector: int, now: datetime) -> None:
    """Have a connector read at once; one that is being read is read again right after.

    Whether it is being read is decided by the database: the clocks of two hosts may differ.
    """
    await run(
        connection,
        "INSERT INTO poll (team_id, connector_id, run_at, wanted) VALUES ($1, $2, $3, true)"
        " ON CONFLICT (team_id, connector_id) DO UPDATE"
        " SET run_at = excluded.run_at, wanted = true",
        team,
        connector,
        now,
    )
