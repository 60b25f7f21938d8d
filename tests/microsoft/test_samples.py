"""Every published sample is read by the connector's own models; odd values do no harm."""

import json
from pathlib import Path
from typing import Any

import pytest

from tocsin.core.kinds import Severity
from tocsin.core.reconcile import RemoteStatus
from tocsin.microsoft import graph, sentinel, words
from tocsin.microsoft.digest import graph_digest, sentinel_digest
from tocsin.microsoft.fields import items, records, tamed
from tocsin.microsoft.logs import rows


@pytest.fixture
def samples(shared: Path) -> Path:
    return shared / "reference/data/microsoft"


def _read(path: Path) -> Any:  # noqa: ANN401 - the samples' door
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_listed_alerts_are_read(samples: Path) -> None:
    listed = records(_read(samples / "graph/list-alerts_v2.response.json")["value"])
    (remote,) = [graph.alert(raw) for raw in listed]
    assert remote is not None
    assert (remote.status, remote.severity) == (RemoteStatus.NEW, Severity.LOW)
    assert remote.title == "Suspicious execution of hidden file"
    assert remote.modified_at.isoformat() == "2021-05-02T14:19:01.326666+00:00"
    assert remote.details["incident_number"] == "28282"
    digest = graph_digest(listed)
    assert digest["hosts"] == ["tempDns"]
    assert digest["accounts"] == ["NT AUTHORITY\\SYSTEM"]


def test_the_listed_incidents_are_read_in_either_spelling(samples: Path) -> None:
    listed = _read(samples / "graph/list-incidents.response.json")
    for raw in [*listed["value"], listed["_expand_alerts_variant"]]:
        remote = graph.incident(raw)
        assert remote is not None
        assert (remote.status, remote.severity) == (RemoteStatus.NEW, Severity.MEDIUM)
        assert remote.owner == "KaiC@contoso.onmicrosoft.com"
        assert remote.labels == ("Demo",)
        assert remote.classification == "truePositive"


def test_the_updated_alert_is_read(samples: Path) -> None:
    remote = graph.alert(_read(samples / "graph/update-alert_v2.json")["response"]["body"])
    assert remote is not None
    assert (remote.status, remote.owner) == (
        RemoteStatus.ACTIVE,
        "secAdmin@contoso.onmicrosoft.com",
    )


@pytest.mark.parametrize("status", ["200", "201"])
def test_the_created_incident_is_read(samples: Path, status: str) -> None:
    sample = _read(samples / "sentinel/examples/CreateIncident.json")
    remote = sentinel.incident(sample["responses"][status]["body"])
    assert remote is not None
    assert remote.key == "73e01a99-5cd7-4139-a149-9f2736ff2ab5"
    assert (remote.status, remote.owner) == (RemoteStatus.CLOSED, "john@contoso.com")
    assert remote.classification == "falsePositive"
    assert remote.version == '"0300bf09-0000-0000-0000-5c37296e0001"'
    assert remote.also == ()


def test_the_listed_sentinel_incidents_are_read(samples: Path) -> None:
    sample = _read(samples / "sentinel/examples/GetIncidents.2021-04-01.json")
    (raw,) = sample["responses"]["200"]["body"]["value"]
    remote = sentinel.incident(raw)
    assert remote is not None
    assert remote.details["tactics"] == ["Persistence"]


def test_alerts_and_entities_of_an_incident_are_read(samples: Path) -> None:
    folder = samples / "sentinel/examples"
    alerts = _read(folder / "GetAllIncidentAlerts.json")["responses"]["200"]["body"]["value"]
    entities = _read(folder / "GetAllIncidentEntities.json")["responses"]["200"]["body"]
    digest = sentinel_digest(alerts, records(entities["entities"]))
    assert digest["accounts"] == ["domain\\administrator"]
    (alert,) = records(digest["alerts"])
    assert (alert["title"], alert["product"]) == ("myAlert", "Azure Security Center")


def test_the_incident_of_the_logic_app_is_read(samples: Path) -> None:
    sample = _read(samples / "sentinel/logicapp-incident-trigger.sample.json")
    remote = sentinel.incident(sample.get("object", sample.get("body", {}).get("object", {})))
    assert remote is not None
    assert remote.key


def test_every_other_json_of_the_samples_does_no_harm(samples: Path) -> None:
    paths = [
        path
        for part in ("graph", "sentinel", "loganalytics")
        for path in (samples / part).rglob("*.json")
    ]
    assert paths
    for path in paths:
        for raw in [*records(_read(path)), *records([_read(path)])]:
            for parse in (graph.alert, graph.incident, sentinel.incident):
                parse(raw)


def test_the_query_answer_is_read_with_its_cap(samples: Path) -> None:
    sample = _read(samples / "loganalytics/query-response.sample.json")["ok"]
    found = rows(sample, 2)
    assert found.rows == (
        {"Category": "Administrative", "count_": 20839},
        {"Category": "Recommendation", "count_": 122},
    )
    partial = {**sample, "error": {"code": "PartialError", "message": "too much"}}
    assert rows(partial, 2).note == "incomplete: too much"


@pytest.mark.parametrize("parse", [graph.alert, graph.incident, sentinel.incident])
@pytest.mark.parametrize(
    "value", [None, "", 7, True, [], {}, "\x00", "\ud800", "2026-99-99", [None, {"x": 1}]]
)
def test_any_value_in_any_field_is_taken_as_it_comes(parse: Any, value: object) -> None:  # noqa: ANN401 - three parsers of one shape
    names = ["title", "displayName", "status", "severity", "owner", "labels", "assignedTo"]
    names += ["lastUpdateDateTime", "lastModifiedTimeUtc", "alerts", "additionalData", "customTags"]
    fields = dict.fromkeys(names, value)
    remote = parse({**fields, "id": "1", "name": "1", "properties": fields})
    assert remote is not None
    assert remote.title
    json.dumps(remote.title + remote.text).encode()
    assert "\x00" not in remote.title


def test_unknown_words_page_rather_than_sleep() -> None:
    assert words.severity("catastrophic") is Severity.HIGH
    assert words.status("awaitingAction", "incident") is RemoteStatus.NEW
    assert words.status("unknownFutureValue", "alert") is RemoteStatus.NEW
    assert words.status("In Progress", "incident") is RemoteStatus.ACTIVE


def test_deep_and_wide_details_are_cut_before_they_are_stored() -> None:
    deep: object = "end"
    for _ in range(100):
        deep = {"next": deep}
    assert "end" not in json.dumps(tamed(deep))
    assert len(items(tamed([0] * 100_000))) <= 200
