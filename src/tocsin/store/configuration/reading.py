"""The whole configuration, read as this transaction sees it."""

from collections.abc import Iterable, Mapping
from typing import Any, assert_never, cast

import msgspec
from sqlalchemy import select

from tocsin.store.configuration.objects import Held, Holdings, Key, Kind, override_name
from tocsin.store.configuration.tables import TABLES
from tocsin.store.db import Connection, Row, rows


async def lock(connection: Connection) -> None:
    """Let one transaction at a time change the configuration; it ends with the transaction."""
    await rows(connection, "SELECT pg_advisory_xact_lock(7102938475610294)")


async def load(connection: Connection) -> Holdings:
    """Everything that is configured, each kind in its order."""
    reader = _Reader()
    for kind in Kind:
        table = TABLES[kind]
        order = [table.c[name] for name in ("position", "id", "path", "name") if name in table.c]
        result = await connection.execute(select(table).order_by(*order))
        for row in cast("Iterable[Row]", result.mappings()):
            reader.add(kind, row)
    return reader.holdings


class _Reader:
    """Finds the names by which rows belong together."""

    def __init__(self) -> None:
        self.holdings = Holdings()
        self._users: dict[int, str] = {}
        self._teams: dict[int, str] = {}
        self._schedules: dict[tuple[int, int], str] = {}

    def add(self, kind: Kind, row: Row) -> None:
        key = self._free(Key(kind, self._names(kind, row)))
        file_body = row["body"] if kind is Kind.STORED else row["file_body"]
        self.holdings.objects[key] = Held(
            key=key,
            id=row.get("id", 0),
            body=_value(row["body"]) or {},
            position=row.get("position") or 0,
            file_body=_value(file_body),
            changed_by=row.get("changed_by"),
            changed_at=row.get("changed_at"),
            team=row["id"] if kind is Kind.TEAM else row.get("team_id"),
            user=row["id"] if kind is Kind.USER else row.get("user_id"),
            parent=row.get("schedule_id"),
        )

    def _names(self, kind: Kind, row: Row) -> tuple[str, ...]:
        match kind:
            case Kind.USER:
                self._users[row["id"]] = row["name"]
                self.holdings.users[row["name"]] = row["id"]
                return (row["name"],)
            case Kind.TEAM:
                self._teams[row["id"]] = row["name"]
                self.holdings.teams[row["name"]] = row["id"]
                return (row["name"],)
            case Kind.METHOD:
                return self._users[row["user_id"]], row["name"]
            case Kind.RULE:
                return self._users[row["user_id"]], row["urgency"], str(row["position"])
            case Kind.SCHEDULE:
                names = self._teams[row["team_id"]], row["name"]
                self._schedules[row["team_id"], row["id"]] = row["name"]
                self.holdings.schedules[names] = row["id"]
                return names
            case Kind.OVERRIDE:
                schedule = self._schedules[row["team_id"], row["schedule_id"]]
                return self._teams[row["team_id"]], schedule, _override(row)
            case Kind.POLICY | Kind.CATEGORY | Kind.INTEGRATION | Kind.CONNECTOR:
                return self._teams[row["team_id"]], row["name"]
            case Kind.MAINTENANCE:
                return (row["name"],)
            case Kind.SETTING:
                return tuple(str(row["name"]).split("/", 1))
            case Kind.STORED:
                return tuple(str(row["path"]).split("/", 1))
            case _:
                assert_never(kind)

    def _free(self, key: Key) -> Key:
        """The key itself, or one with a number where two overrides are alike."""
        number = 2
        free = key
        while free in self.holdings.objects:
            free = Key(key.kind, (*key.names[:-1], f"{key.names[-1]} #{number}"))
            number += 1
        return free


def _override(row: Row) -> str:
    """An override of the file is known by its content, one of the API by its row."""
    made = _value(row["file_body"])
    return f"@{row['id']}" if made is None else override_name(made)


def _value(text: str | None) -> Mapping[str, object] | None:
    return None if text is None else msgspec.json.decode(text, type=dict[str, Any])
