"""What providers and people say about a notification after it went out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from tocsin.core.effects import Purpose
from tocsin.core.kinds import Actor
from tocsin.core.notation import utc_text
from tocsin.core.notification import UNREPORTED, State, repeat_at, reported
from tocsin.store.db import Connection, Row, rows, run
from tocsin.store.outbox.nextrules import Failure, move_up
from tocsin.store.outbox.notifications import repeat_every_of
from tocsin.store.outbox.repeats import hold_alerts, plan_repeats
from tocsin.store.telling import tell_of_messages


@dataclass(frozen=True, slots=True)
class Through:
    """The notification through whose link somebody answers, and what they asked for."""

    team: int
    notification: UUID
    action: str
    by: Actor


async def late(connection: Connection, now: datetime, limit: int) -> int:
    """Look at messages whose delivery was not reported in time, and let the next rules run.

    Also those of the alerts that such a message carried. Returns how many messages were looked at.
    """
    found = await rows(connection, _LATE, now, limit, UNREPORTED)
    failures = [
        Failure(row["team_id"], row["id"], f"{row['name']} did not report delivery in time")
        for row in found
    ]
    await move_up(connection, failures, now)
    return len({(row["team_id"], row["carrier"]) for row in found})


_LATE = """
WITH late AS (
  SELECT team_id, id FROM notification WHERE receipt_due_at <= $1
  ORDER BY receipt_due_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
), looked AS (
  UPDATE notification n SET receipt_due_at = NULL
  FROM late WHERE n.team_id = late.team_id AND n.id = late.id
  RETURNING n.team_id, n.id, n.state, n.method_id, n.possible_duplicate
), noted AS (
  INSERT INTO ledger (team_id, notification_id, at, state, detail, possible_duplicate)
  SELECT team_id, id, $1, state, $3, possible_duplicate
  FROM looked WHERE state = 'sent'
)
SELECT l.team_id, l.id AS carrier, n.id, coalesce(c.name, 'its channel') AS name
FROM looked l
JOIN notification n ON n.team_id = l.team_id AND (n.id = l.id OR n.carrier_id = l.id)
LEFT JOIN contact_method c ON c.id = l.method_id
WHERE l.state = 'sent'
"""


async def report(
    connection: Connection,
    team: int,
    notification: UUID,
    state: State,
    detail: str | None,
    now: datetime,
) -> bool:
    """Write a provider's report down; False when it says nothing new or there is no such page.

    Reports may come late, twice and out of order: the higher state stays. One that says that a
    message failed lets the person's next rule run at once, also when it comes before we have
    written down that the message was accepted; a page that is still being tried goes on.
    """
    about = await rows(connection, _ABOUT, team, notification)
    await hold_alerts(connection, [(team, row["alert_id"]) for row in about])
    found = await rows(connection, _FIND, team, notification)
    if not found:
        return False
    row = found[0]
    before = State(row["state"])
    after = reported(before, state)
    fails = state is State.FAILED and before in _UNDER_WAY and not row["failed_already"]
    if after is before and not fails:
        return False
    await run(connection, _REPORTED, team, notification, after.value)
    await run(connection, _NOTE, team, notification, now, state.value, detail)
    await tell_of_messages(connection, [(team, notification, state)], now)
    if fails and before is not State.PLANNED:  # else it was the failure that had it put back
        why = f"{row['name'] or 'its channel'} failed"
        carried = await rows(connection, _CARRIED, team, notification)
        ids = [notification, *(one["id"] for one in carried)]
        await move_up(connection, [Failure(team, one, why) for one in ids], now)
    if after is not before:
        await _go_on(connection, [row], now)
    return True


_ABOUT = "SELECT alert_id FROM notification WHERE team_id = $1 AND id = $2"

_UNDER_WAY = frozenset({State.PLANNED, State.LEASED, State.SENT})

# `failed_already`: a report of before says it of the same attempt.
_FIND = """
SELECT n.*, c.name, coalesce((
  SELECT l.state = 'failed' FROM ledger l
  WHERE l.team_id = n.team_id AND l.notification_id = n.id AND l.state IN ('leased', 'failed')
  ORDER BY l.id DESC LIMIT 1), false) AS failed_already
FROM notification n LEFT JOIN contact_method c ON c.id = n.method_id
WHERE n.team_id = $1 AND n.id = $2 FOR NO KEY UPDATE OF n
"""

_CARRIED = "SELECT id FROM notification WHERE team_id = $1 AND carrier_id = $2"

# A page that was taken back and promised anew for the same moment stays taken back: the new one
# stands for it.
_STANDS = """
CASE WHEN n.state = 'cancelled' AND EXISTS (
  SELECT 1 FROM notification o
  WHERE o.team_id = n.team_id AND o.alert_id = n.alert_id AND o.method_id = n.method_id
    AND o.purpose = n.purpose AND o.due_at = n.due_at AND o.state <> 'cancelled')
THEN n.state ELSE """

_REPORTED = f"""
UPDATE notification n SET state = {_STANDS} $3 END, receipt_due_at = NULL,
  next_try_at = CASE WHEN $3 IN ('planned', 'leased') THEN next_try_at END
WHERE team_id = $1 AND id = $2
"""  # noqa: S608 - words of our own

_NOTE = """
INSERT INTO ledger (team_id, notification_id, at, state, detail, possible_duplicate)
SELECT team_id, id, $3, $4, $5, possible_duplicate FROM notification
WHERE team_id = $1 AND id = $2
"""


async def answered(
    connection: Connection, through: Through, alerts: Sequence[UUID], now: datetime
) -> None:
    """Write down who answered a notification, and the same for those of `alerts` it carried.

    The first answer stays; the ledger tells of each.
    """
    who = {"user": through.by.name, "via": through.by.via.value, "action": through.action}
    found = await rows(connection, _LOCK, through.team, through.notification, list(alerts))
    if not found:
        return
    ids = [row["id"] for row in found]
    answer = msgspec.json.encode({**who, "at": utc_text(now)}).decode()
    await run(connection, _ANSWERED, through.team, ids, answer)
    said = f"{through.action} by {through.by.name}, via {through.by.via.value}"
    await run(connection, _NOTE_MANY, through.team, ids, now, said)
    await _go_on(connection, found, now)


# In the order of their ids, as whoever settles them does.
_LOCK = """
SELECT * FROM notification
WHERE team_id = $1 AND (id = $2 OR carrier_id = $2) AND alert_id = ANY($3::uuid[])
ORDER BY team_id, id FOR NO KEY UPDATE
"""

_ANSWERED = f"""
UPDATE notification n
SET answer = coalesce(answer, $3::jsonb), state = {_STANDS} 'answered' END, next_try_at = NULL,
    receipt_due_at = NULL
WHERE team_id = $1 AND id = ANY($2::uuid[])
"""  # noqa: S608 - words of our own

_NOTE_MANY = """
INSERT INTO ledger (team_id, notification_id, at, state, detail, possible_duplicate)
SELECT team_id, id, $3, 'answered', $4, possible_duplicate FROM notification
WHERE team_id = $1 AND id = ANY($2::uuid[])
"""


async def _go_on(connection: Connection, found: Sequence[Row], now: datetime) -> None:
    """Plan the repetition that settling would have planned: it finds the page not leased."""
    repeats: list[tuple[int, UUID, datetime]] = []
    for row in found:
        if row["state"] in {State.PLANNED, State.LEASED}:
            at = repeat_at(repeat_every_of(row), Purpose(row["purpose"]), now)
            if at is not None:
                repeats.append((row["team_id"], row["id"], at))
    await plan_repeats(connection, repeats, now)
