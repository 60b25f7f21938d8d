"""The objects of a deployment in Azure: roles, table, push hint."""

from collections.abc import Iterator
from uuid import UUID, uuid5

from tocsin.microsoft.deploy import templates
from tocsin.microsoft.deploy.model import Kind, Known, Wanted
from tocsin.microsoft.deploy.wish import Role, Wish

RESPONDER = "3e150937-b8fe-4cfb-8069-0eaf05ecd056"
READER = "8d289c81-5878-46d4-8554-54e1e3d8b5cb"
AUTOMATION_CONTRIBUTOR = "f4c81013-99ee-4d62-a7ee-b3f1f648599a"
METRICS_PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb"

_NAMES = UUID("5a3f6f0c-6b0c-5b0e-9a53-0d7a3c1c8e21")
_ASSIGN = "Owner, User Access Administrator or Role Based Access Control Administrator on it"
_MAKE = "Contributor on the resource group"
_QUERIES = (
    "Microsoft.OperationalInsights/workspaces/read",
    "Microsoft.OperationalInsights/workspaces/query/read",
    "Microsoft.OperationalInsights/workspaces/query/*/read",
)
_INCIDENTS = (
    "Microsoft.SecurityInsights/incidents/read",
    "Microsoft.SecurityInsights/incidents/write",
    "Microsoft.SecurityInsights/incidents/comments/read",
    "Microsoft.SecurityInsights/incidents/comments/write",
    "Microsoft.SecurityInsights/incidents/alerts/action",
    "Microsoft.SecurityInsights/incidents/entities/action",
)


def placed(wish: Wish, known: Known) -> Iterator[Wanted]:
    """Roles, table and push hint, as far as they are wished for."""
    role, title = RESPONDER, "Microsoft Sentinel Responder"
    if wish.role is not Role.RESPONDER:
        definition = _definition(wish)
        role, title = definition.path.rpartition("/")[2], f"Tocsin {wish.role} ({wish.name})"
        yield definition
    writes = "" if wish.role is Role.QUERY_ONLY else "to read and write incidents, and "
    yield _assignment(
        wish,
        wish.workspace,
        role,
        known.principal_id,
        f"role {title} on the workspace {wish.workspace_name}",
        f"{writes}to run the searches behind alerts",
    )
    if wish.table:
        yield from _table(wish, known)
    if wish.hint_seal:
        yield from _hint(wish, known)


def _definition(wish: Wish) -> Wanted:
    actions = _QUERIES if wish.role is Role.QUERY_ONLY else (*_INCIDENTS, *_QUERIES)
    guid = uuid5(_NAMES, f"{wish.workspace}|{wish.role}|{wish.name}".lower())
    return Wanted(
        kind=Kind.RESOURCE,
        title=f"custom role Tocsin {wish.role} ({wish.name})",
        why=f"it holds {len(actions)} actions, which is less than any built-in role",
        needs="Owner or User Access Administrator on the resource group",
        path=f"{wish.group}/providers/Microsoft.Authorization/roleDefinitions/{guid}",
        version="2022-04-01",
        body={
            "properties": {
                "roleName": f"Tocsin {wish.role} ({wish.name})",
                "description": f"For Tocsin, {wish.mark}",
                "type": "CustomRole",
                "permissions": [{"actions": list(actions), "notActions": list[str]()}],
                "assignableScopes": [wish.group],
            }
        },
        mark=("properties", "description"),
    )


def _assignment(wish: Wish, scope: str, role: str, principal: str, title: str, why: str) -> Wanted:
    """Its name follows from what it says, so that it is found again and never made twice."""
    guid = uuid5(_NAMES, f"{scope}|{role}|{principal}".lower())
    path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{guid}"
    roles = f"/subscriptions/{wish.subscription_id}/providers/Microsoft.Authorization"
    return Wanted(
        kind=Kind.RESOURCE,
        title=title,
        why=why,
        needs=_ASSIGN,
        path=path if principal and scope else "",
        version="2022-04-01",
        body={
            "properties": {
                "principalId": principal,
                "principalType": "ServicePrincipal",
                "roleDefinitionId": f"{roles}/roleDefinitions/{role}",
                "description": wish.mark,
            }
        },
        mark=("properties", "description"),
    )


