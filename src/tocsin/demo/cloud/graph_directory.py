"""Microsoft Graph's directory in the simulated cloud: applications, service principals, grants."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tocsin.demo.cloud.directory import (
    Application,
    Directory,
    Grant,
    KeyCredential,
    ServicePrincipal,
    complete,
)
from tocsin.demo.cloud.errors import GraphError
from tocsin.demo.cloud.identity import TokenError
from tocsin.demo.cloud.reading import read_body
from tocsin.demo.cloud.state import CloudState

_APPLICATIONS, _PRINCIPALS = "/v1.0/applications", "/v1.0/servicePrincipals"


class PatchApplication(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """What may be changed of a registration."""

    display_name: str | None = None
    sign_in_audience: str | None = None
    tags: list[str] | None = None
    required_resource_access: list[dict[str, Any]] | None = None
    key_credentials: list[KeyCredential] | None = None


class NewPassword(msgspec.Struct, rename="camel"):
    display_name: str | None = None
    end_date_time: datetime | None = None


class AddPassword(msgspec.Struct, rename="camel"):
    password_credential: NewPassword


class RemovePassword(msgspec.Struct, rename="camel"):
    key_id: str


class NewPrincipal(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    app_id: str
    tags: list[str] = msgspec.field(default_factory=list[str])


class NewGrant(msgspec.Struct, rename="camel"):
    principal_id: str
    resource_id: str
    app_role_id: str


class GraphDirectoryService:
    """Source of the rules: Graph v1.0 reference of application, servicePrincipal, grants."""

    def __init__(self, state: CloudState) -> None:
        self._state = state
        self._directory: Directory = state.identity.directory

    def routes(self) -> list[Route]:
        named, one = f"{_APPLICATIONS}(uniqueName='{{name}}')", f"{_APPLICATIONS}/{{id}}"
        principal = f"{_PRINCIPALS}/{{id}}"
        grants = f"{principal}/appRoleAssignments"
        return [
            Route(named, self._get_named, methods=["GET"]),
            Route(named, self._upsert, methods=["PATCH"]),
            Route(one, self._patch, methods=["PATCH"]),
            Route(one, self._delete, methods=["DELETE"]),
            Route(one + "/addPassword", self._add_password, methods=["POST"]),
            Route(one + "/removePassword", self._remove_password, methods=["POST"]),
            Route(_PRINCIPALS, self._add_principal, methods=["POST"]),
            Route(f"{_PRINCIPALS}(appId='{{app}}')", self._get_principal, methods=["GET"]),
            Route(principal, self._delete_principal, methods=["DELETE"]),
            Route(grants, self._grants, methods=["GET"]),
            Route(grants, self._add_grant, methods=["POST"]),
            Route(grants + "/{grant}", self._delete_grant, methods=["DELETE"]),
        ]

    async def _get_named(self, request: Request) -> JSONResponse:
        self._enter(request, "Application.ReadWrite.All")
        found = self._directory.named(request.path_params["name"])
        if found is None or not self._directory.seen(found.id):
            raise _no_resource(request.path_params["name"])
        return JSONResponse(_shown(found, request))

    async def _upsert(self, request: Request) -> Response:
        self._enter(request, "Application.ReadWrite.All")
        body = await read_body(request, PatchApplication, _bad_request)
        name: str = request.path_params["name"]
        found = self._directory.named(name)
        if found is not None:
            _change(found, body)
            return Response(status_code=204)
        if request.headers.get("prefer") != "create-if-missing":
            raise _no_resource(name)
        if body.display_name is None:
            raise _bad_request("displayName is required.")
        made = self._directory.add_application(name, body.display_name)
        _change(made, body)
        return JSONResponse(_shown(made, request), 201)

    async def _patch(self, request: Request) -> Response:
        self._enter(request, "Application.ReadWrite.All")
        found = self._application(request)
        _change(found, await read_body(request, PatchApplication, _bad_request))
        return Response(status_code=204)

    async def _delete(self, request: Request) -> Response:
        self._enter(request, "Application.ReadWrite.All")
        self._directory.remove_application(self._application(request))
        return Response(status_code=204)

    async def _add_password(self, request: Request) -> JSONResponse:
        self._enter(request, "Application.ReadWrite.All")
        found = self._application(request)
        wish = (await read_body(request, AddPassword, _bad_request)).password_credential
        ends = wish.end_date_time or self._state.now() + timedelta(days=730)
        made = self._directory.new_password(found, wish.display_name, ends)
        return JSONResponse(msgspec.to_builtins(made))

    async def _remove_password(self, request: Request) -> Response:
        self._enter(request, "Application.ReadWrite.All")
        found = self._application(request)
        key_id = (await read_body(request, RemovePassword, _bad_request)).key_id
        kept = [p for p in found.password_credentials if p.key_id != key_id]
        if len(kept) == len(found.password_credentials):
            raise _bad_request(f"No password credential found with keyId '{key_id}'.")
        found.password_credentials = kept
        return Response(status_code=204)

    async def _add_principal(self, request: Request) -> JSONResponse:
        self._enter(request, "Application.ReadWrite.All")
        body = await read_body(request, NewPrincipal, _bad_request)
        backing = [a for a in self._directory.applications.values() if a.app_id == body.app_id]
        if not backing or not self._directory.seen(backing[0].id):
            raise GraphError(
                400,
                "Request_BadRequest",
                f"The appId '{body.app_id}' of the service principal does not reference a valid "
                "application object.",
            )
        if self._directory.principal_of(body.app_id) is not None:
            said = "The service principal cannot be created: its name is already in use."
            raise GraphError(409, "Request_MultipleObjectsWithSameKeyValue", said)
        made = self._directory.add_principal(body.app_id, backing[0].display_name)
        made.tags = body.tags
        return JSONResponse(msgspec.to_builtins(made), 201)

    async def _get_principal(self, request: Request) -> JSONResponse:
        self._enter(request, "Application.ReadWrite.All")
        found = self._directory.principal_of(request.path_params["app"])
        if found is None or not self._directory.seen(found.id):
            raise _no_resource(request.path_params["app"])
        return JSONResponse(msgspec.to_builtins(found))

    async def _delete_principal(self, request: Request) -> Response:
        self._enter(request, "Application.ReadWrite.All")
        self._directory.remove_principal(self._principal(request))
        return Response(status_code=204)

    async def _grants(self, request: Request) -> JSONResponse:
        self._enter(request, "AppRoleAssignment.ReadWrite.All")
        principal = self._principal(request)
        return JSONResponse({"value": msgspec.to_builtins(self._grants_of(principal))})

    async def _add_grant(self, request: Request) -> JSONResponse:
        self._enter(request, "AppRoleAssignment.ReadWrite.All")
        principal = self._principal(request)
        body = await read_body(request, NewGrant, _bad_request)
        known = {role.id for role in self._directory.graph.app_roles}
        if body.principal_id != principal.id or body.resource_id != self._directory.graph.id:
            raise _bad_request("principalId or resourceId does not fit.")
        if body.app_role_id not in known:
            raise _bad_request("Permission being assigned was not found on application.")
        if any(g.app_role_id == body.app_role_id for g in self._grants_of(principal)):
            raise _bad_request("Permission being assigned already exists on the object.")
        made = self._directory.add_grant(principal.id, body.app_role_id)
        return JSONResponse(msgspec.to_builtins(made), 201)

    async def _delete_grant(self, request: Request) -> Response:
        self._enter(request, "AppRoleAssignment.ReadWrite.All")
        if self._directory.grants.pop(request.path_params["grant"], None) is None:
            raise _no_resource(request.path_params["grant"])
        return Response(status_code=204)

    def _enter(self, request: Request, role: str) -> None:
        try:
            token = self._state.identity.admit(request.headers.get("authorization"), "graph")
        except TokenError as refused:
            said = f"The access token is {refused.why}."
            raise GraphError(401, "InvalidAuthenticationToken", said) from refused
        if role not in token.roles:
            said = "Insufficient privileges to complete the operation."
            raise GraphError(403, "Authorization_RequestDenied", said)

    def _application(self, request: Request) -> Application:
        found = self._directory.application(request.path_params["id"])
        if found is None:
            raise _no_resource(request.path_params["id"])
        return found

    def _principal(self, request: Request) -> ServicePrincipal:
        found = self._directory.principals.get(request.path_params["id"])
        if found is None or not self._directory.seen(found.id):
            raise _no_resource(request.path_params["id"])
        return found

    def _grants_of(self, principal: ServicePrincipal) -> list[Grant]:
        return [g for g in self._directory.grants.values() if g.principal_id == principal.id]


def _change(application: Application, body: PatchApplication) -> None:
    for name in ("display_name", "sign_in_audience", "tags", "required_resource_access"):
        value = getattr(body, name)
        if value is not None:
            setattr(application, name, value)
    if body.key_credentials is not None:
        if any(not key.key for key in body.key_credentials):
            raise _bad_request("The value of keyCredentials.key is missing.")
        application.key_credentials = [complete(key) for key in body.key_credentials]


def _shown(application: Application, request: Request) -> dict[str, Any]:
    """Keys are shown to those who select them, secrets to nobody."""
    body: dict[str, Any] = msgspec.to_builtins(application)
    selected = request.query_params.get("$select", "")
    if "keyCredentials" not in selected:
        for key in body["keyCredentials"]:
            key["key"] = None
    for password in body["passwordCredentials"]:
        password["secretText"] = None
    if selected:
        body = {name: body[name] for name in selected.split(",") if name in body}
    return body


def _bad_request(message: str) -> GraphError:
    return GraphError(400, "Request_BadRequest", message)


def _no_resource(name: str) -> GraphError:
    said = f"Resource '{name}' does not exist or one of its queried objects is not present."
    return GraphError(404, "Request_ResourceNotFound", said)
