"""The outbox of pages: claim what is due, settle what became of it."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tocsin.core.effects import Purpose
from tocsin.core.kinds import Urgency
from tocsin.core.notification import Promise, State
from tocsin.store.db import Connection, Row, rows, run
from tocsin.store.outbox.leases import PAGE_LEASE
from tocsin.store.outbox.nextrules import Failure, move_up
from tocsin.store.outbox.repeats import hold_alerts, plan_repeats
from tocsin.store.telling import tell_of_messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A page that this process has claimed. `number` is the lease; settling depends on it."""

    team: int
    id: UUID
    alert: UUID | None
    promise: Promise
    urgency: Urgency
    round: int
    step: int
    attempt: int
    repeat_every: timedelta | None
    due_at: datetime
    tries: int
    number: int
    possible_duplicate: bool
    webhook: str | None = None
    body: str | None = None
    carrier: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of a claimed page. `again_at` puts it back; `repeat_at` plans the next one.

    `receipt_by` is when its delivery should be reported. `failed` is the name of the contact
    method that did not take it: the person's next rule then runs at once.
    """

    due: Due
    state: State
    detail: str | None = None
    provider_id: str | None = None
    again_at: datetime | None = None
    repeat_at: datetime | None = None
    maybe_sent: bool = False
    receipt_by: datetime | None = None
    failed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Full:
    """Contact methods and media that this process has enough of in the air."""

    methods: tuple[int, ...] = ()
    media: tuple[str, ...] = ()


NOT_FULL = Full()


async def claim_pages(
    connection: Connection, now: datetime, limit: int, full: Full = NOT_FULL
) -> list[Due]:
    """Lease pages that are due, longest ago first; those of a dead worker come back marked.

    Pages that go to what is `full` are left alone.
    """
    sql = _CLAIM_OTHERS if full.methods or full.media else _CLAIM
    args = (list(full.methods), list(full.media)) if sql is _CLAIM_OTHERS else ()
    found = await rows(connection, sql, now, limit, PAGE_LEASE, now + PAGE_LEASE, *args)
    return _readable(found)


async def claim_more(
    connection: Connection, now: datetime, limit: int, methods: Sequence[int]
) -> list[Due]:
    """Lease further pages that are due to these contact methods, so that one message has all."""
    found = await rows(
        connection, _CLAIM_MORE, now, limit, PAGE_LEASE, now + PAGE_LEASE, list(methods)
    )
    return _readable(found)


def _readable(found: Iterable[Row]) -> list[Due]:
    """What this version can read. The rest keeps its lease until a newer one claims it."""
    read: list[Due] = []
    for row in found:
        with contextlib.suppress(ValueError):
            read.append(_due(row))
    return read


_CLAIM = """
WITH due AS (
  SELECT team_id, id FROM notification
  WHERE next_try_at <= $1 AND (lease_until IS NULL OR lease_until <= clock_timestamp())
  ORDER BY next_try_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
), leased AS (
  UPDATE notification n
  SET possible_duplicate = n.possible_duplicate OR n.state = 'leased', state = 'leased',
      tries = n.tries + 1, lease_number = n.lease_number + 1,
      lease_until = clock_timestamp() + $3::interval, next_try_at = $4
  FROM due WHERE n.team_id = due.team_id AND n.id = due.id
  RETURNING n.*
), noted AS (
  INSERT INTO ledger (team_id, notification_id, at, state, possible_duplicate)
  SELECT team_id, id, $1, 'leased', possible_duplicate FROM leased
)
SELECT * FROM leased ORDER BY due_at
"""

_CLAIM_OTHERS = _CLAIM.replace(
    "ORDER BY",
    "AND coalesce(method_id <> ALL($5::int[]), true) AND NOT EXISTS ("
    "SELECT 1 FROM contact_method c"
    " WHERE c.id = method_id AND c.channel = ANY($6::text[]))"
    " AND (webhook IS NULL OR 'webhook' <> ALL($6::text[])) ORDER BY",
    1,
)
_CLAIM_MORE = _CLAIM.replace("ORDER BY", "AND method_id = ANY($5::int[]) ORDER BY", 1)


def repeat_every_of(row: Row) -> timedelta | None:
    """How often the page of a row is repeated."""
    repeat = row["repeat_every"]
    return None if repeat is None else timedelta(microseconds=repeat)


def _due(row: Row) -> Due:
    return Due(
        team=row["team_id"],
        id=row["id"],
        alert=row["alert_id"],
        promise=Promise(
            user=row["user_id"],
            method=row["method_id"],
            purpose=Purpose(row["purpose"]),
            episode=row["episode"],
            planned_at=row["planned_at"],
        ),
        urgency=Urgency(row["urgency"]),
        round=row["round"],
        step=row["step"],
        attempt=row["attempt"],
        repeat_every=repeat_every_of(row),
        due_at=row["due_at"],
        tries=row["tries"],
        number=row["lease_number"],
        possible_duplicate=row["possible_duplicate"],
        webhook=row["webhook"],
        body=row["body"],
        carrier=row["carrier_id"],
    )


async def settle_pages(
    connection: Connection, settled: Sequence[Settled], now: datetime
) -> tuple[Due, ...]:
    """Write what became of claimed pages; returns those whose lease was lost meanwhile.

    A lost one is left to its new holder; of one that was reported delivered or answered meanwhile
    the higher state stays. The next repetition is planned only while its alert is still open in
    the same episode; after a failure the person's next rule moves up: all in this transaction.
    """
    await hold_alerts(connection, [(s.due.team, s.due.alert) for s in settled if s.repeat_at])
    teams, ids = [s.due.team for s in settled], [s.due.id for s in settled]
    if any(s.state is State.BUNDLED or s.due.carrier is not None for s in settled):
        # An answer to a message about several locks their rows in the same order.
        await run(connection, _LOCK, teams, ids)
    written = await rows(
        connection,
        _SETTLE,
        teams,
        ids,
        [s.due.number for s in settled],
        [s.state.value for s in settled],
        [s.detail for s in settled],
        [s.provider_id for s in settled],
        [s.again_at for s in settled],
        now,
        [s.maybe_sent for s in settled],
        [s.receipt_by for s in settled],
    )
    ours = {row["id"]: row["plain"] for row in written}
    await _follow_up(connection, settled, ours, now)
    return tuple(s.due for s in settled if s.due.id not in ours)


async def _follow_up(
    connection: Connection, settled: Sequence[Settled], ours: Mapping[UUID, bool], now: datetime
) -> None:
    """What follows from those that were ours to settle: repetitions, next rules, what is told."""
    repeats = [
        (s.due.team, s.due.id, s.repeat_at) for s in settled if s.repeat_at and ours.get(s.due.id)
    ]
    await plan_repeats(connection, repeats, now)
    failed = [
        Failure(s.due.team, s.due.id, f"{s.failed} failed")
        for s in settled
        if s.failed is not None and ours.get(s.due.id)
    ]
    await move_up(connection, failed, now)
    told = [(s.due.team, s.due.id, s.state) for s in settled if ours.get(s.due.id)]
    await tell_of_messages(connection, told, now)


_LOCK = """
SELECT 1 FROM notification n
JOIN unnest($1::int[], $2::uuid[]) AS s(team_id, id) ON n.team_id = s.team_id AND n.id = s.id
ORDER BY n.team_id, n.id FOR NO KEY UPDATE OF n
"""

# A row with a lease is this process's; one that is not "leased" any more was reported on or
# answered before we came to write down that it was sent.
_SETTLE = """
WITH settled AS (
  UPDATE notification n
  SET state = CASE WHEN n.state = 'leased' THEN s.state ELSE n.state END, detail = s.detail,
      provider_id = coalesce(s.provider_id, n.provider_id),
      next_try_at = CASE WHEN n.state = 'leased' THEN s.again_at END, lease_until = NULL,
      possible_duplicate = n.possible_duplicate OR s.maybe_sent,
      sent_at = CASE WHEN s.state IN ('sent', 'bundled') THEN $8 ELSE n.sent_at END,
      receipt_due_at = CASE WHEN n.state = 'leased' THEN s.receipt_by END
  FROM unnest($1::int[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[],
              $7::timestamptz[], $9::bool[], $10::timestamptz[])
    AS s(team_id, id, number, state, detail, provider_id, again_at, maybe_sent, receipt_by)
  WHERE n.team_id = s.team_id AND n.id = s.id AND n.lease_number = s.number
    AND n.lease_until IS NOT NULL
  RETURNING n.team_id, n.id, s.state, n.detail, n.possible_duplicate, s.again_at,
            n.state = s.state AS plain
), noted AS (
  INSERT INTO ledger (team_id, notification_id, at, state, detail, possible_duplicate)
  SELECT team_id, id, $8, CASE WHEN again_at IS NULL THEN state ELSE 'retry' END, detail,
         possible_duplicate
  FROM settled
)
SELECT id, plain FROM settled
"""
