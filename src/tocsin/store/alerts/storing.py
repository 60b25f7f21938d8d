"""Writes the rows of alerts: new ones, what differs from what was read, a count alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from sqlalchemy.exc import IntegrityError

from tocsin.core.alert import Alert, Changed
from tocsin.core.effects import Effect
from tocsin.store.alerts.rows import (
    CHANGING,
    FIXED,
    Getter,
    changed_columns,
    columns_of,
    types_of,
)
from tocsin.store.db import Connection, run
from tocsin.store.unnest import insert, update


@dataclass(frozen=True, slots=True)
class Saved:
    """An alert with everything that changes about it in one transaction.

    `before`: as it was read, locked, in the same transaction; only what differs is written then.
    Not `whole`: nothing but its count and the time of its last change.
    """

    alert: Alert
    effects: tuple[Effect, ...]
    new: bool = False
    whole: bool = True
    before: Alert | None = None

    def then(self, changed: Changed) -> "Saved":
        """The same after a further change in the same transaction."""
        effects = (*self.effects, *changed.effects)
        return Saved(changed.alert, effects, self.new, before=self.before)

    def counted(self, alert: Alert) -> "Saved":
        """The same after a change of its count alone."""
        return replace(self, alert=alert)


class KeyTaken(Exception):  # noqa: N818 - a race to lose and run again, not an error
    """Another transaction opened an alert with one of these keys first; run again."""


async def store(connection: Connection, changes: Sequence[Saved]) -> None:
    """Write the alerts. Raises `KeyTaken`."""
    # Those that are closed here first: a new one may have their key.
    known = [change for change in changes if change.whole and not change.new]
    if known:
        await _update(connection, known)
    seen = [change.alert for change in changes if not change.whole]
    if seen:
        await run(connection, _COUNT, *columns_of(seen, _KEYS), *columns_of(seen, _COUNTED))
    fresh = [change.alert for change in changes if change.new]
    if fresh:
        await _insert(connection, fresh)


_KEYS = {name: FIXED[name] for name in ("team_id", "id")}


@cache
def _update_of(columns: frozenset[str]) -> str:
    return update("alert", types_of(_KEYS), types_of(_only(columns)))


def _only(columns: frozenset[str]) -> Mapping[str, tuple[str, Getter]]:
    return {name: spec for name, spec in CHANGING.items() if name in columns}


# An alert that goes on and on is written at each event: the narrow row costs a third of the wide.
_COUNTED = {name: CHANGING[name] for name in ("seen_count", "updated_at")}
_COUNT = update("alert", types_of(_KEYS), types_of(_COUNTED))
_INSERT = insert(
    "alert",
    types_of({**FIXED, **CHANGING}),
    "ON CONFLICT (team_id, external_id) WHERE status <> 'closed' AND external_id IS NOT NULL"
    " DO NOTHING",
)


async def _update(connection: Connection, changes: Sequence[Saved]) -> None:
    """What differs from what was read, in any of them; all where one was not read before."""
    alerts = [change.alert for change in changes]
    read = [(change.before, change.alert) for change in changes if change.before is not None]
    whole = len(read) < len(changes)
    columns = frozenset(CHANGING) if whole else changed_columns(read)
    if not columns:
        return
    values = (*columns_of(alerts, _KEYS), *columns_of(alerts, _only(columns)))
    try:
        await run(connection, _update_of(columns), *values)
    except IntegrityError as fault:
        if "uq_alert_open_key" not in str(fault.orig):
            raise
        raise KeyTaken from fault  # one that is reopened here was raised anew meanwhile


async def _insert(connection: Connection, alerts: Sequence[Alert]) -> None:
    values = (*columns_of(alerts, FIXED), *columns_of(alerts, CHANGING))
    if await run(connection, _INSERT, *values) != len(alerts):
        raise KeyTaken
