"""Azure Resource Manager in the simulated cloud: resources are made, read, removed by their id."""

import re
from copy import deepcopy
from datetime import datetime
from typing import cast

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tocsin.demo.cloud.azure_roles import require_action
from tocsin.demo.cloud.errors import ArmError
from tocsin.demo.cloud.resource_kinds import KINDS, Body, Kind, Making, bad
from tocsin.demo.cloud.state import CloudState

_VERSION = re.compile(r"\d{4}-\d\d-\d\d(-preview)?")
_ACTIONS = {"GET": "read", "PUT": "write", "DELETE": "delete"}


class ResourceService:
    """Source of the rules: ARM's common API, and each provider's reference.

    `CloudState.resources` holds them by their id in lower case; a table is ready
    `CloudState.table_lag` after it was made.
    """

    def __init__(self, state: CloudState) -> None:
        self._state = state
        self._ready: dict[str, datetime] = {}

    def routes(self) -> list[Route]:
        """Everything below a subscription that no other service takes."""
        address = "/subscriptions/{subscription}/resourceGroups/{rest:path}"
        wide = "/subscriptions/{subscription}/providers/{rest:path}"
        methods = ["GET", "PUT", "DELETE"]
        return [
            Route(address, self._answer, methods=methods),
            Route(wide, self._answer, methods=methods),
        ]

    async def _answer(self, request: Request) -> Response:
        address = request.url.path
        kind = next((k for k in KINDS if k.pattern.search(address) and _ends(k, address)), None)
        workspace = self._state.workspace_path
        name = kind.type if kind else "Microsoft.OperationalInsights/workspaces"
        scope = address.partition("/providers/Microsoft.Authorization/")[0]
        identity = self._state.identity
        require_action(identity, request, f"{name}/{_ACTIONS[request.method]}", scope)
        if not _VERSION.fullmatch(request.query_params.get("api-version", "")):
            raise bad("MissingApiVersionParameter", "api-version is missing or no date.")
        self._check_place(address)
        if kind is None:
            if address.lower() != workspace.lower() or request.method != "GET":
                raise ArmError(404, "ResourceNotFound", f"There is no resource '{address}'.")
            return JSONResponse(self._workspace())
        self._settle_tables()
        if request.method == "GET":
            return JSONResponse(self._held(address))
        if request.method == "DELETE":
            return self._delete(address)
        return await self._put(request, kind, address)

    def _check_place(self, address: str) -> None:
        state, parts = self._state, address.split("/")
        if parts[2].lower() != state.subscription_id.lower():
            raise ArmError(404, "SubscriptionNotFound", f"There is no subscription '{parts[2]}'.")
        if (
            parts[3].lower() == "resourcegroups"
            and parts[4].lower() != state.resource_group.lower()
        ):
            raise ArmError(404, "ResourceGroupNotFound", f"There is no group '{parts[4]}'.")
        inside = re.search(r"/workspaces/([^/]+)", address, re.IGNORECASE)
        if inside and inside[1].lower() != state.workspace_name.lower():
            raise ArmError(404, "ResourceNotFound", f"There is no workspace '{inside[1]}'.")

    def _workspace(self) -> Body:
        state = self._state
        return {
            "id": state.workspace_path,
            "name": state.workspace_name,
            "location": "westeurope",
            "type": "Microsoft.OperationalInsights/workspaces",
            "properties": {"customerId": state.workspace_id, "provisioningState": "Succeeded"},
        }

    def _held(self, address: str) -> Body:
        found = self._state.resources.get(address.lower())
        if found is None:
            raise ArmError(404, "ResourceNotFound", f"There is no resource '{address}'.")
        return found

    async def _put(self, request: Request, kind: Kind, address: str) -> JSONResponse:
        try:
            body: object = msgspec.json.decode(await request.body())
        except msgspec.MsgspecError as error:
            raise bad("InvalidRequestContent", str(error)) from error
        if not isinstance(body, dict):
            raise bad("InvalidRequestContent", "The body is no object.")
        stored = self._state.resources
        base_url = f"https://{request.headers['host']}"
        name = address.rpartition("/")[2]
        whole = deepcopy(cast("Body", body))
        kind.settle(Making(self._state, stored, address, name, whole, base_url))
        known = address.lower() in stored
        stored[address.lower()] = {**whole, "id": address, "name": name, "type": kind.type}
        if kind.type.endswith("/tables"):
            self._ready[address.lower()] = self._state.now() + self._state.table_lag
            return JSONResponse(stored[address.lower()], 202)
        return JSONResponse(stored[address.lower()], 200 if known else 201)

    def _delete(self, address: str) -> Response:
        folded = address.lower()
        if folded not in self._state.resources:
            return Response(status_code=204)
        assignments = self._state.identity.directory.assignments
        role = folded.rpartition("/roledefinitions/")
        if role[1] and any(held.role == role[2] for held in assignments.values()):
            raise bad("RoleDefinitionHasAssignments", "There are assignments of this role.")
        del self._state.resources[folded]
        assignments.pop(folded, None)
        return Response(status_code=200)

    def _settle_tables(self) -> None:
        for address, moment in self._ready.items():
            held = self._state.resources.get(address)
            if held is not None and moment <= self._state.now():
                held["properties"]["provisioningState"] = "Succeeded"


def _ends(kind: Kind, address: str) -> bool:
    return any(match.end() == len(address) for match in kind.pattern.finditer(address))
