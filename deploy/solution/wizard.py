"""The pages of the portal that ask for the template's values."""

from deploy.solution.pieces import pieces
from deploy.solution.sources import Json, Sources

_SCHEMA = (
    "https://schema.management.azure.com/schemas/0.1.2-preview/CreateUIDefinition.MultiVm.json#"
)
_WORDS = {
    "DataConnector": ("Data connectors", "A page that shows whether rows arrive, and what to do."),
    "Workbook": ("Workbooks", "Pages, time to acknowledge, who answered, and what stands open."),
    "AnalyticsRule": (
        "Analytics",
        "A rule for alerts of high severity that nobody acknowledges; off until you switch it on.",
    ),
    "HuntingQuery": ("Hunting queries", "A query for pages that did not arrive."),
    "Playbook": (
        "Playbooks",
        "A playbook that tells Tocsin at once about an incident; make it from its template.",
    ),
}
_IN_GROUP = (
    "contains(toLower({0}.id), toLower(concat('/resourceGroups/', resourceGroup().name, '/')))"
)


def create_ui_definition(sources: Sources) -> Json:
    """The wizard; its outputs are the parameters of the main template."""
    workspaces = "basics('workspaces').value"
    same = f"filter({workspaces}, (item) => equals(item.name, basics('workspace')))"
    return {
        "$schema": _SCHEMA,
        "handler": "Microsoft.Azure.CreateUIDef",
        "version": "0.1.2-preview",
        "parameters": {
            "config": {"isWizard": False, "basics": _config(sources)},
            "basics": _workspace(workspaces),
            "steps": [_table_step(sources), *_steps(sources)],
            "outputs": {
                "workspace": "[basics('workspace')]",
                "workspace-location": f"[first(map({same}, (item) => item.location))]",
                "createTable": "[steps('table').createTable]",
                "ruleName": "[steps('table').ruleName]",
            },
        },
    }


def _config(sources: Sources) -> Json:
    return {
        "description": f"{sources.data['Logo']}\n\n{sources.data['Description']}",
        "subscription": {
            "resourceProviders": [
                "Microsoft.OperationalInsights/workspaces",
                "Microsoft.Insights/dataCollectionRules",
                "Microsoft.Insights/workbooks",
                "Microsoft.Logic/workflows",
            ]
        },
        "location": {
            "metadata": {"hidden": "The region of the workspace is used"},
            "visible": False,
        },
        "resourceGroup": {"allowExisting": True},
    }


def _workspace(workspaces: str) -> list[Json]:
    label = """parse(concat('{"label":"', item.name, '","value":"', item.name, '"}'))"""
    chosen = f"filter({workspaces}, (item) => {_IN_GROUP.format('item')})"
    return [
        {
            "name": "workspaces",
            "type": "Microsoft.Solutions.ArmApiControl",
            "condition": "[greater(length(resourceGroup().name), 0)]",
            "request": {
                "method": "GET",
                "path": (
                    "[concat(subscription().id, '/providers/Microsoft.OperationalInsights"
                    "/workspaces?api-version=2025-07-01')]"
                ),
            },
        },
        {
            "name": "workspace",
            "type": "Microsoft.Common.DropDown",
            "label": "Workspace",
            "placeholder": "Choose a workspace",
            "toolTip": "Workspaces of the chosen resource group",
            "constraints": {
                "allowedValues": f"[map({chosen}, (item) => {label})]",
                "required": True,
            },
            "visible": True,
        },
    ]


def _table_step(sources: Sources) -> Json:
    return {
        "name": "table",
        "label": "Table",
        "bladeTitle": "Table",
        "elements": [
            _text(
                "about",
                f"Tocsin writes what happened to the table {sources.table}, through a data"
                " collection rule. Leave them out when `tocsin azure setup` has made them.",
            ),
            {
                "name": "createTable",
                "type": "Microsoft.Common.CheckBox",
                "label": f"Make {sources.table} and its data collection rule",
                "defaultValue": True,
            },
            {
                "name": "ruleName",
                "type": "Microsoft.Common.TextBox",
                "label": "Name of the data collection rule",
                "defaultValue": "dcr-tocsin",
                "constraints": {
                    "required": True,
                    "regex": "^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$",
                    "validationMessage": "3 to 64 letters, digits, hyphens and underscores",
                },
            },
        ],
    }


def _steps(sources: Sources) -> list[Json]:
    kinds = dict.fromkeys(piece.kind for piece in pieces(sources))
    return [
        {
            "name": kind.lower(),
            "label": _WORDS[kind][0],
            "bladeTitle": _WORDS[kind][0],
            "elements": [_text(f"{kind.lower()}-text", _WORDS[kind][1])],
        }
        for kind in kinds
    ]


def _text(name: str, text: str) -> Json:
    return {"name": name, "type": "Microsoft.Common.TextBlock", "options": {"text": text}}
