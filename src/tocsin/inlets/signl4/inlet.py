"""The SIGNL4 webhook dialect: what a request says and how it is answered."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final, Literal

import msgspec

from tocsin.core import storable
from tocsin.core.event import Answer, AnswerKind, Event, Ignored, Said
from tocsin.core.kinds import Mode, Severity
from tocsin.inlets.signl4.fields import TEXT_KEYS, TITLE_KEYS, Fields, read
from tocsin.ports import Handled, Reply, Request, Unreadable

_MODES: Final = {
    "single_ack": Mode.SINGLE,
    "multi_ack": Mode.MULTI,
    "emergency": Mode.EMERGENCY,
}
_SEVERITIES: Final = {severity.value: severity for severity in Severity} | {
    "informational": Severity.INFO,
    "information": Severity.INFO,
    "warning": Severity.MEDIUM,
    "error": Severity.HIGH,
}
_ANSWERS: Final = {"acknowledged": AnswerKind.ACKNOWLEDGE, "resolved": AnswerKind.CLOSE}
_USED: Final = frozenset(
    (
        "x-s4-externalid",
        "x-s4-status",
        "x-s4-service",
        "x-s4-alertingscenario",
        "x-s4-sourcesystem",
        "x-s4-api-key",
    )
)
_PASSED_ON: Final = ("X-S4-Location", "X-S4-Filtering", "X-S4-Severity")
_LAST_TICK: Final = 3155378975999999999  # .NET DateTime.MaxValue; event ids count down from it
_YEAR_ONE: Final = datetime(1, 1, 1, tzinfo=UTC)
_IDS: Final = uuid.UUID("5d0f7a3e-8f0f-5b35-9d0c-6c1d3a0c54b1")


class Signl4Inlet:
    """The webhook as the SIGNL4 documentation and its senders have it.

    X-S4-* parameters are taken from the body, else the query, else the headers, names in any case.
    Empty and null mean absent. A status outside new, acknowledged and resolved asks for nothing.
    Numbers as X-S4-Severity are of no documented scale: they stay details, as location and
    filtering do. XML and multipart are answered 415.
    """

    overload_status: ClassVar[int] = 503

    @staticmethod
    def parse(request: Request, settings: Mapping[str, Any]) -> tuple[Said, ...] | Unreadable:
        """One event, one answer, or the reason why neither."""
        del settings  # nothing to set
        fields = read(request)
        if isinstance(fields, Unreadable):
            return fields
        query = {name.lower(): value for name, value in request.query if value}
        status = _status(request, fields, query)
        if status is None:
            event = _event(request, fields, query)
            return (event,) if event is not None else Unreadable(reason="the request is empty")
        if isinstance(status, Ignored):
            return (status,)
        return (_answer(request, fields, query, status),)

    @staticmethod
    def reply(request: Request, handled: Handled) -> Reply:
        """201 and an event id in the form of SIGNL4's: ticks, `_`, GUID."""
        del request
        since = handled.received_at - _YEAR_ONE
        ticks = _LAST_TICK - since // timedelta(microseconds=1) * 10
        event_id = f"{ticks:019d}_{_guid(handled.event_id)}"
        return Reply(status=201, body=msgspec.json.encode({"eventId": event_id}))

    @staticmethod
    def refuse(status: int, reason: str) -> Reply:
        """The shape that SIGNL4's clients read."""
        body = {"error_code": status, "description": storable.line(reason)}
        return Reply(status=status, body=msgspec.json.encode(body))


_Query = Mapping[str, str]


def _status(request: Request, fields: Fields, query: _Query) -> AnswerKind | Ignored | None:
    """By query mapping if its field is there, else by X-S4-Status; None for a new event."""
    mapped = _mapped(fields, query, "extstatusparam")
    if mapped is None:
        said = (_parameter(request, fields, query, "x-s4-status") or "new").lower()
        answer = _ANSWERS.get(said)
        return _unknown(said) if answer is None and said != "new" else answer
    said = mapped.casefold()
    if said == query.get("resolvedstatus", "").strip().casefold():
        return AnswerKind.CLOSE
    if said == query.get("ackstatus", "").strip().casefold():
        return AnswerKind.ACKNOWLEDGE
    return None if said == query.get("newstatus", said).strip().casefold() else _unknown(mapped)


