"""Promises to tell sinks what happened, written in the transaction in which it happened."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from tocsin.core.alert import Alert
from tocsin.core.effects import Entry, EntryKind
from tocsin.core.notification import State
from tocsin.store.db import Connection, rows, run
from tocsin.store.unnest import unnest, value
from tocsin.store.uuids import uuid7

# What becomes of a message, as far as sinks hear of it.
_TOLD = frozenset({State.SENT, State.DELIVERED, State.FAILED, State.EXPIRED})
_UNTOLD = frozenset({EntryKind.DETAILS, EntryKind.CLOCK_SET_BACK})

# One who wants to hear says so in its connector block; where nobody does, nothing is written.
_HEARS = "c.enabled AND jsonb_typeof(c.body->'table') = 'object'"
_WANTED = f"JOIN connector c ON c.team_id = new.team_id AND {_HEARS}"
_HEARING = f"SELECT DISTINCT c.team_id FROM connector c WHERE {_HEARS}"  # noqa: S608 - words of our own


async def _hearing(connection: Connection) -> set[int]:
    """Teams with a sink that wants to hear: asked first, so that nothing is made up for others."""
    return {row["team_id"] for row in await rows(connection, _HEARING)}


async def tell_of_changes(
    connection: Connection, items: Sequence[tuple[Alert, Entry]], now: datetime
) -> None:
    """Promise the sinks of each alert's team to tell of its new timeline entries."""
    hearing = await _hearing(connection)
    wanted = [
        (
            alert.team,
            uuid7(now),
            alert.id,
            entry.kind.value,
            entry.by.name,
            alert.severity.value,
            alert.status.value,
            msgspec.json.encode(dict(entry.data)).decode(),
        )
        for alert, entry in items
        if alert.team in hearing and entry.kind not in _UNTOLD
    ]
    if wanted:
        columns = [list(column) for column in zip(*wanted, strict=True)]
        await run(connection, _CHANGES, *columns, now)


_CHANGE_TYPES = {
    "team_id": "int",
    "id": "uuid",
    "alert_id": "uuid",
    "kind": "text",
    "by_name": "text",
    "severity": "text",
    "status": "text",
    "data": "jsonb",
}
_CHANGES = f"""
INSERT INTO publication ({", ".join(_CHANGE_TYPES)}, connector_id, at, next_try_at)
SELECT {", ".join(value(column, kind) for column, kind in _CHANGE_TYPES.items())}, c.id, $9, $9
FROM {unnest(_CHANGE_TYPES)} {_WANTED}
"""  # noqa: S608 - names of our own


async def tell_of_messages(
    connection: Connection, items: Sequence[tuple[int, UUID, State]], now: datetime
) -> None:
    """Promise to tell what became of messages about alerts: (team, notification, state)."""
    hearing = await _hearing(connection) if items else set[int]()
    told = [item for item in items if item[0] in hearing and item[2] in _TOLD]
    if not told:
        return
    teams, notifications, states = zip(*told, strict=True)
    ids = [uuid7(now) for _ in told]
    await run(
        connection,
        _MESSAGES,
        list(teams),
        ids,
        list(notifications),
        [state.value for state in states],
        now,
    )


_MESSAGES = f"""
INSERT INTO publication (team_id, id, alert_id, kind, by_name, severity, status, notification_id,
  channel, delivery, attempt, connector_id, at, next_try_at)
SELECT new.team_id, new.id, n.alert_id, 'notified', coalesce(u.name, n.webhook, ''), a.severity,
  a.status, n.id, coalesce(m.channel, 'webhook'), new.state, n.attempt, c.id, $5, $5
FROM unnest($1::int[], $2::uuid[], $3::uuid[], $4::text[])
  AS new(team_id, id, notification_id, state)
{_WANTED}
JOIN notification n ON n.team_id = new.team_id AND n.id = new.notification_id
JOIN alert a ON a.team_id = n.team_id AND a.id = n.alert_id
LEFT JOIN app_user u ON u.id = n.user_id
LEFT JOIN contact_method m ON m.id = n.method_id
"""  # noqa: S608 - names of our own
