"""Filtering, order and paging of Sentinel's lists."""

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from starlette.requests import Request

from tocsin.demo.cloud.odata import Field, FilterError, parse_filter
from tocsin.demo.cloud.reading import read_count
from tocsin.demo.cloud.records import SentinelIncident
from tocsin.demo.cloud.sentinel_shape import bad_request

T = TypeVar("T")

_LARGEST_PAGE = 1_000
_USUAL_PAGE = 50

_FIELDS: dict[str, Field[SentinelIncident]] = {
    "properties/createdTimeUtc": Field("time", lambda i: i.created),
    "properties/lastModifiedTimeUtc": Field("time", lambda i: i.modified),
    "properties/incidentNumber": Field("number", lambda i: i.number),
    "properties/title": Field("text", lambda i: i.title),
    "properties/status": Field("text", lambda i: i.status),
    "properties/severity": Field("text", lambda i: i.severity),
    # The service finds nothing for Undetermined (azure-rest-api-specs issue 27165).
    "properties/classification": Field(
        "text", lambda i: None if i.classification == "Undetermined" else i.classification
    ),
    "properties/owner/userPrincipalName": Field(
        "text", lambda i: i.owner.user_principal_name if i.owner else None
    ),
    "properties/owner/objectId": Field("text", lambda i: i.owner.object_id if i.owner else None),
    "properties/owner/email": Field("text", lambda i: i.owner.email if i.owner else None),
    "properties/owner/assignedTo": Field(
        "text", lambda i: i.owner.assigned_to if i.owner else None
    ),
}

_ORDERS: dict[str, Callable[[SentinelIncident], datetime | int | str]] = {
    "properties/createdTimeUtc": lambda i: i.created,
    "properties/lastModifiedTimeUtc": lambda i: i.modified,
    "properties/incidentNumber": lambda i: i.number,
    "properties/title": lambda i: i.title,
}


def select(
    incidents: Iterable[SentinelIncident], filter_text: str | None, order: str | None
) -> list[SentinelIncident]:
    """Those that the filter lets through, in order; newest first when none is asked for.

    ArmError 400 for a filter or an order that the list does not offer.
    """
    found = list(incidents)
    if filter_text:
        try:
            wanted = parse_filter(filter_text, _FIELDS)
        except FilterError as error:
            raise bad_request(f"Invalid $filter: {error}") from error
        found = [incident for incident in found if wanted(incident)]
    _sort(found, order or "properties/createdTimeUtc desc")
    return found


def page_of(request: Request, items: Sequence[T]) -> tuple[Sequence[T], dict[str, str]]:
    """The items behind $skipToken and, when there are more, the nextLink as it is answered."""
    size = read_count(request, "$top", bad_request)
    size = min(_USUAL_PAGE if size is None else max(size, 1), _LARGEST_PAGE)
    start = _offset(request.query_params.get("$skipToken"))
    page = items[start : start + size]
    if start + size >= len(items):
        return page, {}
    token = base64.urlsafe_b64encode(f"offset:{start + size}".encode()).decode()
    return page, {"nextLink": str(request.url.include_query_params(**{"$skipToken": token}))}


def _sort(incidents: list[SentinelIncident], order: str) -> None:
    name, _, direction = order.strip().partition(" ")
    direction = direction.strip().lower() or "asc"
    if name not in _ORDERS or direction not in {"asc", "desc"}:
        raise bad_request(f"Invalid $orderby '{order}'.")
    key = _ORDERS[name]
    incidents.sort(key=lambda i: (key(i), i.number), reverse=direction == "desc")


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("offset:"))
    except (ValueError, binascii.Error) as error:
        raise bad_request("Invalid $skipToken.") from error
