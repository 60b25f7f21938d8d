"""What is asked of each kind of content: connector page, workbook, rule, hunting query, playbook.

Rules of Azure-Sentinel's validators (`.script/utils`), in own words, and Tocsin's own.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

from deploy.solution import arm, kql
from deploy.solution.pieces import iso_span
from deploy.solution.sources import Json, Part, Sources

# Compared as a whole, texts included, for every connector whose data type ends in _CL.
PERMISSIONS: Sequence[Json] = (
    {
        "provider": "Microsoft.OperationalInsights/workspaces",
        "permissionsDisplayText": "read and write permissions are required.",
        "providerDisplayName": "Workspace",
        "scope": "Workspace",
        "requiredPermissions": {"write": True, "read": True, "delete": True},
    },
    {
        "provider": "Microsoft.OperationalInsights/workspaces/sharedKeys",
        "permissionsDisplayText": (
            "read permissions to shared keys for the workspace are required. [See the "
            "documentation to learn more about workspace keys](https://docs.microsoft.com/azure/"
            "azure-monitor/platform/agent-windows#obtain-workspace-id-and-key)."
        ),
        "providerDisplayName": "Keys",
        "scope": "Workspace",
        "requiredPermissions": {"action": True},
    },
)
_CONNECTOR_KEYS = (
    "id", "title", "publisher", "descriptionMarkdown", "graphQueries", "sampleQueries",
    "dataTypes", "connectivityCriterias", "availability", "permissions", "instructionSteps",
)  # fmt: skip
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_LONGEST_PERIOD = 14 * 24 * 60


def connector(part: Part, table: str) -> Iterator[str]:
    """The keys of the schema for REST API connectors, its fixed permissions, sound queries."""
    body = part.body
    for key in _CONNECTOR_KEYS:
        if key not in body:
            yield f"{part.path}: {key} is missing"
    if re.search(r"\s", str(body.get("id"))):
        yield f"{part.path}: the id has blanks"
    types = cast("list[dict[str, str]]", body.get("dataTypes", []))
    for kind in types:
        if " " in kind["name"]:
            yield f"{part.path}: the data type {kind['name']!r} has blanks"
    given = cast("Json", body.get("permissions", {})).get("resourceProvider")
    if types and types[0]["name"].endswith("_CL") and given != list(PERMISSIONS):
        yield f"{part.path}: the permissions are not those of a REST API connector"
    for name, query, counts in _connector_queries(body):
        if query != table:
            for fault in kql.faults(query, table, counts_events=counts):
                yield f"{part.path}: {name}: {fault}"


def _connector_queries(body: Json) -> Iterator[tuple[str, str, bool]]:
    """Graph queries get their time from the page; the newest row needs no deduplication."""
    for one in cast("list[dict[str, str]]", body.get("graphQueries", [])):
        yield one["metricName"], one["baseQuery"], False
    for one in cast("list[dict[str, str]]", body.get("sampleQueries", [])):
        yield one["description"], one["query"], True
    for one in cast("list[dict[str, str]]", body.get("dataTypes", [])):
        yield one["name"], one["lastDataReceivedQuery"], False
    for criterion in cast("list[Json]", body.get("connectivityCriterias", [])):
        for query in cast("list[str]", criterion["value"]):
            yield str(criterion["type"]), query, False


def workbook(part: Part, table: str) -> Iterator[str]:
    """A template of its own, of no workspace, with sound queries on parameters that it has."""
    body = part.body
    if body.get("version") != "Notebook/1.0":
        yield f"{part.path}: the version is not Notebook/1.0"
    if not re.fullmatch(r"sentinel-(?!UserWorkbook$)\w+", str(body.get("fromTemplateId"))):
        yield f"{part.path}: fromTemplateId has to be sentinel- and a name of its own"
    if re.search(r"subscriptions/[0-9a-f]{8}-", str(body), re.IGNORECASE):
        yield f"{part.path}: it names a resource"
    items = cast("list[Json]", body.get("items", []))
    names = [str(item.get("name")) for item in items]
    for name in sorted({one for one in names if names.count(one) > 1}):
        yield f"{part.path}: two items are called {name}"
    asked = {name for item in items for name in _parameters(item)}
    for name, query in workbook_queries(items):
        for fault in kql.faults(query, table, counts_events=name != "Team"):
            yield f"{part.path}: {name}: {fault}"
        for read in sorted(set(re.findall(r"\{(\w+)(?::\w+)?\}", query)) - asked):
            yield f"{part.path}: {name}: the parameter {read} is not asked for"


def workbook_queries(items: Sequence[Json]) -> Iterator[tuple[str, str]]:
    """Every query of a workbook with the name of its item or parameter."""
    for item in items:
        content = cast("Json", item["content"])
        if "query" in content:
            yield str(item["name"]), str(content["query"])
        for one in cast("list[Json]", content.get("parameters", [])):
            if "query" in one:
                yield str(one["name"]), str(one["query"])


def _parameters(item: Json) -> Iterator[str]:
    for one in cast("list[Json]", cast("Json", item["content"]).get("parameters", [])):
        yield str(one["name"])


def analytic_rule(part: Part, sources: Sources) -> Iterator[str]:
    """An id that never changes, spans that fit, and an end to feeding itself."""
    yield from hunt(part, sources)
    body = part.body
    if body.get("kind") != "Scheduled":
        yield f"{part.path}: kind has to be Scheduled"
    if body.get("severity") not in {"High", "Medium", "Low", "Informational"}:
        yield f"{part.path}: the severity is not one of Microsoft's"
    frequency, period = (_minutes(body, key) for key in ("queryFrequency", "queryPeriod"))
    if not 5 <= frequency <= period <= _LONGEST_PERIOD:
        yield f"{part.path}: 5m <= queryFrequency <= queryPeriod <= 14d does not hold"
    query = str(body.get("query"))
    if f"!startswith '{body.get('name')}'" not in query:
        yield f"{part.path}: it would raise incidents about its own incidents"
    made = set(re.findall(r"\b\w+\b", query.rpartition("project")[2]))
    custom = cast("Mapping[str, str]", body.get("customDetails", {}))
    shown = re.findall(r"\{\{(\w+)\}\}", str(body.get("alertDetailsOverride")))
    for name in sorted({*custom.values(), *shown} - made):
        yield f"{part.path}: the query does not end with {name}"


def hunt(part: Part, sources: Sources) -> Iterator[str]:
    """What rules and hunting queries have in common."""
    body = part.body
    try:
        UUID(str(body.get("id")))
    except ValueError:
        yield f"{part.path}: the id is not a GUID"
    for key in ("name", "description", "query", "tactics", "relevantTechniques"):
        if key not in body:
            yield f"{part.path}: {key} is missing"
    if not _VERSION.fullmatch(str(body.get("version"))):
        yield f"{part.path}: the version is not three numbers"
    known = {str(one.body["id"]) for one in sources.connectors}
    for one in cast("list[dict[str, str]]", body.get("requiredDataConnectors", [])):
        if one["connectorId"] not in known:
            yield f"{part.path}: the connector {one['connectorId']} is not in the solution"
    for fault in kql.faults(str(body.get("query")), sources.table):
        yield f"{part.path}: {fault}"


def _minutes(body: Json, key: str) -> int:
    span = iso_span(str(body.get(key)))
    number = int(re.sub(r"\D", "", span))
    return number * {"M": 1, "H": 60, "D": 24 * 60}[span[-1]]


def playbook(part: Part) -> Iterator[str]:
    """Told in its metadata, named by a parameter, its connections by variables, its secret safe."""
    body = part.body
    about = cast("Json", body.get("metadata", {}))
    for key in ("title", "description", "lastUpdateTime"):
        if not str(about.get(key, "")).strip():
            yield f"{part.path}: metadata.{key} is missing"
    for group, key in (("support", "tier"), ("author", "name")):
        if not cast("Json", about.get(group, {})).get(key):
            yield f"{part.path}: metadata.{group}.{key} is missing"
    try:
        datetime.fromisoformat(str(about.get("lastUpdateTime")))
    except ValueError:
        yield f"{part.path}: metadata.lastUpdateTime is not a time"
    if "PlaybookName" not in cast("Json", body.get("parameters", {})):
        yield f"{part.path}: the parameter PlaybookName is missing"
    for resource in cast("list[Json]", body.get("resources", [])):
        if resource["type"] == "Microsoft.Web/connections" and not re.fullmatch(
            r"\[variables\('\w+'\)\]", str(resource["name"])
        ):
            yield f"{part.path}: a connection's name has to come from a variable"
    for fault in arm.faults(body):
        yield f"{part.path}: {fault}"
