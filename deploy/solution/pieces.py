"""Each kind of content as a template that the Content hub of Microsoft Sentinel offers."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from deploy.solution.sources import Json, Part, Sources

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
LOCATION = "[parameters('workspace-location')]"

_INSIGHTS = "'/Microsoft.SecurityInsights/'"
_WORKSPACE = "resourceId('Microsoft.OperationalInsights/workspaces', parameters('workspace'))"
_PACKAGE = f"extensionResourceId({_WORKSPACE}, 'Microsoft.SecurityInsights/contentPackages'"
_SPAN = re.compile(r"(\d+)([mhd])")


@dataclass(frozen=True, slots=True)
class Piece:
    """One part in a template: `key` begins the names of its variables."""

    key: str
    kind: str
    short: str
    part: Part
    content_id: str
    version: str
    parent: str  # an expression without brackets: the object that is made from the template
    title: str

    def variable(self, name: str) -> str:
        """An expression, without brackets, that reads one of its variables."""
        return f"variables('{self.key}{name}')"


def pieces(sources: Sources) -> Iterator[Piece]:
    """Everything that gets a template, in the order of the package."""
    for number, part in enumerate(sources.connectors, start=1):
        name = str(part.body["id"])
        parent = _extension("dataConnectors", f"variables('dataConnector{number}ContentId')")
        title = str(part.body["title"])
        yield Piece(
            f"dataConnector{number}", "DataConnector", "dc", part, name, "1.0.0", parent, title
        )
    for number, part in enumerate(sources.workbooks, start=1):
        parent = f"resourceId('Microsoft.Insights/workbooks', variables('workbook{number}Id'))"
        yield Piece(
            f"workbook{number}", "Workbook", "wb", part, part.stem, "1.0.0", parent, "Tocsin pages"
        )
    for number, part in enumerate(sources.rules, start=1):
        name, version, title = (str(part.body[key]) for key in ("id", "version", "name"))
        parent = _extension("alertRuleTemplates", f"variables('analyticRule{number}ContentId')")
        yield Piece(
            f"analyticRule{number}", "AnalyticsRule", "ar", part, name, version, parent, title
        )
    for number, part in enumerate(sources.hunts, start=1):
        name, version, title = (str(part.body[key]) for key in ("id", "version", "name"))
        parent = (
            "resourceId('Microsoft.OperationalInsights/savedSearches',"
            f" variables('huntingQuery{number}ContentId'))"
        )
        yield Piece(
            f"huntingQuery{number}", "HuntingQuery", "hq", part, name, version, parent, title
        )
    for number, part in enumerate(sources.playbooks, start=1):
        title = str(cast("Json", part.body["metadata"])["title"])
        parent = f"resourceId('Microsoft.Logic/workflows', variables('playbook{number}ContentId'))"
        yield Piece(f"playbook{number}", "Playbook", "pl", part, part.stem, "1.0.0", parent, title)


def variables(piece: Piece) -> Json:
    """The variables that the piece's resources read."""
    found: Json = {
        f"{piece.key}ContentId": piece.content_id,
        f"{piece.key}Version": piece.version,
        f"{piece.key}Template": (
            f"[concat(parameters('workspace'), '-{piece.short}-',"
            f" uniqueString({piece.variable('ContentId')}))]"
        ),
        f"{piece.key}ProductId": (
            f"[concat(take(variables('solutionId'), 50), '-{piece.short}-', uniqueString(concat("
            f"variables('solutionId'), '-{piece.kind}-', {piece.variable('ContentId')}, '-',"
            f" {piece.variable('Version')})))]"
        ),
    }
    if piece.kind == "Workbook":
        found[f"{piece.key}Id"] = (
            f"[guid(variables('workspaceResourceId'), {piece.variable('ContentId')})]"
        )
    return found


def template(piece: Piece, sources: Sources) -> Json:
    """The resource that puts the piece among the templates of the workspace."""
    given: Json = {"parameters": {}, "variables": {}}
    if piece.kind == "Playbook":
        given = {key: deferred(piece.part.body[key]) for key in ("parameters", "variables")}
    inner: Json = {
        "$schema": SCHEMA,
        "contentVersion": f"[concat({piece.variable('Version')}, '.0')]",
        **given,
        "resources": [*_resources(piece), metadata(piece, sources)],
    }
    if piece.kind == "Playbook":
        inner["metadata"] = piece.part.body["metadata"]
    return {
        "type": "Microsoft.OperationalInsights/workspaces/providers/contentTemplates",
        "apiVersion": "2023-04-01-preview",
        "name": _named(piece.variable("Template")),
        "location": LOCATION,
        "dependsOn": [f"[{_PACKAGE}, variables('solutionId'))]"],
        "properties": {
            "description": f"{piece.title}, template version {piece.version}",
            "mainTemplate": inner,
            "packageKind": "Solution",
            "packageVersion": "[variables('solutionVersion')]",
            "packageName": "[variables('solutionName')]",
            "packageId": "[variables('solutionId')]",
            "contentSchemaVersion": "3.0.0",
            "contentId": f"[{piece.variable('ContentId')}]",
            "contentKind": piece.kind,
            "displayName": piece.title,
            "contentProductId": f"[{piece.variable('ProductId')}]",
            "id": f"[{piece.variable('ProductId')}]",
            "version": f"[{piece.variable('Version')}]",
        },
    }


