"""Bodies that must not come through, each refused with its cause."""

import json

import pytest

from tocsin.web import jsonbody
from tocsin.web.problems import Problem


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b'{"a": 1} x', "not JSON"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"b": [{"a": 1, "a": 1}]}', "twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b'{"a": "x\\u0000y"}', "NUL"),
        (b'{"x\\u0000y": 1}', "NUL"),
        (b'"\\ud800"', "surrogate"),
        (b"[" * 10_000 + b"]" * 10_000, "nested deeper"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested deeper"),
        (b"[" * 70 + b"]" * 70, "nested deeper"),
        (b"1" * 5_000, "cannot be used"),
        (b'{"a": 1e400}', "too large"),
    ],
)
def test_a_body_that_cannot_be_stored_is_refused_with_its_cause(body: bytes, cause: str) -> None:
    with pytest.raises(Problem, match=cause) as refused:
        jsonbody.read(body)
    assert refused.value.status == 400


@pytest.mark.parametrize("value", [{}, [], "ä\u2028😀", 0, -1.5, None, {"a": [{"b": "c"}]}])
def test_a_plain_document_is_read_as_it_is(value: object) -> None:
    assert jsonbody.read(json.dumps(value).encode()) == value


def test_a_backslash_before_u0000_is_only_text() -> None:
    assert jsonbody.read(b'"\\\\u0000"') == "\\u0000"


def test_a_doubled_key_among_very_many_is_found_quickly() -> None:
    names = [*(f'"k{number}":0' for number in range(100_000)), '"k99999":1']
    # Looking each name up in the list of all took minutes; the suite's own timeout tells.
    with pytest.raises(Problem):
        jsonbody.read(("{" + ",".join(names) + "}").encode())
