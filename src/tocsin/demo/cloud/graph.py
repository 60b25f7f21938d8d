"""The Graph security API of the simulated cloud: alerts_v2 and incidents."""

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tocsin.demo.cloud.errors import GraphError
from tocsin.demo.cloud.graph_lists import (
    ALERT_FIELDS,
    INCIDENT_FIELDS,
    bad_request,
    check_options,
    page_of,
    select,
)
from tocsin.demo.cloud.graph_shape import (
    PatchAlert,
    PatchIncident,
    PostComment,
    alert_json,
    apply_patch,
    comments_json,
    incident_json,
)
from tocsin.demo.cloud.identity import Refusal, TokenError
from tocsin.demo.cloud.reading import read_body
from tocsin.demo.cloud.records import GraphAlert, GraphIncident
from tocsin.demo.cloud.state import CloudState

_READ_INCIDENTS = ("SecurityIncident.Read.All", "SecurityIncident.ReadWrite.All")
# The service accepts the incident roles for reading alerts too (wazuh-documentation issue 7300).
_READ_ALERTS = ("SecurityAlert.Read.All", "SecurityAlert.ReadWrite.All", *_READ_INCIDENTS)
_WRITE_ALERTS = ("SecurityAlert.ReadWrite.All",)
_WRITE_INCIDENTS = ("SecurityIncident.ReadWrite.All",)

_TOKEN_FAULTS: dict[Refusal, str] = {
    "missing": "The request carries no access token.",
    "unknown": "The access token is not valid.",
    "audience": "The access token was issued for another audience.",
    "expired": "The access token's lifetime is over.",
}