def connector(piece: Piece) -> Json:
    """The data connector's page itself."""
    return {
        "type": "Microsoft.OperationalInsights/workspaces/providers/dataConnectors",
        "apiVersion": "2021-03-01-preview",
        "name": _named(piece.variable("ContentId")),
        "location": LOCATION,
        "kind": "GenericUI",
        "properties": {"connectorUiConfig": piece.part.body},
    }


def metadata(piece: Piece, sources: Sources) -> Json:
    """What binds the object that is made from a piece to the solution."""
    return {
        "type": "Microsoft.OperationalInsights/workspaces/providers/metadata",
        "apiVersion": "2022-01-01-preview",
        "name": _named(f"concat('{piece.kind}-', {piece.variable('ContentId')})"),
        "properties": {
            "parentId": f"[{piece.parent}]",
            "contentId": f"[{piece.variable('ContentId')}]",
            "kind": piece.kind,
            "version": f"[{piece.variable('Version')}]",
            **signature(sources),
        },
    }


def signature(sources: Sources) -> Json:
    """Who made it, and who helps."""
    support = cast("Json", sources.metadata["support"])
    return {
        "source": {
            "kind": "Solution",
            "name": sources.data["Name"],
            "sourceId": "[variables('solutionId')]",
        },
        "author": {"name": support["name"], "email": support["email"]},
        "support": support,
    }


def deferred(value: object) -> object:
    """Expressions for the deployment of a template that a template holds: `[` becomes `[[`."""
    if isinstance(value, str):
        return f"[{value}" if value.startswith("[") else value
    if isinstance(value, dict):
        return {key: deferred(item) for key, item in cast("Json", value).items()}
    if isinstance(value, list):
        return [deferred(item) for item in cast("list[object]", value)]
    return value


def _resources(piece: Piece) -> list[Json]:
    match piece.kind:
        case "DataConnector":
            return [connector(piece)]
        case "Workbook":
            return [_workbook(piece)]
        case "AnalyticsRule":
            return [_rule(piece)]
        case "HuntingQuery":
            return [_hunt(piece)]
        case _:
            return cast("list[Json]", deferred(piece.part.body["resources"]))


def _workbook(piece: Piece) -> Json:
    return {
        "type": "Microsoft.Insights/workbooks",
        "apiVersion": "2021-08-01",
        "name": f"[{piece.variable('Id')}]",
        "location": LOCATION,
        "kind": "shared",
        "properties": {
            "displayName": piece.title,
            "serializedData": json.dumps(piece.part.body, separators=(",", ":"), sort_keys=True),
            "version": "1.0",
            "sourceId": "[variables('workspaceResourceId')]",
            "category": "sentinel",
        },
    }


def _rule(piece: Piece) -> Json:
    body = piece.part.body
    kept = ("description", "severity", "query", "triggerThreshold", "tactics", "status")
    more = ("requiredDataConnectors", "customDetails", "alertDetailsOverride")
    grouping = cast("Json", body["incidentConfiguration"])
    grouped = cast("Json", grouping["groupingConfiguration"])
    return {
        "type": "Microsoft.SecurityInsights/AlertRuleTemplates",
        "apiVersion": "2023-02-01-preview",
        "name": f"[{piece.variable('ContentId')}]",
        "location": LOCATION,
        "kind": body["kind"],
        "properties": {
            "displayName": body["name"],
            **{key: body[key] for key in (*kept, *more)},
            "techniques": body["relevantTechniques"],
            "enabled": False,
            "queryFrequency": iso_span(str(body["queryFrequency"])),
            "queryPeriod": iso_span(str(body["queryPeriod"])),
            "triggerOperator": {"gt": "GreaterThan", "lt": "LessThan", "eq": "Equal"}[
                str(body["triggerOperator"])
            ],
            "suppressionEnabled": False,
            "suppressionDuration": "PT1H",
            "eventGroupingSettings": body["eventGroupingSettings"],
            "incidentConfiguration": {
                **grouping,
                "groupingConfiguration": {
                    **grouped,
                    "lookbackDuration": iso_span(str(grouped["lookbackDuration"])),
                },
            },
        },
    }


def _hunt(piece: Piece) -> Json:
    body = piece.part.body
    return {
        "type": "Microsoft.OperationalInsights/savedSearches",
        "apiVersion": "2022-10-01",
        "name": f"[{piece.variable('ContentId')}]",
        "location": LOCATION,
        "properties": {
            "eTag": "*",
            "displayName": body["name"],
            "category": "Hunting Queries",
            "query": body["query"],
            "version": 2,
            "tags": [{"name": "description", "value": str(body["description"]).strip()}],
        },
    }


def iso_span(span: str) -> str:
    """`5m` as `PT5M`, `1d` as `P1D`. Raises ValueError."""
    found = _SPAN.fullmatch(span)
    if found is None:
        raise ValueError(f"{span!r} is not a span such as 5m, 1h, 1d")
    number, unit = found.groups()
    return f"P{number}D" if unit == "d" else f"PT{number}{unit.upper()}"


def _named(expression: str) -> str:
    return f"[concat(parameters('workspace'), {_INSIGHTS}, {expression})]"


def _extension(kind: str, name: str) -> str:
    return f"extensionResourceId({_WORKSPACE}, 'Microsoft.SecurityInsights/{kind}', {name})"