def _table(wish: Wish, known: Known) -> Iterator[Wanted]:
    rule = f"{wish.group}/providers/Microsoft.Insights/dataCollectionRules/dcr-{wish.name}"
    yield Wanted(
        kind=Kind.RESOURCE,
        title=f"custom table {wish.table}",
        why="each event of an alert becomes a row, for queries and workbooks",
        needs="Log Analytics Contributor on the workspace",
        path=f"{wish.workspace}/tables/{wish.table}",
        version="2025-07-01",
        body=templates.table(wish.table, wish.mark),
        mark=("properties", "schema", "description"),
    )
    yield Wanted(
        kind=Kind.RESOURCE,
        title=f"data collection rule dcr-{wish.name}",
        why="rows reach the table through it; it has an address of its own",
        needs="Monitoring Contributor on the resource group",
        path=rule,
        version="2024-03-11",
        body=templates.collection_rule(wish.table, wish.workspace, known.location, wish.mark),
        mark=("tags", "made-by"),
        learns={
            "endpoint": ("properties", "endpoints", "logsIngestion"),
            "rule_id": ("properties", "immutableId"),
        },
    )
    yield _assignment(
        wish,
        rule,
        METRICS_PUBLISHER,
        known.principal_id,
        f"role Monitoring Metrics Publisher on dcr-{wish.name}",
        "to write rows into this table and nowhere else",
    )


def _hint(wish: Wish, known: Known) -> Iterator[Wanted]:
    connection = f"{wish.group}/providers/Microsoft.Web/connections/tocsin-hint-{wish.name}"
    workflow = f"{wish.group}/providers/Microsoft.Logic/workflows/tocsin-hint-{wish.name}"
    place, subscription, mark = known.location, wish.subscription_id, wish.mark
    yield Wanted(
        kind=Kind.RESOURCE,
        title=f"API connection tocsin-hint-{wish.name}",
        why="the Logic App hears from Sentinel through it",
        needs=_MAKE,
        path=connection,
        version="2016-06-01",
        body=templates.connection(place, subscription, mark),
        mark=("tags", "made-by"),
    )
    yield Wanted(
        kind=Kind.RESOURCE,
        title=f"Logic App tocsin-hint-{wish.name}",
        why="it tells Tocsin that an incident is new or changed, so that nobody waits for a poll",
        needs=_MAKE,
        path=workflow,
        version="2019-05-01",
        body=templates.workflow(place, subscription, connection, mark, wish.hint_seal),
        mark=("tags", "made-by"),
        learns={"workflow_identity": ("identity", "principalId")},
    )
    yield from _hint_roles(wish, known)
    yield from _hint_rules(wish, workflow)


def _hint_roles(wish: Wish, known: Known) -> Iterator[Wanted]:
    yield _assignment(
        wish,
        wish.workspace,
        READER,
        known.workflow_identity,
        "role Microsoft Sentinel Reader on the workspace for the Logic App",
        "its trigger reads the incident",
    )
    yield _assignment(
        wish,
        wish.group,
        AUTOMATION_CONTRIBUTOR,
        known.insights_id,
        "role Microsoft Sentinel Automation Contributor on the resource group for Sentinel itself",
        "Sentinel may start the Logic App",
    )


def _hint_rules(wish: Wish, workflow: str) -> Iterator[Wanted]:
    for when in ("Created", "Updated"):
        guid = uuid5(_NAMES, f"{wish.workspace}|{when}|{wish.name}".lower())
        rules = "providers/Microsoft.SecurityInsights/automationRules"
        yield Wanted(
            kind=Kind.RESOURCE,
            title=f"automation rule for incidents that are {when.lower()}",
            why="it starts the Logic App",
            needs="Microsoft Sentinel Contributor on the workspace",
            path=f"{wish.workspace}/{rules}/{guid}",
            version="2025-09-01",
            body=templates.automation_rule(when, workflow, wish.tenant_id, wish.mark),
            mark=("properties", "displayName"),
        )
