"""What a row of the custom table in Log Analytics says: columns, words, an event as a row.

Everything that names a column (table, data collection rule, workbook, rules) follows this list.
Source of facts: Logs Ingestion API (reserved columns, field limits), Tables and Data Collection
Rules of Azure Resource Manager (types).
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from tocsin.core.effects import EntryKind
from tocsin.microsoft.fields import Record, record, records, tamed, text
from tocsin.ports import Published

USUAL_TABLE = "SIGNL4_CL"
NOTIFIED = "notified"
"""The kind of a published event that tells what became of a message; others are of the timeline."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}_CL")
_LONGEST_TEXT = 4_000
_LARGEST_DETAIL = 30_000  # a field is cut above 32 KB, and cut JSON is no JSON


class EventType(StrEnum):
    """What the column EventType says."""

    CREATED = "created"  # raised, or open again after it was closed
    NOTIFIED = "notified"  # a message went out, or did not
    ACKNOWLEDGED = "acknowledged"
    ESCALATED = "escalated"  # it looks for somebody: a step began, or nobody owns it any longer
    CLOSED = "closed"
    COMMENT = "comment"


class ColumnType(StrEnum):
    """Types of Azure Resource Manager's tables; a data collection rule writes them small."""

    DATETIME = "dateTime"
    STRING = "string"
    INT = "int"
    DYNAMIC = "dynamic"


COLUMNS: Final[Mapping[str, tuple[ColumnType, str]]] = {
    "TimeGenerated": (ColumnType.DATETIME, "When it happened."),
    "EventId": (ColumnType.STRING, "One event, one id: a row that was sent twice has it twice."),
    "EventType": (ColumnType.STRING, "created, notified, acknowledged, escalated, closed, comment"),
    "TocsinAlertId": (ColumnType.STRING, "The alert in Tocsin."),
    "SystemAlertId": (ColumnType.STRING, "The first alert of the incident, as in SecurityAlert."),
    "IncidentId": (
        ColumnType.STRING,
        "The incident's id at its source; in Microsoft Sentinel its name.",
    ),
    "IncidentNumber": (ColumnType.STRING, "The incident's number, as the portal shows it."),
    "Source": (ColumnType.STRING, "Where the alert came from."),
    "AlertTitle": (ColumnType.STRING, "The alert's title."),
    "Severity": (ColumnType.STRING, "critical, high, medium, low, info"),
    "Status": (ColumnType.STRING, "open, acknowledged, closed: what it was after the event."),
    "Actor": (ColumnType.STRING, "Who did it; of a message, who it was for."),
    "Team": (ColumnType.STRING, "The team that the alert belongs to."),
    "Channel": (ColumnType.STRING, "The way that a message took."),
    "DeliveryStatus": (ColumnType.STRING, "What became of a message, as in Tocsin's ledger."),
    "Attempt": (ColumnType.INT, "Which attempt of the message it was."),
    "Detail": (ColumnType.DYNAMIC, "What else there is to say; `kind` is Tocsin's own word."),
    "CorrelationId": (ColumnType.STRING, "What the events of one message have in common."),
}

_TYPES: Final[Mapping[str, EventType]] = {
    NOTIFIED: EventType.NOTIFIED,
    EntryKind.RAISED: EventType.CREATED,
    EntryKind.REOPENED: EventType.CREATED,
    EntryKind.ACKNOWLEDGED: EventType.ACKNOWLEDGED,
    EntryKind.TAKEN_OVER: EventType.ACKNOWLEDGED,
    EntryKind.SNOOZED: EventType.ACKNOWLEDGED,
    EntryKind.STEP: EventType.ESCALATED,
    EntryKind.ESCALATED: EventType.ESCALATED,
    EntryKind.NOBODY: EventType.ESCALATED,
    EntryKind.NOBODY_ANSWERED: EventType.ESCALATED,
    EntryKind.UNACKNOWLEDGED: EventType.ESCALATED,
    EntryKind.ACKNOWLEDGEMENT_EXPIRED: EventType.ESCALATED,
    EntryKind.SNOOZE_ENDED: EventType.ESCALATED,
    EntryKind.CLOSED: EventType.CLOSED,
    EntryKind.ANNOTATED: EventType.COMMENT,
}


def checked_name(name: str) -> str:
    """The name of a custom table. Raises ValueError that says what one looks like."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"table: {name!r} cannot be one; a custom table is named like SIGNL4_CL")
    return name


def stream(table: str) -> str:
    """The name of the stream by which rows reach `table`."""
    return f"Custom-{table}"


def table_columns() -> list[dict[str, str]]:
    """The columns as a table of Azure Resource Manager declares them."""
    return [
        {"name": name, "type": kind.value, "description": about}
        for name, (kind, about) in COLUMNS.items()
    ]


def stream_columns() -> list[dict[str, str]]:
    """The columns as the stream of a data collection rule declares them."""
    return [{"name": name, "type": kind.casefold()} for name, (kind, _) in COLUMNS.items()]


def row(event: Published) -> dict[str, object] | None:
    """The event as a row, without what is not known; None for events that the table leaves out."""
    kind = _TYPES.get(event.kind)
    if kind is None or _begins(event):
        return None
    alert = record(tamed(dict(event.alert)))
    details = record(alert.get("details"))
    first = next(iter(records(details.get("alerts"))), None)
    cells: dict[str, object] = {
        "TimeGenerated": _stamp(event.at),
        "EventId": event.id,
        "EventType": kind.value,
        "TocsinAlertId": text(alert, "id"),
        "SystemAlertId": text(first, "id") if first is not None else "",
        "IncidentId": text(alert, "external_id"),
        "IncidentNumber": text(details, "incident_number"),
        "Source": text(record(alert.get("source")), "name", "kind"),
        "AlertTitle": text(alert, "title"),
        "Severity": event.severity.value,
        "Status": text(alert, "status"),
        "Actor": event.by or "",
        "Team": event.team,
        "Channel": event.channel or "",
        "DeliveryStatus": event.delivery or "",
        "Attempt": event.attempt,
        "Detail": _detail(event),
        "CorrelationId": event.correlation or "",
    }
    return {name: _short(value) for name, value in cells.items() if value not in ("", None)}


def _begins(event: Published) -> bool:
    """Whether it is the very first step, which is no escalation yet."""
    first = (event.detail.get("step"), event.detail.get("round")) == (1, 1)
    return event.kind == EntryKind.STEP and first


def _detail(event: Published) -> Record:
    detail = {"kind": event.kind, **record(tamed(dict(event.detail)))}
    if len(json.dumps(detail).encode()) <= _LARGEST_DETAIL:
        return detail
    return {"kind": event.kind, "note": "the rest is too large for the table; Tocsin shows it"}


def _short(value: object) -> object:
    return value[:_LONGEST_TEXT] if isinstance(value, str) else value


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
