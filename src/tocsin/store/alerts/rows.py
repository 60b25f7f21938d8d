"""Alert rows ⇄ core values."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec

from tocsin.core.alert import Alert, Answered, Closure, Leaving, Origin, Paged
from tocsin.core.escalation import Position
from tocsin.core.kinds import Mode, Severity, Status, Urgency


@dataclass(frozen=True, slots=True)
class State:
    """What the `state` column holds: fields that are only read and written with the alert."""

    acknowledgements_required: int = 1
    answers: tuple[Answered, ...] = ()
    closure: Closure | None = None
    awaiting_owner: bool = False
    exhausted: bool = False
    paged: tuple[Paged, ...] = ()
    responders: tuple[int, ...] = ()
    expires_at: datetime | None = None
    held: bool = False
    crew: tuple[int, ...] = ()
    leaving: tuple[Leaving, ...] = ()
    own_mode: bool = False
    own_acknowledgements: int | None = None


_STATE = tuple(State.__dataclass_fields__)
_state = msgspec.json.Decoder(State)
_details = msgspec.json.Decoder(dict[str, object])
_encode = msgspec.json.Encoder().encode


def alert_of(row: Mapping[str, Any]) -> Alert:
    """The alert that a row of the `alert` table stands for."""
    state = _state.decode(row["state"])
    step = row["step"]
    return Alert(
        team=row["team_id"],
        id=row["id"],
        number=row["number"],
        title=row["title"],
        text=row["text"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        severity=Severity(row["severity"]),
        urgency=Urgency(row["urgency"]),
        source=Origin(row["source_kind"], row["source_name"], row["source_url"]),
        policy=row["policy"],
        policy_name=row["policy_name"],
        close_after=None if row["close_after"] is None else timedelta(seconds=row["close_after"]),
        category=row["category"],
        mode=Mode(row["mode"]),
        status=Status(row["status"]),
        suppressed=row["suppressed"],
        suppressed_until=row["suppressed_until"],
        integration=row["integration_id"],
        connector=row["connector_id"],
        external_id=row["external_id"],
        owner=row["owner_id"],
        episode=row["episode"],
        position=None if step is None else Position(row["round"], step),
        next_step_at=row["next_step_at"],
        snoozed_until=row["snoozed_until"],
        duty_at=row["duty_at"],
        seen_count=row["seen_count"],
        details=_details.decode(row["details"]),
        links=tuple(row["links"]),
        **{name: getattr(state, name) for name in _STATE},
    )


def readable(found: Iterable[Mapping[str, Any]]) -> tuple[list[Alert], list[tuple[int, UUID]]]:
    """The alerts of rows, and (team, id) of those that this version cannot read.

    A newer version may have written them; one such row must not keep the others from paging.
    """
    read: list[Alert] = []
    unread: list[tuple[int, UUID]] = []
    for row in found:
        try:
            read.append(alert_of(row))
        except (ValueError, msgspec.MsgspecError):
            unread.append((row["team_id"], row["id"]))
    return read, unread


def _state_of(alert: Alert) -> str:
    state = State(
        alert.acknowledgements_required,
        alert.answers,
        alert.closure,
        alert.awaiting_owner,
        alert.exhausted,
        alert.paged,
        alert.responders,
        alert.expires_at,
        alert.held,
        alert.crew,
        alert.leaving,
        alert.own_mode,
        alert.own_acknowledgements,
    )
    return _encode(state).decode()


def _details_of(alert: Alert) -> str:
    return _encode(alert.details).decode()


def _seconds(length: timedelta | None) -> int | None:
    return None if length is None else int(length.total_seconds())


Getter = Callable[[Alert], object]

FIXED: Mapping[str, tuple[str, Getter]] = {
    "team_id": ("int", lambda a: a.team),
    "id": ("uuid", lambda a: a.id),
    "number": ("int", lambda a: a.number),
    "source_kind": ("text", lambda a: a.source.kind),
    "source_name": ("text", lambda a: a.source.name),
    "integration_id": ("int", lambda a: a.integration),
    "connector_id": ("int", lambda a: a.connector),
    "external_id": ("text", lambda a: a.external_id),
    "created_at": ("timestamptz", lambda a: a.created_at),
}
"""Columns that are written once: name → PostgreSQL type, value."""

CHANGING: Mapping[str, tuple[str, Getter]] = {
    "status": ("text", lambda a: a.status.value),
    "severity": ("text", lambda a: a.severity.value),
    "urgency": ("text", lambda a: a.urgency.value),
    "mode": ("text", lambda a: a.mode.value),
    "title": ("text", lambda a: a.title),
    "text": ("text", lambda a: a.text),
    "category": ("text", lambda a: a.category),
    "suppressed": ("text", lambda a: a.suppressed),
    "source_url": ("text", lambda a: a.source.url),
    "owner_id": ("int", lambda a: a.owner),
    "policy": ("text", lambda a: a.policy),
    "policy_name": ("text", lambda a: a.policy_name),
    "close_after": ("int", lambda a: _seconds(a.close_after)),
    "suppressed_until": ("timestamptz", lambda a: a.suppressed_until),
    "duty_at": ("timestamptz", lambda a: a.duty_at),
    "episode": ("int", lambda a: a.episode),
    "round": ("int", lambda a: a.position.round if a.position else None),
    "step": ("int", lambda a: a.position.step if a.position else None),
    "next_step_at": ("timestamptz", lambda a: a.next_step_at),
    "snoozed_until": ("timestamptz", lambda a: a.snoozed_until),
    "seen_count": ("int", lambda a: a.seen_count),
    "updated_at": ("timestamptz", lambda a: a.updated_at),
    "state": ("jsonb", _state_of),
    "details": ("jsonb", _details_of),
    "links": ("text[]", lambda a: list(a.links)),
}
"""Columns that a change may alter."""


_FIELDS = tuple(Alert.__dataclass_fields__)
_values = attrgetter(*_FIELDS)
_ELSEWHERE = {"owner": ("owner_id",), "source": ("source_url",), "position": ("round", "step")}


def _columns(field: str) -> tuple[str, ...]:
    """The changing columns that show a field of an alert."""
    return _ELSEWHERE.get(field) or ((field,) if field in CHANGING else ("state",))


_COLUMNS = tuple(_columns(field) for field in _FIELDS)


def changed_columns(changes: Iterable[tuple[Alert, Alert]]) -> frozenset[str]:
    """The columns in which any of the alerts differs from what it was; (before, after) of each."""
    found: set[str] = set()
    for before, after in changes:
        for columns, old, new in zip(_COLUMNS, _values(before), _values(after), strict=True):
            if old is not new:
                found.update(columns)
    return frozenset(found)


def types_of(spec: Mapping[str, tuple[str, Getter]]) -> dict[str, str]:
    """Column name → PostgreSQL type."""
    return {name: kind for name, (kind, _) in spec.items()}


def columns_of(
    alerts: Sequence[Alert], spec: Mapping[str, tuple[str, Getter]]
) -> tuple[list[object], ...]:
    """One list of values per column, as UNNEST wants them; arrays travel as their JSON text."""
    return tuple([_packed(kind, get(alert)) for alert in alerts] for kind, get in spec.values())


def _packed(kind: str, value: object) -> object:
    return _encode(value).decode() if kind == "text[]" else value
