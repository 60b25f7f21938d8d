"""SIGNL4 requests for tests, and what the inlet makes of them."""

import json
from collections.abc import Sequence

from tocsin.core.event import Event, Said
from tocsin.inlets.signl4 import Signl4Inlet
from tocsin.ports import Request, Unreadable
from tocsin.testing.inlets import check_said

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def request(
    body: bytes | str | dict[str, object],
    media_type: str = JSON,
    query: Sequence[tuple[str, str]] = (),
    **headers: str,
) -> Request:
    if isinstance(body, dict):
        body = json.dumps(body)
    content = body.encode() if isinstance(body, str) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if media_type:
        named["content-type"] = media_type
    return Request(method="POST", path="/webhook/s", query=query, headers=named, body=content)


def said(
    body: bytes | str | dict[str, object],
    media_type: str = JSON,
    query: Sequence[tuple[str, str]] = (),
    **headers: str,
) -> Said | Unreadable:
    result = Signl4Inlet.parse(request(body, media_type, query, **headers), {})
    check_said(result)
    return result if isinstance(result, Unreadable) else result[0]


def event(body: bytes | str | dict[str, object], media_type: str = JSON) -> Event:
    result = said(body, media_type)
    assert isinstance(result, Event), result
    return result
