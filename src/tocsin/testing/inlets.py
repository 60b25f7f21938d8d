"""What every inlet must bear, for the tests of ours and of other people's plug-ins."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, cast

from tocsin.core.event import Answer, Event, Hint, Ignored, Ping, Query, Said
from tocsin.ports import Handled, Inlet, Reply, Request, Unreadable

MAX_KEY = 255
"""Longest external id in characters: longer ones do not fit an index in UTF-8."""
MAX_DEPTH = 64
"""Deepest nesting of details that everything behind an inlet takes."""

_TYPES = (
    "",
    "application/json",
    "text/plain; charset=utf-8",
    "application/x-www-form-urlencoded",
    "application/xml",
    "multipart/form-data; boundary=x",
    "nonsense",
)
_BODIES = (
    b"",
    b" \r\n",
    b"\0",
    b"{",
    b"null",
    b"[]",
    b"{}",
    b"3",
    b'"text"',
    b'{"title": "a\\u0000b", "text": "\\ud800"}',
    b'{"title": "one", "title": "two", "TITLE": "three"}',
    b'{"title": "line\nend", "n": NaN, "i": -Infinity}',
    b'{"title": "said "no" twice"}',
    b'{"title": 1e999, "big": ' + b"9" * 400 + b"}",
    b'{"title": ' + b"9" * 5000 + b"}",
    b"[" * 10_000 + b"]" * 10_000,
    b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    b'{"a":' * 200 + b'"deep"' + b"}" * 200,
    b'{"title": "' + b"x" * 100_000 + b'"}',
    b'{"\xff\xfe": "\xff"}',
    "title: Größe\nX-S4-Status: new".encode("latin-1"),
    "\ufefftitle: mark".encode(),
    '{"title": "wide"}'.encode("utf-16"),
    b"%00=%ff&a=%ud800&=&&;" + b"x=1&" * 3000,
    b"payload=",
    b"--x\r\nContent-Disposition: form-data\r\n\r\n",
    b"<a><b>text</a>",
)


def hostile_requests(path: str = "/") -> Iterator[Request]:
    """Requests that senders should not send, and some do."""
    for body in _BODIES:
        for media_type in _TYPES:
            headers = {"content-type": media_type} if media_type else {}
            yield Request(method="POST", path=path, query=(), headers=headers, body=body)
    yield Request(
        method="POST",
        path=path,
        query=(("\0", "\ud800"), ("", ""), ("a", "1"), ("a", "2")),
        headers={"content-type": "\xff", "x-\xff": "\0"},
        body=b"{}",
    )


def check_inlet(inlet: type[Inlet], settings: Mapping[str, Any], path: str = "/") -> None:
    """The whole promise of `ports.Inlet`, as far as no knowledge of the dialect is needed."""
    for request in hostile_requests(path):
        check_said(inlet.parse(request, settings))
    request = Request(method="POST", path=path, query=(), headers={}, body=b"")
    handled = Handled(event_id="e-1", received_at=datetime(2026, 1, 1, tzinfo=UTC), alerts=("a",))
    answer = inlet.reply(request, handled)
    assert 200 <= answer.status < 300, f"a sender reads {answer.status} as a failure"
    _check_reply(answer)
    for status in (400, 401, 403, 404, 413, 415, 429, inlet.overload_status):
        refusal = inlet.refuse(status, 'a "reason"\r\nin two lines')
        assert refusal.status >= 400, f"refusing with {status} was answered {refusal.status}"
        _check_reply(refusal)
    assert inlet.overload_status in {429, 503}


def check_said(result: tuple[Said, ...] | Unreadable) -> None:
    """What was understood can be stored: no NUL, no lone surrogate, bounded keys and depth."""
    if isinstance(result, Unreadable):
        assert result.reason, "a sender is told why"
        assert 400 <= result.status < 500
        return
    for said in result:
        _check_storable(asdict(said))
        match said:
            case Event():
                assert said.title.strip(), "an alert has something to show"
                assert said.title == said.title.strip().replace("\n", " ")
                assert said.external_id is None or 0 < len(said.external_id) <= MAX_KEY
            case Answer():
                assert 0 < len(said.external_id) <= MAX_KEY
            case Ignored():
                assert said.reason
            case Hint() | Ping() | Query():
                pass


def _check_storable(value: object, depth: int = 0) -> None:
    """Python's own encoder is the judge of what is JSON, UTF-8 of what is text."""
    assert depth <= MAX_DEPTH, "nested too deeply"
    match value:
        case str():
            assert "\0" not in value, "PostgreSQL takes no NUL"
            value.encode()
        case dict():
            for name, inner in cast("dict[object, object]", value).items():
                assert isinstance(name, str), "JSON has text as keys only"
                _check_storable(name, depth)
                _check_storable(inner, depth + 1)
        case list() | tuple():
            for inner in cast("list[object]", value):
                _check_storable(inner, depth + 1)
        case _:
            json.dumps(value, allow_nan=False)


def _check_reply(reply: Reply) -> None:
    for name, value in reply.headers.items():
        assert "\n" not in name + value
        assert "\r" not in name + value
    if reply.media_type.endswith("json"):
        json.loads(reply.body)