class GraphService:
    """Source of the rules: Graph v1.0 reference of security alerts and incidents."""

    def __init__(self, state: CloudState) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        alerts, incidents = "/v1.0/security/alerts_v2", "/v1.0/security/incidents"
        return [
            Route(alerts, self._list_alerts, methods=["GET"]),
            Route(alerts + "/{id}", self._get_alert, methods=["GET"]),
            Route(alerts + "/{id}", self._patch_alert, methods=["PATCH"]),
            Route(alerts + "/{id}/comments", self._comment_alert, methods=["POST"]),
            Route(incidents, self._list_incidents, methods=["GET"]),
            Route(incidents + "/{id}", self._get_incident, methods=["GET"]),
            Route(incidents + "/{id}", self._patch_incident, methods=["PATCH"]),
            Route(incidents + "/{id}/comments", self._comment_incident, methods=["POST"]),
            Route(incidents + "/{id}/alerts", self._alerts_of_incident, methods=["GET"]),
        ]

    async def _list_alerts(self, request: Request) -> JSONResponse:
        self._enter(request, _READ_ALERTS)
        check_options(request)
        found = select(request, self._state.graph_alerts.values(), ALERT_FIELDS)
        page, around = page_of(request, found, self._state.page_caps["alerts_v2"])
        shown = [self._alert_json(request, alert) for alert in page]
        return JSONResponse({**_context(request, "alerts_v2"), **around, "value": shown})

    async def _get_alert(self, request: Request) -> JSONResponse:
        self._enter(request, _READ_ALERTS)
        return self._answer_alert(request, self._alert(request))

    async def _patch_alert(self, request: Request) -> JSONResponse:
        self._enter(request, _WRITE_ALERTS)
        alert = self._alert(request)
        apply_patch(alert, await read_body(request, PatchAlert, bad_request))
        self._state.touched_alert(alert)
        return self._answer_alert(request, alert)

    async def _comment_alert(self, request: Request) -> JSONResponse:
        """The answer is 200 with all comments, not 201."""
        self._enter(request, _WRITE_ALERTS)
        alert = self._alert(request)
        message = (await read_body(request, PostComment, bad_request)).comment
        self._state.comment_alert(alert, message, self._state.application())
        context = _context(request, f"alerts_v2('{alert.id}')/comments")
        return JSONResponse({**context, "value": comments_json(alert.comments)})

    async def _list_incidents(self, request: Request) -> JSONResponse:
        self._enter(request, _READ_INCIDENTS)
        check_options(request, "$expand")
        expand = _expands_alerts(request)
        found = select(request, self._state.graph_incidents.values(), INCIDENT_FIELDS)
        page, around = page_of(request, found, self._state.page_caps["incidents"])
        shown = [self._incident_json(request, incident, expand=expand) for incident in page]
        return JSONResponse({**_context(request, "incidents"), **around, "value": shown})

    async def _get_incident(self, request: Request) -> JSONResponse:
        self._enter(request, _READ_INCIDENTS)
        incident = self._incident(request)
        return self._answer_incident(request, incident, expand=_expands_alerts(request))

    async def _patch_incident(self, request: Request) -> JSONResponse:
        self._enter(request, _WRITE_INCIDENTS)
        incident = self._incident(request)
        patch = await read_body(request, PatchIncident, bad_request)
        apply_patch(incident, patch)
        if patch.custom_tags is not msgspec.UNSET:
            incident.custom_tags = list(patch.custom_tags)
        self._state.touched_graph(incident, self._state.identity.display_name)
        return self._answer_incident(request, incident, expand=False)

    async def _comment_incident(self, request: Request) -> JSONResponse:
        """The answer is 200 with all comments, not 201."""
        self._enter(request, _WRITE_INCIDENTS)
        incident = self._incident(request)
        message = (await read_body(request, PostComment, bad_request)).comment
        self._state.comment_graph(incident, message, self._state.application())
        context = _context(request, f"incidents('{incident.id}')/comments")
        return JSONResponse({**context, "value": comments_json(incident.comments)})

    async def _alerts_of_incident(self, request: Request) -> JSONResponse:
        self._enter(request, _READ_ALERTS)
        incident = self._incident(request)
        shown = [self._alert_json(request, a) for a in self._state.alerts_of(incident)]
        context = _context(request, f"incidents('{incident.id}')/alerts")
        return JSONResponse({**context, "value": shown})

    def _enter(self, request: Request, accepted: tuple[str, ...]) -> None:
        """GraphError 401 for the token, 403 that names the roles of which one is needed."""
        try:
            token = self._state.identity.admit(request.headers.get("authorization"), "graph")
        except TokenError as refused:
            message = _TOKEN_FAULTS[refused.why]
            challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            raise GraphError(401, "InvalidAuthenticationToken", message, challenge) from refused
        if not token.roles.intersection(accepted):
            raise GraphError(
                403,
                "Forbidden",
                f"Missing application roles. API required roles: {','.join(accepted)}, "
                f"application roles: {','.join(sorted(token.roles))}.",
            )

    def _alert(self, request: Request) -> GraphAlert:
        alert_id: str = request.path_params["id"]
        alert = self._state.graph_alerts.get(alert_id)
        if alert is None:
            raise GraphError(404, "NotFound", f"There is no alert '{alert_id}'.")
        return alert

    def _incident(self, request: Request) -> GraphIncident:
        incident_id: str = request.path_params["id"]
        incident = self._state.graph_incidents.get(incident_id)
        if incident is None:
            raise GraphError(404, "NotFound", f"There is no incident '{incident_id}'.")
        return incident

    def _alert_json(self, request: Request, alert: GraphAlert) -> dict[str, object]:
        tenant = self._state.identity.tenant_id
        return alert_json(alert, tenant, all_members=_wants_all_members(request))

    def _incident_json(
        self, request: Request, incident: GraphIncident, *, expand: bool
    ) -> dict[str, object]:
        tenant = self._state.identity.tenant_id
        shown = incident_json(incident, tenant, all_members=_wants_all_members(request))
        if expand:
            alerts = self._state.alerts_of(incident)
            shown["alerts"] = [self._alert_json(request, alert) for alert in alerts]
        return shown

    def _answer_alert(self, request: Request, alert: GraphAlert) -> JSONResponse:
        context = _context(request, "alerts_v2/$entity")
        return JSONResponse({**context, **self._alert_json(request, alert)})

    def _answer_incident(
        self, request: Request, incident: GraphIncident, *, expand: bool
    ) -> JSONResponse:
        context = _context(request, "incidents/$entity")
        return JSONResponse({**context, **self._incident_json(request, incident, expand=expand)})


def _context(request: Request, what: str) -> dict[str, object]:
    base = f"https://{request.headers['host']}/v1.0"
    return {"@odata.context": f"{base}/$metadata#security/{what}"}


def _expands_alerts(request: Request) -> bool:
    expand = request.query_params.get("$expand")
    if expand not in (None, "alerts"):
        raise bad_request(f"'{expand}' cannot be expanded.")
    return expand is not None


def _wants_all_members(request: Request) -> bool:
    wishes = ",".join(request.headers.getlist("prefer")).split(",")
    return any(wish.strip().lower() == "include-unknown-enum-members" for wish in wishes)
