"""Pages that share one message, and pages that wait for the next one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from tocsin.core.effects import EntryKind
from tocsin.core.kinds import SYSTEM
from tocsin.store.db import Connection, Row, rows, run
from tocsin.store.outbox.notifications import Due


@dataclass(frozen=True, slots=True)
class Held:
    """A claimed page that is not to go out before `until`, and what the ledger says about it."""

    due: Due
    until: datetime
    why: str


async def put_back(connection: Connection, held: Sequence[Held], now: datetime) -> None:
    """Give claimed pages back as if they had not been tried, due again at their time."""
    if held:
        await run(
            connection,
            _PUT_BACK,
            [one.due.team for one in held],
            [one.due.id for one in held],
            [one.due.number for one in held],
            [one.until for one in held],
            [one.why for one in held],
            now,
        )


_PUT_BACK = """
WITH back AS (
  UPDATE notification n
  SET state = 'planned', next_try_at = h.until, lease_until = NULL, detail = h.why,
      tries = n.tries - 1
  FROM unnest($1::int[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::text[])
    AS h(team_id, id, number, until, why)
  WHERE n.team_id = h.team_id AND n.id = h.id AND n.lease_number = h.number
    AND n.state = 'leased'
  RETURNING n.team_id, n.id, n.detail, n.possible_duplicate
)
INSERT INTO ledger (team_id, notification_id, at, state, detail, possible_duplicate)
SELECT team_id, id, $6, 'planned', detail, possible_duplicate FROM back
"""


async def carry(connection: Connection, carriers: Sequence[tuple[Due, UUID | None]]) -> None:
    """Write down which notification carries each of these; None: it goes by itself.

    They stay leased with it until it is settled, so that a crash loses none of them.
    """
    if carriers:
        await run(
            connection,
            "UPDATE notification n SET carrier_id = c.carrier"
            " FROM unnest($1::int[], $2::uuid[], $3::uuid[]) AS c(team_id, id, carrier)"
            " WHERE n.team_id = c.team_id AND n.id = c.id",
            [due.team for due, _ in carriers],
            [due.id for due, _ in carriers],
            [carrier for _, carrier in carriers],
        )


@dataclass(frozen=True, slots=True)
class Line:
    """A line for an alert's timeline."""

    team: int
    alert: UUID
    kind: EntryKind
    data: Mapping[str, object]


async def tell_once(connection: Connection, lines: Iterable[Line], now: datetime) -> None:
    """Write the lines that their alert's timeline does not have yet, one of each kind."""
    first: dict[tuple[int, UUID, EntryKind], Line] = {}
    for line in lines:
        first.setdefault((line.team, line.alert, line.kind), line)
    if first:
        await run(
            connection,
            _TELL_ONCE,
            [line.team for line in first.values()],
            [line.alert for line in first.values()],
            [line.kind.value for line in first.values()],
            [msgspec.json.encode(line.data).decode() for line in first.values()],
            now,
            SYSTEM.name,
            SYSTEM.via.value,
        )


_TELL_ONCE = """
INSERT INTO timeline (team_id, alert_id, at, kind, by_name, via, data)
SELECT l.team_id, l.alert_id, $5, l.kind, $6, $7, l.data::jsonb
FROM unnest($1::int[], $2::uuid[], $3::text[], $4::text[]) AS l(team_id, alert_id, kind, data)
WHERE NOT EXISTS (
  SELECT 1 FROM timeline t
  WHERE t.team_id = l.team_id AND t.alert_id = l.alert_id AND t.kind = l.kind)
"""


@dataclass(frozen=True, slots=True)
class Leaver:
    """Somebody's page for an alert that their successors are paged for."""

    due: Due
    successors: tuple[int, ...]


async def relieved(connection: Connection, leavers: Sequence[Leaver]) -> dict[UUID, str]:
    """For the pages that a successor's message makes needless: by whom, by notification id.

    A channel has accepted a message to them that was planned after the first to the leaver.
    """
    wide = [(leaver.due, user) for leaver in leavers for user in leaver.successors]
    found: Sequence[Row] = await rows(
        connection,
        _RELIEVED,
        [due.team for due, _ in wide],
        [due.id for due, _ in wide],
        [user for _, user in wide],
    )
    return {row["id"]: row["name"] for row in found}


_RELIEVED = """
SELECT DISTINCT ON (n.id) n.id, u.name
FROM unnest($1::int[], $2::uuid[], $3::int[]) AS l(team_id, id, successor)
JOIN notification n ON n.team_id = l.team_id AND n.id = l.id
JOIN notification s ON s.team_id = n.team_id AND s.alert_id = n.alert_id
  AND s.user_id = l.successor AND s.episode = n.episode AND s.purpose = 'escalation'
  AND s.state IN ('sent', 'delivered', 'seen', 'answered', 'bundled')
JOIN app_user u ON u.id = s.user_id
WHERE s.planned_at > (
  SELECT min(f.planned_at) FROM notification f
  WHERE f.team_id = n.team_id AND f.alert_id = n.alert_id AND f.user_id = n.user_id
    AND f.episode = n.episode AND f.purpose = 'escalation')
ORDER BY n.id, s.sent_at
"""
