"""The SIGNL4 dialect: every shape of body that senders post, and those that nobody should."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from tests.inlets.signl4_requests import FORM, JSON, event, request, said
from tocsin.core.event import Answer, AnswerKind, Event
from tocsin.inlets.signl4 import Signl4Inlet
from tocsin.ports import Unreadable
from tocsin.testing.inlets import check_said

NAMES = st.sampled_from(
    ["title", "Title", "X-S4-Status", "x-s4-externalid", "message", "x-s4-severity", "Id", ""]
)
KEYS = NAMES | st.text()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)


@given(st.binary(max_size=300), st.sampled_from(["", JSON, FORM, "text/plain"]))
def test_no_bytes_make_it_fail(body: bytes, media_type: str) -> None:
    check_said(Signl4Inlet.parse(request(body, media_type), {}))


@given(
    st.dictionaries(KEYS, VALUES, max_size=6),
    st.lists(st.tuples(st.sampled_from(["ExtIDParam", "ExtStatusParam", "AckStatus"]), st.text())),
    st.booleans(),
)
def test_no_json_makes_it_fail(
    fields: dict[str, object], query: list[tuple[str, str]], ascii_only: bool
) -> None:
    body = json.dumps(fields, ensure_ascii=ascii_only).encode(errors="surrogatepass")
    check_said(Signl4Inlet.parse(request(body, query=query), {}))


@given(st.text(max_size=200), st.sampled_from(["", FORM, "text/plain"]))
def test_no_text_is_lost(text: str, media_type: str) -> None:
    result = Signl4Inlet.parse(request(text.encode(errors="replace"), media_type), {})
    check_said(result)


def test_key_value_lines_are_fields_and_lines_without_a_key_go_on() -> None:
    body = "Title: Login\nMessage: too many\n  logins at 10:30\nX-S4-ExternalID:kv-1\nHost: db1\n"
    assert event(body, "text/plain") == Event(
        title="Login", text="too many\n  logins at 10:30", external_id="kv-1",
        details={"Host": "db1"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("Hello world", "Hello world"),
        ("Attention: it burns", "Attention: it burns"),
        ("see http://host/x\nnow", "see http://host/x"),
        ("[1, 2]", "[1, 2]"),
    ],
)
def test_a_sentence_is_an_alert(body: str, title: str) -> None:
    for media_type in ("", "text/plain", JSON, FORM):
        assert event(body, media_type).title == title


def test_a_form_is_read_and_of_double_names_the_last_counts() -> None:
    body = "Title=one&Title=Fire+alert&Message=Gr%C3%B6%C3%9Fe+%26+Ort&Param1=a%00b&Empty="
    assert event(body, FORM) == Event(
        title="Fire alert", text="Größe & Ort", details={"Param1": "ab"}
    )


@pytest.mark.parametrize("media_type", ["", JSON, FORM, "text/plain"])
def test_json_is_known_by_its_shape_whatever_its_type_says(media_type: str) -> None:
    for body in ('{"Title": "x"}', '\ufeff {"Title": "x"}', 'payload={"Title": "x"}',
                 "payload=%7B%22Title%22%3A+%22x%22%7D"):  # fmt: skip
        assert event(body, media_type) == Event(title="x")


def test_line_ends_inside_json_strings_are_forgiven() -> None:
    body = '{"Title": "CRITICAL", "Info": "line\nend\tand tab", "X-S4-ExternalID": "h", "n": NaN}'
    assert event(body) == Event(
        title="CRITICAL", external_id="h", details={"Info": "line\nend\tand tab", "n": "nan"}
    )


def test_broken_json_is_text_and_still_finds_its_alert() -> None:
    broken = '{"Title": "disk full", "Info": "said "no"", "X-S4-ExternalID": "HOST-db1"'
    assert event(broken + "}") == snapshot(
        Event(
            title="disk full",
            text='{"Title": "disk full", "Info": "said "no"", "X-S4-ExternalID": "HOST-db1"}',
            external_id="HOST-db1",
        )
    )
    resolved = said(broken + ', "X-S4-STATUS": "resolved" }')
    assert isinstance(resolved, Answer)
    assert (resolved.kind, resolved.external_id) == (AnswerKind.CLOSE, "HOST-db1")


def test_of_double_keys_the_last_counts() -> None:
    assert event('{"title": "one", "title": "two"}').title == "two"
    assert event('{"title": "one", "TITLE": "two", "Title": null}').title == "two"


def test_other_encodings_are_recognised() -> None:
    for body in ("Größe".encode("latin-1"), "Größe".encode("utf-16"), "Größe".encode("utf-8-sig")):
        assert event(body, "text/plain").title == "Größe"


def test_nesting_is_cut_and_numbers_stay_storable() -> None:
    deep = '{"title": "x", "a":' + '{"a":' * 100 + '"deep"' + "}" * 101
    assert "…" in json.dumps(event(deep).details, ensure_ascii=False)
    numbers = event('{"title": "x", "i": ' + "9" * 40 + ', "f": 1e400, "g": 1e-400}').details
    assert numbers == {"i": "1d6329f1c35ca4bfabb9f560ffffffffff (hexadecimal)", "f": "inf", "g": 0}


@pytest.mark.parametrize("media_type", ["application/xml", "text/xml", "multipart/form-data; x=y"])
def test_formats_that_come_later_are_named(media_type: str) -> None:
    result = said("<a/>", media_type)
    assert isinstance(result, Unreadable)
    assert (result.status, "send JSON" in result.reason) == (415, True)