def _unknown(status: str) -> Ignored:
    return Ignored(reason=f'status "{storable.line(status, 50)}" has no meaning here')


def _answer(request: Request, fields: Fields, query: _Query, kind: AnswerKind) -> Answer | Ignored:
    external_id = _external_id(request, fields, query)
    if external_id is None:
        return Ignored(reason=f'"{kind}" without X-S4-ExternalID fits no alert')
    comment = _chosen(fields, TEXT_KEYS)[1] or _chosen(fields, TITLE_KEYS)[1] or fields.rest
    return Answer(
        kind=kind,
        external_id=external_id,
        by=_label(_parameter(request, fields, query, "x-s4-sourcesystem")),
        comment=storable.prose(comment) or None,
    )


def _external_id(request: Request, fields: Fields, query: _Query) -> str | None:
    value = _mapped(fields, query, "extidparam")
    if value is None:
        value = _parameter(request, fields, query, "x-s4-externalid")
    return storable.key(value) or None if value is not None else None


def _event(request: Request, fields: Fields, query: _Query) -> Event | None:
    """None where there is nothing to show."""
    external_id = _external_id(request, fields, query)
    title_key, title = _chosen(fields, TITLE_KEYS)
    text_key, text = _chosen(fields, TEXT_KEYS)
    text = "\n".join(filter(None, (text, fields.rest)))
    first_line = text.strip().partition("\n")[0]
    shown = storable.line(title or first_line or _first(fields) or external_id or "")
    if not shown:
        return None
    repeated = not title and " ".join(text.split()) == shown
    severity = _parameter(request, fields, query, "x-s4-severity") or ""
    scenario = _parameter(request, fields, query, "x-s4-alertingscenario") or ""
    details = _details(fields, {title_key, text_key})
    for name in _PASSED_ON:
        value = _parameter(request, fields, query, name.lower())
        if value is not None and fields.get(name.lower()) is None:
            details[name] = value
    return Event(
        title=shown,
        text="" if repeated else storable.prose(text),
        external_id=external_id,
        severity=_SEVERITIES.get(severity.lower()),
        mode=_MODES.get(scenario.lower()),
        category=_label(_parameter(request, fields, query, "x-s4-service")),
        source_name=_label(_parameter(request, fields, query, "x-s4-sourcesystem")),
        details=details,
    )


def _details(fields: Fields, shown: set[str]) -> dict[str, object]:
    """What is neither title nor text nor a parameter that has its own place."""
    return {
        storable.clean(name): storable.tree(value)
        for name, value in fields.named.items()
        if name.lower() not in _USED and name.lower() not in shown
    }


def _chosen(fields: Fields, names: tuple[str, ...]) -> tuple[str, str]:
    """The first of these fields that holds something: its name and its value."""
    for name in names:
        value = _scalar(fields.get(name))
        if value is not None:
            return name, value
    return "", ""


def _first(fields: Fields) -> str | None:
    """SIGNL4 shows the first parameter where nothing is a subject."""
    for name, value in fields.named.items():
        shown = None if name.lower() in _USED else _scalar(value)
        if shown is not None:
            return f"{name}: {shown}"
    return None


def _mapped(
    fields: Fields, query: _Query, name: Literal["extidparam", "extstatusparam"]
) -> str | None:
    return _scalar(fields.get(query[name].strip().lower())) if name in query else None


def _parameter(request: Request, fields: Fields, query: _Query, name: str) -> str | None:
    value = _scalar(fields.get(name))
    if value is None:
        value = _scalar(query.get(name))
    return _scalar(request.headers.get(name)) if value is None else value


def _scalar(value: object) -> str | None:
    """Text, number or truth value as text; None for the rest and for what is empty."""
    match value:
        case str():
            return storable.clean(value).strip() or None
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(storable.tree(value))
        case _:
            return None


def _label(value: str | None) -> str | None:
    return storable.line(value, 100) if value is not None else None


def _guid(event_id: str) -> uuid.UUID:
    """The event id itself where it is a UUID, else one that follows from it."""
    try:
        return uuid.UUID(event_id)
    except ValueError:
        return uuid.uuid5(_IDS, event_id)
