"""Filtering and paging of Graph's lists."""

from collections.abc import Iterable
from typing import TypeVar

from starlette.requests import Request

from tocsin.demo.cloud.errors import GraphError
from tocsin.demo.cloud.odata import Field, FilterError, parse_filter
from tocsin.demo.cloud.reading import read_count
from tocsin.demo.cloud.records import GraphAlert, GraphIncident

Item = TypeVar("Item", GraphAlert, GraphIncident)

ALERT_FIELDS: dict[str, Field[GraphAlert]] = {
    "assignedTo": Field("text", lambda a: a.assigned_to),
    "classification": Field("text", lambda a: a.classification),
    "determination": Field("text", lambda a: a.determination),
    "createdDateTime": Field("time", lambda a: a.created),
    "lastUpdateDateTime": Field("time", lambda a: a.updated),
    "severity": Field("text", lambda a: a.severity),
    "serviceSource": Field("text", lambda a: a.service_source),
    "status": Field("text", lambda a: a.status),
}

INCIDENT_FIELDS: dict[str, Field[GraphIncident]] = {
    "assignedTo": Field("text", lambda i: i.assigned_to),
    "classification": Field("text", lambda i: i.classification),
    "determination": Field("text", lambda i: i.determination),
    "createdDateTime": Field("time", lambda i: i.created),
    "lastUpdateDateTime": Field("time", lambda i: i.updated),
    "severity": Field("text", lambda i: i.severity),
    "status": Field("text", lambda i: i.status),
}

_LIST_OPTIONS = frozenset({"$filter", "$top", "$skip", "$count"})


def bad_request(message: str) -> GraphError:
    return GraphError(400, "BadRequest", message)


def check_options(request: Request, *further: str) -> None:
    """GraphError 400 for a query option that the address does not offer ($orderby among them)."""
    offered = _LIST_OPTIONS.union(further)
    for name in request.query_params:
        if name.startswith("$") and name not in offered:
            raise bad_request(f"Query option '{name}' is not allowed here.")


def select(request: Request, items: Iterable[Item], fields: dict[str, Field[Item]]) -> list[Item]:
    """Those that $filter lets through, the newest by creation first."""
    found = list(items)
    if text := request.query_params.get("$filter"):
        try:
            wanted = parse_filter(text, fields)
        except FilterError as error:
            raise bad_request(f"Invalid filter clause: {error}") from error
        found = [item for item in found if wanted(item)]
    found.sort(key=lambda item: (item.created, item.id), reverse=True)
    return found


def page_of(request: Request, found: list[Item], cap: int) -> tuple[list[Item], dict[str, object]]:
    """The page that $top and $skip name, with its @odata.count and @odata.nextLink.

    Pages are positions in the list as it is now: it moves while a caller turns the pages.
    """
    top = read_count(request, "$top", bad_request)
    skip = read_count(request, "$skip", bad_request) or 0
    if top == 0:
        raise bad_request("$top must be at least 1")
    size = min(top or cap, cap)
    around: dict[str, object] = {}
    if request.query_params.get("$count", "").lower() == "true":
        around["@odata.count"] = len(found)
    if skip + size < len(found):
        onward = request.url.include_query_params(**{"$skip": str(skip + size)})
        around["@odata.nextLink"] = str(onward)
    return found[skip : skip + size], around
