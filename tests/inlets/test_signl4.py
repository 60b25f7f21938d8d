"""The SIGNL4 dialect: what its parameters mean and how a sender is answered."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.inlets.signl4_requests import JSON, event, request, said
from tocsin.core.event import Answer, AnswerKind, Event, Ignored
from tocsin.core.kinds import Mode, Severity
from tocsin.inlets.signl4 import Signl4Inlet
from tocsin.ports import Handled, Unreadable
from tocsin.testing.inlets import check_inlet


def test_it_bears_what_every_inlet_must() -> None:
    check_inlet(Signl4Inlet, {}, "/webhook/secret")


def test_all_parameters_have_their_place() -> None:
    assert event(
        {
            "Subject": "Temp",
            "Message": "too high",
            "Temperature": "32,4 °C",
            "X-S4-Service": "Cooling",
            "X-S4-Location": "52.39,13.05",
            "X-S4-AlertingScenario": "multi_ack",
            "X-S4-Filtering": False,
            "X-S4-ExternalID": "sensor-1",
            "X-S4-Status": "new",
            "X-S4-SourceSystem": "PLC",
            "X-S4-Severity": "Low",
            "nested": {"a": [1, {"b": None}]},
            "empty": "",
            "nothing": None,
        }
    ) == Event(
        title="Temp",
        text="too high",
        external_id="sensor-1",
        severity=Severity.LOW,
        mode=Mode.MULTI,
        category="Cooling",
        source_name="PLC",
        details={
            "Temperature": "32,4 °C",
            "X-S4-Location": "52.39,13.05",
            "X-S4-Filtering": False,
            "X-S4-Severity": "Low",
            "nested": {"a": [1, {"b": None}]},
        },
    )


@pytest.mark.parametrize("empty", ['""', "null", '"  "'])
def test_empty_and_null_mean_absent(empty: str) -> None:
    names = ("Status", "ExternalID", "Service", "AlertingScenario", "SourceSystem", "Severity")
    fields = ",".join(f'"X-S4-{name}": {empty}' for name in names)
    assert event('{"Title": "Build", ' + fields + "}") == Event(title="Build")


@pytest.mark.parametrize(
    ("status", "kind"), [("acknowledged", AnswerKind.ACKNOWLEDGE), ("Resolved", AnswerKind.CLOSE)]
)
def test_a_sender_answers_its_own_alert(status: str, kind: AnswerKind) -> None:
    body: dict[str, object] = {"x-s4-EXTERNALID": 17, "X-S4-STATUS": status, "title": "is fine"}
    assert said(body) == Answer(kind=kind, external_id="17", comment="is fine")


def test_an_answer_that_names_no_alert_and_an_unknown_status_ask_for_nothing() -> None:
    assert said({"X-S4-Status": "resolved", "Title": "x"}) == Ignored(
        reason='"close" without X-S4-ExternalID fits no alert'
    )
    assert said({"Title": "x", "X-S4-Status": "bogus"}) == Ignored(
        reason='status "bogus" has no meaning here'
    )


def test_parameters_may_come_in_the_query_or_in_headers_and_the_body_wins() -> None:
    result = said(
        {"Title": "x", "X-S4-Service": "body"},
        JSON,
        [("X-S4-Service", "query"), ("x-s4-externalid", "query")],
        x_s4_externalid="header",
        x_s4_sourcesystem="header",
        x_s4_api_key="key",
    )
    assert result == Event(title="x", category="body", external_id="query", source_name="header")


def test_an_api_key_never_becomes_a_detail() -> None:
    assert event({"Title": "x", "X-S4-Api-Key": "secret"}) == Event(title="x")


@pytest.mark.parametrize(
    ("status", "query", "expected"),
    [
        ("UP", "", AnswerKind.CLOSE),
        ("up", "", AnswerKind.CLOSE),
        ("PENDING", "", AnswerKind.ACKNOWLEDGE),
        ("DOWN", "", None),
        ("DOWN", "DOWN", None),
        ("ODD", "DOWN", "ignored"),
        ("resolved", "DOWN", "ignored"),
    ],
)
def test_the_query_maps_the_senders_own_fields(
    status: str, query: str, expected: AnswerKind | str | None
) -> None:
    mapping = [("ExtIdParam", "id"), ("EXTSTATUSPARAM", "Status")]
    mapping += [("ResolvedStatus", "UP"), ("AckStatus", "PENDING"), ("NewStatus", query)]
    result = said({"Id": 7, "status": status, "Subject": "Sensor"}, JSON, mapping)
    match result:
        case Answer():
            assert (result.kind, result.external_id) == (expected, "7")
        case Event():
            assert (expected, result.external_id) == (None, "7")
        case _:
            assert isinstance(result, Ignored)
            assert expected == "ignored"


def test_a_mapping_whose_field_is_missing_leaves_the_usual_parameters_in_force() -> None:
    mapping = [("ExtIDParam", "sensorid"), ("ExtStatusParam", "laststatus")]
    body: dict[str, object] = {"X-S4-ExternalID": "a", "X-S4-Status": "resolved"}
    assert said(body, JSON, mapping) == Answer(kind=AnswerKind.CLOSE, external_id="a")


@pytest.mark.parametrize(
    ("body", "title", "text"),
    [
        ({"task": "T", "incident": "I"}, "T", ""),
        ({"title": "", "job": "J"}, "J", ""),
        ({"title": {"a": 1}, "case": 5}, "5", ""),
        ({"X-S4-Subject": "S", "title": "T"}, "S", ""),
        ({"message": "one\ntwo"}, "one", "one\ntwo"),
        ({"message": "one"}, "one", ""),
        ({"Host": "db1", "State": "DOWN"}, "Host: db1", ""),
        ({"X-S4-ExternalID": "only"}, "only", ""),
        ({"title": "a\r\n b\t c"}, "a b c", ""),
        ({"title": "\0", "state": "\0x"}, "state: x", ""),
        ({"title": "x" * 400}, "x" * 299 + "…", ""),
    ],
)
def test_title_and_text_are_chosen_as_documented(
    body: dict[str, object], title: str, text: str
) -> None:
    result = event(body)
    assert (result.title, result.text) == (title, text)


def test_long_keys_stay_apart_and_the_same() -> None:
    ids = [event({"title": "x", "X-S4-ExternalID": "k" * 9000 + end}).external_id for end in "aba"]
    assert ids[0] == ids[2] != ids[1]
    assert ids[0] is not None
    assert len(ids[0]) == 255


@pytest.mark.parametrize("body", ["", "  \r\n", "{}", "\0", '{"title": ""}', '{"nested": {}}'])
def test_a_request_that_says_nothing_is_refused(body: str) -> None:
    assert said(body) == Unreadable(reason="the request is empty")


def test_the_answer_is_a_201_with_an_event_id_as_senders_check_it() -> None:
    at = datetime(2018, 4, 17, 15, 0, 5, 24006, tzinfo=UTC)
    ids: list[str] = []
    for event_id in ("0b7e8a3e-8f0f-4b35-9d0c-6c1d3a0c54b1", "e-17", "e-17", "e-18"):
        reply = Signl4Inlet.reply(request("x"), Handled(event_id=event_id, received_at=at))
        assert (reply.status, reply.media_type) == (201, JSON)
        ids.append(json.loads(reply.body)["eventId"])
    ticks, _, guid = ids[0].partition("_")
    assert (ticks, guid) == ("2518783235949759939", "0b7e8a3e-8f0f-4b35-9d0c-6c1d3a0c54b1")
    assert ids[1] == ids[2] != ids[3]
    assert UUID(ids[1].partition("_")[2])
    later = Handled(event_id="e", received_at=at + timedelta(days=1))
    assert json.loads(Signl4Inlet.reply(request("x"), later).body)["eventId"] < ids[0]


def test_a_refusal_has_the_shape_that_clients_read() -> None:
    refusal = Signl4Inlet.refuse(404, "no such address")
    assert refusal.status == 404
    assert json.loads(refusal.body) == {"error_code": 404, "description": "no such address"}
