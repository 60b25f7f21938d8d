"""Turns what the core decided into rows, a batch in one statement per table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from tocsin.core.alert import Alert
from tocsin.core.effects import Call, Entry, Notify, Purpose, Sync, TakeTurn, Withdraw
from tocsin.core.reconcile import Intent
from tocsin.store.alerts.storing import Saved, store
from tocsin.store.db import Connection, run
from tocsin.store.telling import tell_of_changes
from tocsin.store.unnest import insert
from tocsin.store.uuids import uuid7

MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Written:
    """What a save left to do at once: pages that are due, something to tell a source."""

    due: bool
    syncs: bool


async def save(connection: Connection, changes: Sequence[Saved], now: datetime) -> Written:
    """Write alerts, timeline and promises.

    Raises `KeyTaken`; the transaction is then to be rolled back. All that is taken back is taken
    back before anything is promised, whatever the order of the effects (`still_wanted` has the
    last word when a page is due).
    """
    await store(connection, changes)
    withdrawals = [(c.alert, e) for c in changes for e in c.effects if isinstance(e, Withdraw)]
    if withdrawals:
        await _withdraw(connection, withdrawals)
    entries = [(c.alert, e) for c in changes for e in c.effects if isinstance(e, Entry)]
    if entries:
        await _write_entries(connection, entries, now)
        await tell_of_changes(connection, entries, now)
    turns = [(c.alert, e) for c in changes for e in c.effects if isinstance(e, TakeTurn)]
    if turns:
        await _take_turns(connection, turns)
    pages = [(c.alert, e) for c in changes for e in c.effects if isinstance(e, Notify | Call)]
    if pages:
        await _plan_pages(connection, pages, now)
    syncs = [(c.alert, e) for c in changes for e in c.effects if isinstance(e, Sync)]
    if syncs:
        await _plan_syncs(connection, syncs, now)
    return Written(any(page.due_at <= now for _, page in pages), bool(syncs))


_WITHDRAW = """
UPDATE notification n
SET state = 'cancelled', next_try_at = NULL, detail = 'withdrawn'
FROM unnest($1::int[], $2::uuid[], $3::int[], $4::bool[])
  AS w(team_id, alert_id, user_id, responders)
WHERE n.team_id = w.team_id AND n.alert_id = w.alert_id AND n.state = 'planned'
  AND (w.user_id IS NULL OR n.user_id = w.user_id)
  AND (n.purpose = 'escalation' OR w.responders AND n.purpose = 'responder')
"""


async def _withdraw(connection: Connection, items: Sequence[tuple[Alert, Withdraw]]) -> None:
    wide: list[tuple[int, UUID, int | None, bool]] = [
        (alert.team, alert.id, user, effect.responders)
        for alert, effect in items
        for user in (effect.users if effect.users is not None else (None,))
    ]
    await run(connection, _WITHDRAW, *_columns(wide, 4))


_ENTRY_TYPES = {
    "team_id": "int",
    "alert_id": "uuid",
    "at": "timestamptz",
    "kind": "text",
    "by_name": "text",
    "by_user": "int",
    "via": "text",
    "data": "jsonb",
}
_ENTRIES = insert("timeline", _ENTRY_TYPES)


async def _write_entries(
    connection: Connection, items: Sequence[tuple[Alert, Entry]], now: datetime
) -> None:
    values = [
        (
            alert.team,
            alert.id,
            now,
            e.kind.value,
            e.by.name,
            e.by.user,
            e.by.via.value,
            _json(e.data),
        )
        for alert, e in items
    ]
    await run(connection, _ENTRIES, *_columns(values, len(_ENTRY_TYPES)))


_PAGE_TYPES = {
    "team_id": "int",
    "id": "uuid",
    "alert_id": "uuid",
    "user_id": "int",
    "method_id": "int",
    "webhook": "text",
    "repeat_every": "bigint",
    "purpose": "text",
    "urgency": "text",
    "episode": "int",
    "round": "int",
    "step": "int",
    "planned_at": "timestamptz",
    "due_at": "timestamptz",
    "next_try_at": "timestamptz",
}
_PAGES = insert(
    "notification",
    _PAGE_TYPES,
    "ON CONFLICT (team_id, alert_id, method_id, purpose, due_at) WHERE state <> 'cancelled'"
    " DO NOTHING",
)


async def _plan_pages(
    connection: Connection, items: Sequence[tuple[Alert, Notify | Call]], now: datetime
) -> None:
    values = [
        (
            alert.team,
            uuid7(now),
            alert.id,
            *_whither(page),
            page.urgency.value,
            alert.episode,
            alert.position.round if alert.position else 0,
            alert.position.step if alert.position else 0,
            now,
            page.due_at,
            page.due_at,
        )
        for alert, page in items
    ]
    await run(connection, _PAGES, *_columns(values, len(_PAGE_TYPES)))


def _whither(page: Notify | Call) -> tuple[int | None, int | None, str | None, int | None, str]:
    """Person, contact method, outgoing webhook, repetition in microseconds, purpose."""
    if isinstance(page, Call):
        return None, None, page.webhook, None, Purpose.ESCALATION.value
    every = None if page.repeat_every is None else page.repeat_every // MICROSECOND
    return page.user, page.method, None, every, page.purpose.value


_TURNS = """
INSERT INTO turn (team_id, policy, step, taken)
SELECT t.team_id, t.policy, t.step, count(*)
FROM unnest($1::int[], $2::text[], $3::int[]) AS t(team_id, policy, step)
GROUP BY t.team_id, t.policy, t.step ORDER BY t.team_id, t.policy, t.step
ON CONFLICT (team_id, policy, step) DO UPDATE SET taken = turn.taken + excluded.taken
"""


async def _take_turns(connection: Connection, items: Sequence[tuple[Alert, TakeTurn]]) -> None:
    values = [(alert.team, alert.policy, turn.step) for alert, turn in items]
    await run(connection, _TURNS, *_columns(values, 3))


_SYNCS = """
INSERT INTO remote_write
  (team_id, id, connector_id, key, alert_id, intent, planned_at, next_try_at)
SELECT w.team_id, w.id, o.connector_id, o.key, o.alert_id,
       w.intent::jsonb || jsonb_build_object('owner', coalesce(u.entra, u.email)), $5, $5
FROM unnest($1::int[], $2::uuid[], $3::uuid[], $4::text[], $6::int[])
  AS w(team_id, id, alert_id, intent, user_id)
JOIN remote_object o ON o.team_id = w.team_id AND o.alert_id = w.alert_id
LEFT JOIN app_user u ON u.id = w.user_id
"""


async def _plan_syncs(
    connection: Connection, items: Sequence[tuple[Alert, Sync]], now: datetime
) -> None:
    values = [
        (alert.team, promise := uuid7(now), alert.id, _intent(promise, sync, now), sync.by.user)
        for alert, sync in items
    ]
    teams, ids, alerts, intents, users = _columns(values, 5)
    await run(connection, _SYNCS, teams, ids, alerts, intents, now, users)


def _intent(promise: UUID, sync: Sync, now: datetime) -> str:
    intent = Intent(
        id=str(promise),
        kind=sync.intent,
        by=sync.by.name,
        at=now,
        comment=sync.comment,
        classification=sync.classification,
    )
    return _json(intent)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _columns(values: Sequence[Sequence[object]], width: int) -> list[list[object]]:
    return [[row[place] for row in values] for place in range(width)]
