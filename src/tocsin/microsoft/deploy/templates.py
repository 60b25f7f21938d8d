"""The bodies of the table, its rule, the Logic App and the rules that start it."""

from tocsin.microsoft.fields import Record
from tocsin.microsoft.table import stream, stream_columns, table_columns

STREAM = "Custom-Tocsin"


def table(name: str, mark: str) -> Record:
    """The custom table of events."""
    schema = {
        "name": name,
        "description": f"Events of Tocsin, {mark}",
        "columns": table_columns(),
    }
    return {"properties": {"schema": schema}}


def collection_rule(name: str, workspace: str, location: str, mark: str) -> Record:
    """The rule by which rows reach the table; kind Direct has an address of its own."""
    destination = {"workspaceResourceId": workspace, "name": "workspace"}
    flow = {
        "streams": [STREAM],
        "destinations": ["workspace"],
        "transformKql": "source",
        "outputStream": stream(name),
    }
    return {
        "location": location,
        "kind": "Direct",
        "tags": {"made-by": mark},
        "properties": {
            "streamDeclarations": {STREAM: {"columns": stream_columns()}},
            "destinations": {"logAnalytics": [destination]},
            "dataFlows": [flow],
        },
    }


def connection(location: str, subscription: str, mark: str) -> Record:
    """How the Logic App speaks to Sentinel: with its own managed identity."""
    return {
        "location": location,
        "tags": {"made-by": mark},
        "properties": {
            "displayName": "Tocsin push hint",
            "parameterValueType": "Alternative",
            "api": {"id": _api(location, subscription)},
        },
    }


def workflow(location: str, subscription: str, connection_id: str, mark: str, seal: str) -> Record:
    """The Logic App; the address that it calls is a secure parameter, and not in here."""
    name = connection_id.rpartition("/")[2]
    linked = {
        "connectionId": connection_id,
        "connectionName": name,
        "id": _api(location, subscription),
        "connectionProperties": {"authentication": {"type": "ManagedServiceIdentity"}},
    }
    return {
        "location": location,
        "identity": {"type": "SystemAssigned"},
        "tags": {"made-by": mark, "hint": seal},
        "properties": {
            "state": "Enabled",
            "definition": _definition(),
            "parameters": {"$connections": {"value": {"azuresentinel": linked}}},
        },
    }


def automation_rule(when: str, workflow_id: str, tenant_id: str, mark: str) -> Record:
    """Starts the Logic App for each incident that is `Created` or `Updated`."""
    playbook = {"logicAppResourceId": workflow_id, "tenantId": tenant_id}
    return {
        "properties": {
            "displayName": f"Tocsin push hint ({when.lower()}), {mark}",
            "order": 1000,
            "triggeringLogic": {
                "isEnabled": True,
                "triggersOn": "Incidents",
                "triggersWhen": when,
                "conditions": list[object](),
            },
            "actions": [{"order": 1, "actionType": "RunPlaybook", "actionConfiguration": playbook}],
        }
    }


def _api(location: str, subscription: str) -> str:
    place = f"/subscriptions/{subscription}/providers/Microsoft.Web/locations/{location}"
    return f"{place}/managedApis/azuresentinel"


def _definition() -> Record:
    host = {"connection": {"name": "@parameters('$connections')['azuresentinel']['connectionId']"}}
    trigger = {
        "type": "ApiConnectionWebhook",
        "inputs": {
            "host": host,
            "body": {"callback_url": "@listCallbackUrl()"},
            "path": "/incident-creation",
        },
    }
    post = {
        "type": "Http",
        "inputs": {"method": "POST", "uri": "@parameters('hintUrl')", "body": "@triggerBody()"},
        "runtimeConfiguration": {"secureData": {"properties": ["inputs"]}},
        "runAfter": dict[str, object](),
    }
    schema = "https://schema.management.azure.com/providers/Microsoft.Logic/schemas"
    return {
        "$schema": f"{schema}/2016-06-01/workflowdefinition.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {
            "$connections": {"type": "Object", "defaultValue": dict[str, object]()},
            "hintUrl": {"type": "SecureString"},
        },
        "triggers": {"Microsoft_Sentinel_incident": trigger},
        "actions": {"Tell_Tocsin": post},
    }
