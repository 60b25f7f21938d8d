"""The outbox of syncs: what is to be told to a source, one object at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from tocsin.core.reconcile import Intent
from tocsin.ports import Clock
from tocsin.store.db import Connection, rows, run
from tocsin.store.outbox.leases import SYNC_LEASE, Held, held


@dataclass(frozen=True, slots=True, kw_only=True)
class DueWrites:
    """All pending writes to one remote object, oldest first, claimed together.

    `numbers` are the lease numbers of the rows `ids`.
    """

    team: int
    connector: int
    key: str
    ids: tuple[UUID, ...]
    numbers: tuple[int, ...]
    intents: tuple[Intent, ...]
    tries: int
    lease: Held


AT_ONCE = 8
"""Objects of one connector that are written at a time, so that its polls are not starved."""

_intent = msgspec.json.Decoder(Intent)


async def claim_writes(
    connection: Connection, now: datetime, limit: int, clock: Clock
) -> tuple[DueWrites, ...]:
    """Lease the pending writes of up to `limit` objects; one object is written by one holder.

    Of one connector some `AT_ONCE` are leased at a time: a lease is not to run out in a queue.
    """
    found = await rows(connection, _CLAIM, now, limit, SYNC_LEASE, now + SYNC_LEASE, AT_ONCE)
    grouped: dict[tuple[int, int, str], list[int]] = {}
    for place, row in enumerate(found):
        grouped.setdefault((row["team_id"], row["connector_id"], row["key"]), []).append(place)
    return tuple(
        DueWrites(
            team=team,
            connector=connector,
            key=key,
            ids=tuple(found[place]["id"] for place in places),
            numbers=tuple(found[place]["lease_number"] for place in places),
            intents=tuple(_intent.decode(found[place]["intent"]) for place in places),
            tries=max(found[place]["tries"] for place in places),
            lease=held(
                max(found[place]["lease_number"] for place in places),
                found[places[0]]["database_now"],
                found[places[0]]["lease_until"],
                clock,
            ),
        )
        for (team, connector, key), places in grouped.items()
    )


# An object with a write under way is passed over, so that two processes never write it at once.
_CLAIM = """
WITH busy AS (
  SELECT DISTINCT team_id, connector_id, key FROM remote_write
  WHERE next_try_at IS NOT NULL AND lease_until > clock_timestamp()
), free AS (
  SELECT w.team_id, w.connector_id, w.key, min(w.next_try_at) AS first,
    row_number() OVER (
      PARTITION BY w.team_id, w.connector_id ORDER BY min(w.next_try_at), w.key) AS place
  FROM remote_write w
  WHERE w.next_try_at <= $1 AND NOT EXISTS (
    SELECT 1 FROM busy b
    WHERE b.team_id = w.team_id AND b.connector_id = w.connector_id AND b.key = w.key)
  GROUP BY 1, 2, 3
), objects AS (
  SELECT f.* FROM free f
  WHERE f.place + (SELECT count(*) FROM busy b
    WHERE b.team_id = f.team_id AND b.connector_id = f.connector_id) <= $5
  ORDER BY f.first LIMIT $2
), due AS (
  SELECT w.team_id, w.id FROM remote_write w
  JOIN remote_object o ON o.team_id = w.team_id AND o.connector_id = w.connector_id
    AND o.key = w.key
  JOIN objects b ON b.team_id = w.team_id AND b.connector_id = w.connector_id AND b.key = w.key
  WHERE w.state = 'pending'
  FOR NO KEY UPDATE OF o SKIP LOCKED
), leased AS (
  UPDATE remote_write w
  SET tries = w.tries + 1, lease_number = w.lease_number + 1,
      lease_until = clock_timestamp() + $3::interval, next_try_at = $4
  FROM due WHERE w.team_id = due.team_id AND w.id = due.id
    AND (w.lease_until IS NULL OR w.lease_until <= clock_timestamp())
  RETURNING w.*
)
SELECT *, clock_timestamp() AS database_now FROM leased ORDER BY planned_at, id
"""


async def settle_writes(
    connection: Connection,
    due: DueWrites,
    *,
    state: str,
    detail: str | None,
    again_at: datetime | None,
    now: datetime,
) -> bool:
    """Write what became of claimed writes; False when the lease of any was lost meanwhile."""
    written = await run(
        connection,
        "UPDATE remote_write w SET state = $4, detail = $5, next_try_at = $6, lease_until = NULL,"
        " settled_at = CASE WHEN $6::timestamptz IS NULL THEN $7::timestamptz END"
        " FROM unnest($2::uuid[], $3::bigint[]) AS held(id, number)"
        " WHERE w.team_id = $1 AND w.id = held.id AND w.lease_number = held.number"
        " AND w.state = 'pending' AND w.lease_until IS NOT NULL",
        due.team,
        list(due.ids),
        list(due.numbers),
        state,
        detail,
        again_at,
        now,
    )
    return written == len(due.ids)


async def pending_writes(
    connection: Connection, team: int, connector: int
) -> Sequence[dict[str, object]]:
    """The writes that were not made yet, with their last failure, for the connector's state."""
    found = await rows(
        connection,
        "SELECT id, key, planned_at, next_try_at, tries, detail FROM remote_write"
        " WHERE team_id = $1 AND connector_id = $2 AND state = 'pending' ORDER BY planned_at",
        team,
        connector,
    )
    return [dict(row) for row in found]
