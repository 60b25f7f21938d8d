"""The main template: the table, the data collection rule, and each piece of the solution."""

import json
from typing import cast

from deploy.solution.pieces import (
    LOCATION,
    SCHEMA,
    Piece,
    connector,
    metadata,
    pieces,
    signature,
    template,
    variables,
)
from deploy.solution.sources import Json, Sources
from tocsin.microsoft.table import stream, stream_columns, table_columns

_RULE = "resourceId('Microsoft.Insights/dataCollectionRules', parameters('ruleName'))"
_TABLE = (
    "resourceId('Microsoft.OperationalInsights/workspaces/tables', parameters('workspace'), '{}')"
)


def main_template(sources: Sources) -> Json:
    """The whole template as a document."""
    found = list(pieces(sources))
    named: Json = {}
    for piece in found:
        named |= variables(piece)
    pages = [piece for piece in found if piece.kind == "DataConnector"]
    return {
        "$schema": SCHEMA,
        "contentVersion": f"{sources.version}.0",
        "metadata": {
            "author": sources.data["Author"],
            "comments": f"Solution template for {sources.data['Name']}",
        },
        "parameters": _parameters(),
        "variables": {
            "solutionName": sources.data["Name"],
            "solutionVersion": sources.version,
            "solutionId": sources.solution_id,
            "solutionProductId": (
                "[concat(take(variables('solutionId'), 50), '-sl-', uniqueString(concat("
                "variables('solutionId'), '-Solution-', variables('solutionVersion'))))]"
            ),
            "workspaceResourceId": (
                "[resourceId('Microsoft.OperationalInsights/workspaces', parameters('workspace'))]"
            ),
            **named,
        },
        "resources": [
            _table(sources),
            _collection(sources),
            *(template(piece, sources) for piece in found),
            *(connector(piece) for piece in pages),
            *(_after(metadata(piece, sources), piece) for piece in pages),
            _package(found, sources),
        ],
        "outputs": {
            name: {
                "condition": "[parameters('createTable')]",
                "type": "string",
                "value": f"[reference({_RULE}, '2024-03-11').{path}]",
            }
            for name, path in (
                ("dcrImmutableId", "immutableId"),
                ("logsIngestionEndpoint", "endpoints.logsIngestion"),
            )
        },
    }


def _parameters() -> Json:
    def text(description: str, **more: object) -> Json:
        return {"type": "string", **more, "metadata": {"description": description}}

    return {
        "workspace": text("Name of the workspace that Microsoft Sentinel uses", minLength=1),
        "workspace-location": text(
            "Region of the workspace", minLength=1, defaultValue="[resourceGroup().location]"
        ),
        "createTable": {
            "type": "bool",
            "defaultValue": True,
            "metadata": {"description": "Whether to make the table and its data collection rule"},
        },
        "ruleName": text(
            "Name of the data collection rule", minLength=3, defaultValue="dcr-tocsin"
        ),
    }


def _table(sources: Sources) -> Json:
    return {
        "condition": "[parameters('createTable')]",
        "type": "Microsoft.OperationalInsights/workspaces/tables",
        "apiVersion": "2025-07-01",
        "name": f"[concat(parameters('workspace'), '/{sources.table}')]",
        "properties": {
            "plan": "Analytics",
            "schema": {"name": sources.table, "columns": table_columns()},
        },
    }


def _collection(sources: Sources) -> Json:
    """A rule of the kind Direct has an endpoint of its own."""
    name = stream(sources.table)
    return {
        "condition": "[parameters('createTable')]",
        "type": "Microsoft.Insights/dataCollectionRules",
        "apiVersion": "2024-03-11",
        "name": "[parameters('ruleName')]",
        "location": LOCATION,
        "kind": "Direct",
        "dependsOn": [f"[{_TABLE.format(sources.table)}]"],
        "properties": {
            "streamDeclarations": {name: {"columns": stream_columns()}},
            "destinations": {
                "logAnalytics": [
                    {
                        "workspaceResourceId": "[variables('workspaceResourceId')]",
                        "name": "workspace",
                    }
                ]
            },
            "dataFlows": [
                {
                    "streams": [name],
                    "destinations": ["workspace"],
                    "transformKql": "source",
                    "outputStream": name,
                }
            ],
        },
    }


def _after(resource: Json, piece: Piece) -> Json:
    return {**resource, "dependsOn": [f"[{piece.parent}]"], "location": LOCATION}


def _package(found: list[Piece], sources: Sources) -> Json:
    criteria = [
        {
            "kind": piece.kind,
            "contentId": f"[{piece.variable('ContentId')}]",
            "version": f"[{piece.variable('Version')}]",
        }
        for piece in found
    ]
    return {
        "type": "Microsoft.OperationalInsights/workspaces/providers/contentPackages",
        "apiVersion": "2023-04-01-preview",
        "name": (
            "[concat(parameters('workspace'), '/Microsoft.SecurityInsights/',"
            " variables('solutionId'))]"
        ),
        "location": LOCATION,
        "properties": {
            "version": sources.version,
            "kind": "Solution",
            "contentSchemaVersion": "3.0.0",
            "displayName": sources.data["Name"],
            "publisherDisplayName": cast("Json", sources.metadata["support"])["name"],
            "descriptionHtml": _paragraphs(str(sources.data["Description"])),
            "contentKind": "Solution",
            "contentProductId": "[variables('solutionProductId')]",
            "id": "[variables('solutionProductId')]",
            "icon": sources.data["Logo"],
            "contentId": "[variables('solutionId')]",
            "parentId": "[variables('solutionId')]",
            **signature(sources),
            "dependencies": {"operator": "AND", "criteria": criteria},
            "firstPublishDate": sources.metadata["firstPublishDate"],
            "lastPublishDate": sources.metadata["lastPublishDate"],
            "providers": sources.metadata["providers"],
            "categories": sources.metadata["categories"],
        },
    }


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{part}</p>" for part in text.split("\n\n"))


def written(document: Json) -> str:
    """The document as its file: the same sources give the same bytes."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
