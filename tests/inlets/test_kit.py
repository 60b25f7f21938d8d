"""The conformance kit for inlets finds what it is there to find."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tocsin.core.event import Answer, AnswerKind, Event, Said
from tocsin.inlets.signl4 import Signl4Inlet
from tocsin.ports import Reply, Request, Unreadable
from tocsin.testing.inlets import check_inlet, check_said

DEEP = json.loads('{"a":' * 100 + "1" + "}" * 100)


class Trusting(Signl4Inlet):
    """Passes on what it is given."""

    @staticmethod
    def parse(request: Request, settings: Mapping[str, Any]) -> tuple[Said, ...] | Unreadable:
        del settings
        return (Event(title=request.body.decode()),)


class Terse(Signl4Inlet):
    """Refuses as if it had taken the request."""

    @staticmethod
    def refuse(status: int, reason: str) -> Reply:
        del status
        return Reply(status=200, body=reason.encode())


@pytest.mark.parametrize("inlet", [Trusting, Terse])
def test_an_inlet_that_breaks_a_promise_is_found(inlet: type[Signl4Inlet]) -> None:
    with pytest.raises((AssertionError, UnicodeDecodeError)):
        check_inlet(inlet, {})


@pytest.mark.parametrize(
    "said",
    [
        Event(title=""),
        Event(title="two\nlines"),
        Event(title="nul \0"),
        Event(title="x", details={"a": ["\ud800"]}),
        Event(title="x", details={"a\0": 1}),
        Event(title="x", details={"a": float("inf")}),
        Event(title="x", details=DEEP),
        Event(title="x", external_id="k" * 256),
        Answer(kind=AnswerKind.CLOSE, external_id=""),
    ],
)
def test_what_cannot_be_stored_is_found(said: Said) -> None:
    with pytest.raises((AssertionError, ValueError)):
        check_said((said,))
