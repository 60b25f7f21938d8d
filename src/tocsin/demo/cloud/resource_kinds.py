"""The kinds of Azure resources that the simulated cloud lets an operator make, with their rules."""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from tocsin.demo.cloud.azure_roles import BUILT_IN
from tocsin.demo.cloud.directory import Assignment
from tocsin.demo.cloud.errors import ArmError
from tocsin.demo.cloud.state import CloudState

Body = dict[str, Any]
Stored = Mapping[str, Body]
AUTOMATION_CONTRIBUTOR = "f4c81013-99ee-4d62-a7ee-b3f1f648599a"

_RESERVED = {"id", "tenantid", "type", "title", "uniqueid", "_resourceid", "_subscriptionid"}
_IMMUTABLE = "dcr-"


@dataclass(frozen=True, slots=True)
class Making:
    """One PUT: where, what, beside what else. `address` is the id that was asked for."""

    state: CloudState
    stored: Stored
    address: str
    name: str
    body: Body
    base_url: str

    @property
    def properties(self) -> Body:
        """Refused when they are missing."""
        found = self.body.get("properties")
        if not isinstance(found, dict):
            raise bad("MissingProperties", "properties is missing.")
        return cast("Body", found)


@dataclass(frozen=True, slots=True)
class Kind:
    """`pattern` ends the id; `settle` checks a body and adds what the service adds."""

    pattern: re.Pattern[str]
    type: str
    settle: Callable[[Making], None]


def bad(code: str, message: str, status: int = 400) -> ArmError:
    """A refusal of a body."""
    return ArmError(status, code, message)


def _table(making: Making) -> None:
    schema = _part(making.properties, "schema")
    if not making.name.endswith("_CL") or schema.get("name") != making.name:
        raise bad("InvalidParameter", "The table's name ends in _CL and is that of its schema.")
    names = {str(column["name"]): column["type"] for column in schema.get("columns", [])}
    if str(names.get("TimeGenerated", "")).lower() != "datetime":
        raise bad("InvalidParameter", "The column TimeGenerated (datetime) is missing.")
    if wrong := [name for name in names if name.lower() in _RESERVED]:
        raise bad("InvalidParameter", f"The column name {wrong[0]} is reserved.")
    making.properties["provisioningState"] = "InProgress"


def _rule(making: Making) -> None:
    _located(making)
    if making.body.get("kind") != "Direct":
        raise bad("InvalidKind", "A rule without kind Direct needs a collection endpoint.")
    for flow in making.properties.get("dataFlows", []):
        table = str(flow["outputStream"]).removeprefix("Custom-").lower()
        held = next((b for a, b in making.stored.items() if a.endswith(f"/tables/{table}")), None)
        if held is None or held["properties"]["provisioningState"] != "Succeeded":
            raise bad("InvalidOutputTable", f"Table for output stream '{table}' is not available.")
    before = making.stored.get(making.address.lower(), {}).get("properties", {})
    made = f"{_IMMUTABLE}{uuid.uuid4().hex}"
    making.properties["immutableId"] = before.get("immutableId", made)
    making.properties["endpoints"] = {"logsIngestion": making.base_url}


def _assignment(making: Making) -> None:
    wished, directory = making.properties, making.state.identity.directory
    _guid(making.name)
    principal = str(wished.get("principalId"))
    role = str(wished.get("roleDefinitionId")).rpartition("/")[2].lower()
    scope = making.address.partition("/providers/Microsoft.Authorization/")[0]
    same = Assignment(principal, role, scope, making.state.now())
    if principal not in directory.principals or not directory.seen(principal):
        raise bad("PrincipalNotFound", f"Principal {principal} does not exist in the directory.")
    if role not in BUILT_IN and not any(
        a.endswith(f"/roledefinitions/{role}") for a in making.stored
    ):
        raise bad("RoleDefinitionDoesNotExist", f"There is no role {role}.", 404)
    for held in directory.assignments.values():
        if (held.principal_id, held.role, held.scope.lower()) == (principal, role, scope.lower()):
            raise bad("RoleAssignmentExists", "The role assignment already exists.", 409)
    wished["scope"] = scope
    directory.assignments[making.address.lower()] = same


def _definition(making: Making) -> None:
    _guid(making.name)
    if not making.properties.get("assignableScopes") or not making.properties.get("roleName"):
        raise bad("RoleDefinitionInvalid", "roleName and assignableScopes are needed.")
    allowed = [str(a) for p in making.properties.get("permissions", []) for a in p["actions"]]
    making.state.identity.directory.custom_roles[making.name.lower()] = tuple(allowed)


def _workflow(making: Making) -> None:
    _located(making)
    before = making.stored.get(making.address.lower(), {}).get("identity", {})
    if _part(making.body, "identity").get("type") == "SystemAssigned":
        principal = before.get("principalId")
        if principal is None:
            directory = making.state.identity.directory
            principal = directory.add_principal(str(uuid.uuid4()), making.name).id
        making.body["identity"]["principalId"] = principal
    secret = _part(_part(making.properties, "definition"), "parameters")
    for name, value in _part(making.properties, "parameters").items():
        if str(secret.get(name, {}).get("type", "")).lower() == "securestring":
            value.pop("value", None)


def _automation(making: Making) -> None:
    roles = making.state.identity.directory
    for action in making.properties.get("actions", []):
        playbook = str(action["actionConfiguration"]["logicAppResourceId"])
        if playbook.lower() not in making.stored:
            raise bad("PlaybookNotFound", f"There is no playbook {playbook}.")
        if AUTOMATION_CONTRIBUTOR not in roles.azure_roles(roles.insights.app_id, playbook):
            raise bad("MissingPermissions", "Sentinel may not run playbooks of this group.")
    for key in ("displayName", "order", "triggeringLogic", "actions"):
        if key not in making.properties:
            raise bad("InvalidParameter", f"{key} is missing.")


def _part(body: Body, name: str) -> Body:
    found = body.get(name)
    return cast("Body", found) if isinstance(found, dict) else {}


def _located(making: Making) -> None:
    if not making.body.get("location"):
        raise bad("LocationRequired", "location is missing.")


def _guid(name: str) -> None:
    try:
        uuid.UUID(name)
    except ValueError as error:
        raise bad("InvalidName", f"'{name}' is no GUID.") from error


def _kind(pattern: str, type_: str, settle: Callable[[Making], None]) -> Kind:
    return Kind(re.compile(pattern, re.IGNORECASE), type_, settle)


KINDS = (
    _kind(r"/workspaces/[^/]+/tables/[^/]+", "Microsoft.OperationalInsights/tables", _table),
    _kind(
        r"/Microsoft\.Insights/dataCollectionRules/[^/]+",
        "Microsoft.Insights/dataCollectionRules",
        _rule,
    ),
    _kind(
        r"/Microsoft\.Authorization/roleAssignments/[^/]+",
        "Microsoft.Authorization/roleAssignments",
        _assignment,
    ),
    _kind(
        r"/Microsoft\.Authorization/roleDefinitions/[^/]+",
        "Microsoft.Authorization/roleDefinitions",
        _definition,
    ),
    _kind(r"/Microsoft\.Web/connections/[^/]+", "Microsoft.Web/connections", _located),
    _kind(r"/Microsoft\.Logic/workflows/[^/]+", "Microsoft.Logic/workflows", _workflow),
    _kind(
        r"/Microsoft\.SecurityInsights/automationRules/[^/]+",
        "Microsoft.SecurityInsights/AutomationRules",
        _automation,
    ),
)
