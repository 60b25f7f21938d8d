"""An event becomes a row that has the table's columns, and no others."""

import json
from datetime import UTC, datetime

import pytest

from tocsin.core.effects import EntryKind
from tocsin.core.kinds import Severity
from tocsin.microsoft.table import (
    COLUMNS,
    NOTIFIED,
    ColumnType,
    checked_name,
    row,
    stream,
    stream_columns,
    table_columns,
)
from tocsin.ports import Published

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
ALERT = {
    "id": "alr_1",
    "title": "Odd sign-in",
    "status": "open",
    "external_id": "7a0c",
    "source": {"kind": "microsoft", "name": "sentinel-prod"},
    "details": {"incident_number": "4711", "alerts": [{"id": "sys-1"}, {"id": "sys-2"}]},
}
# learn: columns of custom tables that are reserved
RESERVED = {"id", "tenantid", "type", "title", "uniqueid", "_resourceid", "_subscriptionid"}
PYTHON = {
    ColumnType.DATETIME: str,
    ColumnType.STRING: str,
    ColumnType.INT: int,
    ColumnType.DYNAMIC: dict,
}


def _event(kind: str = "raised", **more: object) -> Published:
    given: dict[str, object] = {
        "id": "evt_1",
        "kind": kind,
        "at": AT,
        "team": "SOC",
        "severity": Severity.HIGH,
        "alert": ALERT,
    }
    return Published(**{**given, **more})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - each test gives what it is about


def test_a_row_can_fill_every_column_with_its_type() -> None:
    full = row(
        _event(
            NOTIFIED,
            by="mara",
            channel="ntfy",
            delivery="delivered",
            attempt=2,
            correlation="ntf_1",
            detail={"provider": "own"},
        )
    )
    assert full is not None
    assert list(full) == list(COLUMNS)
    wrong = {
        name for name, value in full.items() if not isinstance(value, PYTHON[COLUMNS[name][0]])
    }
    assert wrong == set()
    assert datetime.fromisoformat(str(full["TimeGenerated"])) == AT
    assert (full["IncidentNumber"], full["SystemAlertId"]) == ("4711", "sys-1")


def test_what_is_not_known_is_left_out() -> None:
    bare = row(_event(alert={"id": "alr_1", "title": "T", "status": "open"}))
    assert bare == {
        "TimeGenerated": "2026-11-24T03:00:00.000000Z",
        "EventId": "evt_1",
        "EventType": "created",
        "TocsinAlertId": "alr_1",
        "AlertTitle": "T",
        "Severity": "high",
        "Status": "open",
        "Team": "SOC",
        "Detail": {"kind": "raised"},
    }


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (EntryKind.RAISED, "created"),
        (EntryKind.REOPENED, "created"),
        (EntryKind.ACKNOWLEDGED, "acknowledged"),
        (EntryKind.TAKEN_OVER, "acknowledged"),
        (EntryKind.STEP, "escalated"),
        (EntryKind.ACKNOWLEDGEMENT_EXPIRED, "escalated"),
        (EntryKind.CLOSED, "closed"),
        (EntryKind.ANNOTATED, "comment"),
        (NOTIFIED, "notified"),
    ],
)
def test_each_kind_of_event_has_its_word(kind: str, said: str) -> None:
    found = row(_event(kind))
    assert found is not None
    assert found["EventType"] == said


def test_events_that_the_table_leaves_out_make_no_row() -> None:
    assert row(_event(EntryKind.DETAILS)) is None


def test_what_a_field_cannot_hold_is_cut_or_left_out() -> None:
    long = row(_event(alert={**ALERT, "title": "x" * 40_000}, detail={"text": "y" * 29_999}))
    assert long is not None
    assert len(str(long["AlertTitle"])) == 4_000
    large = row(_event(detail={str(number): "z" * 1_000 for number in range(100)}))
    assert large is not None
    assert len(json.dumps(large).encode()) < 32_000


def test_hostile_text_stays_text() -> None:
    found = row(_event(alert={**ALERT, "title": "\ud800\x00odd"}, by="a\tb"))
    assert json.dumps(found).encode()


def test_table_and_stream_declare_the_same_columns_and_none_that_is_reserved() -> None:
    assert [(one["name"], one["type"].casefold()) for one in table_columns()] == [
        (one["name"], one["type"]) for one in stream_columns()
    ]
    assert {name.casefold() for name in COLUMNS} & RESERVED == set()


def test_a_table_is_named_as_custom_tables_are() -> None:
    assert stream(checked_name("PAGES_CL")) == "Custom-PAGES_CL"
    for name in ("pages", "9_CL", "a b_CL", "", "_CL"):
        with pytest.raises(ValueError, match="named like SIGNL4_CL"):
            checked_name(name)
