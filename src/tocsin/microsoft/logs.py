"""The events behind Sentinel's alerts, by the Log Analytics query API.

Source of facts: Azure Monitor Logs query API (response format, prefer options, timespan).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

from tocsin.microsoft.client import Call, Client, Errand
from tocsin.microsoft.clouds import Api
from tocsin.microsoft.faults import Asked, CallError
from tocsin.microsoft.fields import NOTHING, Record, items, record, records, tamed, text
from tocsin.microsoft.settings import Settings

MOST_QUERIES = 3
"""For how many alerts of one incident the events are read."""

_WAIT_SECONDS = 20
_LONGEST_CELL = 500
_LONGEST_SPAN = timedelta(days=14)
_PREFER = {"Prefer": f"wait={_WAIT_SECONDS}"}

# Each change of an alert is another row; the last one counts (Azure-Sentinel issue 2012).
_ALERTS = (
    "SecurityAlert | where SystemAlertId in ({ids})"
    " | summarize arg_max(TimeGenerated, *) by SystemAlertId"
    " | project SystemAlertId, AlertName, ExtendedProperties"
)


@dataclass(frozen=True, slots=True)
class Rows:
    """A query's rows as objects; `note` says when they are not all."""

    rows: tuple[dict[str, object], ...]
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """The query that an analytics rule stored in its alert, with the time that it looked at."""

    alert: str
    query: str
    timespan: str


class Logs:
    """Runs the searches that are stored in alerts, read-only, with few rows, in a short time."""

    def __init__(self, settings: Settings, client: Client) -> None:
        self._client = client
        self._most_rows = settings.max_rows
        base = settings.cloud.base(Api.LOGS)
        self._url = f"{base}/v1/workspaces/{settings.workspace_id}/query"

    async def events(self, alerts: Sequence[Record], errand: Errand) -> list[dict[str, object]]:
        """Per alert its events, or a note why there are none; never raises for a query."""
        found: list[dict[str, object]] = []
        try:
            searches = await self._searches(alerts, errand)
        except CallError as error:
            return [{"note": error.failed.reason}]
        for search in searches[:MOST_QUERIES]:
            try:
                # The stored query ends, whatever it ends with, before the row limit begins.
                limited = f"{search.query.rstrip().rstrip(';')}\n| take {self._most_rows}"
                result = await self._query(limited, search.timespan, errand)
                found.append(_shown(search.alert, result, self._most_rows))
            except CallError as error:
                found.append({"alert": search.alert, "note": error.failed.reason})
        return found

    async def _searches(self, alerts: Sequence[Record], errand: Errand) -> list[_Search]:
        """From the alerts themselves, for those without a query from the table SecurityAlert."""
        found: list[_Search] = []
        without: list[str] = []
        for alert in alerts:
            props = record(alert.get("properties"))
            search = _search(text(props, "alertDisplayName"), record(props.get("additionalData")))
            if search is not None:
                found.append(search)
            elif alert_id := _guid(text(props, "systemAlertId")):
                without.append(alert_id)
        if without and len(found) < MOST_QUERIES:
            ids = ", ".join(f"'{alert_id}'" for alert_id in without[:MOST_QUERIES])
            result = await self._query(_ALERTS.format(ids=ids), "P14D", errand)
            for row in result.rows:
                stored = _search(text(row, "AlertName"), _properties(row))
                found += [stored] if stored is not None else []
        return found

    async def _query(self, query: str, timespan: str, errand: Errand) -> Rows:
        call = Call(
            method="POST",
            url=self._url,
            asked=Asked(
                api=Api.LOGS,
                doing="read the events behind an alert",
                missing="the workspace is not found: check workspace_id (the GUID, not the name)",
            ),
            kind="logs-query",
            body={"query": query, "timespan": timespan},
            headers=_PREFER,
            attempts=1,
        )
        return rows(
            (await self._client.send(call, errand)).body, max(self._most_rows, MOST_QUERIES)
        )


def rows(body: Record, most: int) -> Rows:
    """The first table of an answer; an error beside the rows (PartialError) becomes the note.

    Dynamic columns come as JSON in a string, and stay text.
    """
    table = next(iter(records(body.get("tables"))), NOTHING)
    names = [text(column, "name") for column in records(table.get("columns"))]
    found: list[dict[str, object]] = []
    for row in items(table.get("rows"))[:most]:
        cells = zip(names, items(row), strict=False)
        found.append({name: tamed(cell) for name, cell in cells if cell is not None})
    error = record(body.get("error"))
    note = f"incomplete: {text(error, 'message') or text(error, 'code')}" if error else None
    return Rows(tuple(found), note)


def _search(alert: str, properties: Record) -> _Search | None:
    query = text(properties, "Query")
    start = _moment(text(properties, "Query Start Time UTC"))
    end = _moment(text(properties, "Query End Time UTC"))
    if not query or start is None or end is None or end < start:
        return None
    # The end is a whole second in the stored text, the last event may be a fraction later.
    last = end + timedelta(seconds=1)
    first = max(start, last - _LONGEST_SPAN)
    return _Search(alert=alert, query=query, timespan=f"{_stamp(first)}/{_stamp(last)}")


def _properties(row: Mapping[str, object]) -> Record:
    value = row.get("ExtendedProperties")
    if isinstance(value, str):
        try:
            value = cast("object", json.loads(value))
        except (ValueError, RecursionError):
            return {}
    return record(value)


def _moment(value: str) -> datetime | None:
    """`2023-07-24 15:23:59Z`, as the rules write it, or ISO 8601."""
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _guid(value: str) -> str:
    """Only what is a GUID may stand in a query of ours."""
    try:
        return str(UUID(value))
    except ValueError:
        return ""


def _shown(alert: str, result: Rows, most: int) -> dict[str, object]:
    shown: dict[str, object] = {"alert": alert, "rows": [_short(row) for row in result.rows]}
    if result.note:
        shown["note"] = result.note
    elif len(result.rows) >= most:
        shown["note"] = f"the first {most} events"
    return shown


def _short(row: Mapping[str, object]) -> dict[str, object]:
    return {
        name: value[:_LONGEST_CELL] if isinstance(value, str) else value
        for name, value in row.items()
    }
