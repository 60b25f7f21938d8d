"""The outbox of events for sinks: claimed for one connector at a time, oldest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from tocsin.core.kinds import Severity
from tocsin.ports import Clock
from tocsin.store.db import Connection, Row, rows, run
from tocsin.store.outbox.leases import SYNC_LEASE, Held, held


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One thing that happened to an alert; `status` and `severity` are those it had then."""

    id: UUID
    alert: UUID
    at: datetime
    kind: str
    by: str
    severity: Severity
    status: str
    data: Mapping[str, object]
    notification: UUID | None
    channel: str | None
    delivery: str | None
    attempt: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePublications:
    """What one connector's sink is to be told now. `numbers` are the leases of `events`."""

    team: int
    connector: int
    events: tuple[Publication, ...]
    numbers: tuple[int, ...]
    tries: int
    lease: Held


async def claim_publications(
    connection: Connection, now: datetime, clock: Clock, *, connectors: int = 8, events: int = 500
) -> tuple[DuePublications, ...]:
    """Lease the oldest `events` of some connectors; those of one are held by one holder."""
    found = await rows(connection, _CLAIM, now, connectors, events, SYNC_LEASE, now + SYNC_LEASE)
    grouped: dict[tuple[int, int], list[Row]] = {}
    for row in found:
        grouped.setdefault((row["team_id"], row["connector_id"]), []).append(row)
    return tuple(
        DuePublications(
            team=team,
            connector=connector,
            events=tuple(_publication(row) for row in theirs),
            numbers=tuple(row["lease_number"] for row in theirs),
            tries=max(row["tries"] for row in theirs),
            lease=held(
                max(row["lease_number"] for row in theirs),
                theirs[0]["database_now"],
                theirs[0]["lease_until"],
                clock,
            ),
        )
        for (team, connector), theirs in grouped.items()
    )


# A connector of which somebody holds events is passed over, so that its sink gets one call at a
# time, in order.
_CLAIM = """
WITH waiting AS (
  SELECT p.team_id, p.connector_id, min(p.next_try_at) AS first FROM publication p
  WHERE p.next_try_at <= $1 GROUP BY 1, 2
), chosen AS (
  SELECT w.* FROM waiting w
  WHERE NOT EXISTS (SELECT 1 FROM publication b
    WHERE b.team_id = w.team_id AND b.connector_id = w.connector_id
      AND b.lease_until > clock_timestamp())
  ORDER BY w.first LIMIT $2
), due AS (
  SELECT d.team_id, d.connector_id, d.id FROM chosen s CROSS JOIN LATERAL (
    SELECT p.team_id, p.connector_id, p.id FROM publication p
    WHERE p.team_id = s.team_id AND p.connector_id = s.connector_id
    ORDER BY p.at, p.id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED) d
), leased AS (
  UPDATE publication p
  SET tries = p.tries + 1, lease_number = p.lease_number + 1,
      lease_until = clock_timestamp() + $4::interval, next_try_at = $5
  FROM due
  WHERE p.team_id = due.team_id AND p.connector_id = due.connector_id AND p.id = due.id
    AND (p.lease_until IS NULL OR p.lease_until <= clock_timestamp())
  RETURNING p.*
)
SELECT *, clock_timestamp() AS database_now FROM leased ORDER BY at, id
"""


async def published(connection: Connection, due: DuePublications) -> int:
    """Forget what the sink has; what another holder has taken over meanwhile is left to it."""
    return await run(
        connection,
        "DELETE FROM publication p USING unnest($3::uuid[], $4::bigint[]) AS held(id, number)"
        " WHERE p.team_id = $1 AND p.connector_id = $2 AND p.id = held.id"
        " AND p.lease_number = held.number",
        due.team,
        due.connector,
        [event.id for event in due.events],
        list(due.numbers),
    )


async def put_off(
    connection: Connection, due: DuePublications, detail: str, again_at: datetime
) -> None:
    """Try again at `again_at`, and nothing else of this connector before."""
    await run(
        connection,
        "UPDATE publication p SET next_try_at = $3, lease_until = NULL, detail = $4"
        " WHERE p.team_id = $1 AND p.connector_id = $2 AND (p.lease_until IS NULL"
        " OR (p.id, p.lease_number) IN (SELECT * FROM unnest($5::uuid[], $6::bigint[])))",
        due.team,
        due.connector,
        again_at,
        detail,
        [event.id for event in due.events],
        list(due.numbers),
    )


async def drop_publications(connection: Connection, before: datetime) -> int:
    """Forget what happened before this and no sink has taken; returns how many events."""
    return await run(connection, "DELETE FROM publication WHERE at < $1", before)


def _publication(row: Row) -> Publication:
    return Publication(
        id=row["id"],
        alert=row["alert_id"],
        at=row["at"],
        kind=row["kind"],
        by=row["by_name"],
        severity=Severity(row["severity"]),
        status=row["status"],
        data=msgspec.json.decode(row["data"]),
        notification=row["notification_id"],
        channel=row["channel"],
        delivery=row["delivery"],
        attempt=row["attempt"],
    )
