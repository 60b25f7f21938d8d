"""The Sentinel incidents API of the simulated cloud (Microsoft.SecurityInsights)."""

import re
import uuid
from collections import Counter

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tocsin.demo.cloud.azure_roles import require_action
from tocsin.demo.cloud.errors import ArmError
from tocsin.demo.cloud.reading import read_body
from tocsin.demo.cloud.records import Owner, SentinelComment, SentinelIncident
from tocsin.demo.cloud.sentinel_lists import page_of, select
from tocsin.demo.cloud.sentinel_shape import (
    PutComment,
    PutIncident,
    PutOwner,
    PutProperties,
    alert_json,
    bad_request,
    check_incident,
    comment_json,
    entity_json,
    incident_json,
)
from tocsin.demo.cloud.state import CloudState

_LONGEST_COMMENT = 30_000
_MOST_COMMENTS = 100


class SentinelService:
    """Source of the rules: REST reference 2025-09-01 and the service limits of Sentinel."""

    def __init__(self, state: CloudState) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        incidents = (
            "/subscriptions/{subscription}/resourceGroups/{group}"
            "/providers/Microsoft.OperationalInsights/workspaces/{workspace}"
            "/providers/Microsoft.SecurityInsights/incidents"
        )
        one = incidents + "/{incident}"
        return [
            Route(incidents, self._list, methods=["GET"]),
            Route(incidents, self._no_id, methods=["PUT"]),
            Route(one, self._get, methods=["GET"]),
            Route(one, self._put, methods=["PUT"]),
            Route(one + "/alerts", self._alerts, methods=["POST"]),
            Route(one + "/entities", self._entities, methods=["POST"]),
            Route(one + "/comments", self._comments, methods=["GET"]),
            Route(one + "/comments/{comment}", self._get_comment, methods=["GET"]),
            Route(one + "/comments/{comment}", self._put_comment, methods=["PUT"]),
        ]

    async def _list(self, request: Request) -> JSONResponse:
        workspace = self._enter(request, "incidents/read")
        found = select(
            self._state.sentinel_incidents.values(),
            request.query_params.get("$filter"),
            request.query_params.get("$orderby"),
        )
        page, next_link = page_of(request, found)
        shown = [self._shown(incident, workspace) for incident in page]
        return JSONResponse({"value": shown, **next_link})

    async def _no_id(self, request: Request) -> JSONResponse:
        raise ArmError(
            405,
            "UnsupportedApiVersion",
            f"PUT is not supported for '{request.url.path}': the incident's id is missing.",
        )

    async def _get(self, request: Request) -> JSONResponse:
        workspace = self._enter(request, "incidents/read")
        return JSONResponse(self._shown(self._incident(request), workspace))

    async def _put(self, request: Request) -> JSONResponse:
        workspace = self._enter(request, "incidents/write")
        body = await read_body(request, PutIncident, bad_request)
        check_incident(body.properties)
        incident_id: str = request.path_params["incident"]
        incident = self._state.sentinel_incidents.get(incident_id.lower())
        created = incident is None
        if incident is None:
            put = body.properties
            incident = self._state.new_sentinel_incident(
                incident_id, put.title, put.severity, put.status, self._state.now()
            )
        elif body.etag is not None and body.etag != incident.etag:
            raise ArmError(
                409, "Conflict", f"'{incident.id}' was changed since it was read; nothing is saved."
            )
        self._store(incident, body.properties)
        return JSONResponse(self._shown(incident, workspace), 201 if created else 200)

    async def _alerts(self, request: Request) -> JSONResponse:
        workspace = self._enter(request, "incidents/alerts/action")
        alerts = self._incident(request).alerts
        shown = [alert_json(alert, workspace, self._state.workspace_id) for alert in alerts]
        return JSONResponse({"value": shown})

    async def _entities(self, request: Request) -> JSONResponse:
        workspace = self._enter(request, "incidents/entities/action")
        entities = self._incident(request).entities
        kinds = Counter(entity.kind for entity in entities)
        return JSONResponse(
            {
                "entities": [entity_json(entity, workspace) for entity in entities],
                "metaData": [{"entityKind": kind, "count": n} for kind, n in kinds.items()],
            }
        )

    async def _comments(self, request: Request) -> JSONResponse:
        path = self._incident_path(request, "incidents/comments/read")
        newest_first = self._incident(request).comments[::-1]
        page, next_link = page_of(request, newest_first)
        return JSONResponse({"value": [comment_json(c, path) for c in page], **next_link})

    async def _get_comment(self, request: Request) -> JSONResponse:
        path = self._incident_path(request, "incidents/comments/read")
        comment = _comment(self._incident(request), request.path_params["comment"])
        if comment is None:
            raise _not_found(f"comment '{request.path_params['comment']}'")
        return JSONResponse(comment_json(comment, path))

    async def _put_comment(self, request: Request) -> JSONResponse:
        """The client chooses the id: the same PUT once more changes nothing and answers 200."""
        path = self._incident_path(request, "incidents/comments/write")
        incident = self._incident(request)
        comment_id = _guid(request.path_params["comment"])
        message = (await read_body(request, PutComment, bad_request)).properties.message
        if not message or len(message) > _LONGEST_COMMENT:
            raise bad_request(f"A comment has 1 to {_LONGEST_COMMENT} characters.")
        comment = _comment(incident, comment_id)
        if comment is None:
            if len(incident.comments) >= _MOST_COMMENTS:
                raise bad_request(f"An incident has at most {_MOST_COMMENTS} comments.")
            author = self._state.application()
            comment = self._state.comment_sentinel(incident, comment_id, message, author)
            return JSONResponse(comment_json(comment, path), 201)
        if comment.message != message:
            if incident.graph_id is not None:
                raise bad_request("Comments of an onboarded workspace cannot be edited.")
            comment.message = message
            comment.modified = self._state.now()
            self._state.touched_sentinel(incident)
        return JSONResponse(comment_json(comment, path))

    def _store(self, incident: SentinelIncident, put: PutProperties) -> None:
        """The whole of what was sent: a property that was left out is gone afterwards."""
        incident.title = put.title
        incident.description = put.description or ""
        incident.severity = put.severity
        incident.status = put.status
        incident.owner = self._owner(put.owner)
        incident.labels = {label.label_name: label.label_type for label in put.labels or []}
        incident.classification = put.classification
        incident.classification_reason = put.classification_reason
        incident.classification_comment = put.classification_comment
        incident.first_activity = put.first_activity_time_utc
        incident.last_activity = put.last_activity_time_utc
        self._state.touched_sentinel(incident)

    def _owner(self, put: PutOwner | None) -> Owner | None:
        """An account of the directory is completed; an owner whose parts are null is none."""
        if put is None:
            return None
        names = (put.object_id, put.user_principal_name, put.email, put.assigned_to)
        if not any(names):
            return None
        known = self._state.known_person(*names)
        return known or Owner(
            put.object_id, put.email, put.assigned_to, put.user_principal_name, put.owner_type
        )

    def _shown(self, incident: SentinelIncident, workspace: str) -> dict[str, object]:
        return incident_json(incident, workspace, self._state.identity.tenant_id)

    def _incident(self, request: Request) -> SentinelIncident:
        incident_id: str = request.path_params["incident"]
        incident = self._state.sentinel_incidents.get(incident_id.lower())
        if incident is None:
            raise _not_found(f"incident '{incident_id}'")
        return incident

    def _incident_path(self, request: Request, action: str) -> str:
        workspace = self._enter(request, action)
        incident_id: str = request.path_params["incident"]
        return f"{workspace}/providers/Microsoft.SecurityInsights/Incidents/{incident_id}"

    def _enter(self, request: Request, action: str) -> str:
        """The ARM id of the workspace, after token, api-version, scope and role were checked."""
        state = self._state
        workspace = state.workspace_path
        require_action(state.identity, request, f"Microsoft.SecurityInsights/{action}", workspace)
        version = request.query_params.get("api-version", "")
        if not re.fullmatch(r"\d{4}-\d\d-\d\d(-preview)?", version):
            raise ArmError(400, "MissingApiVersionParameter", "api-version is missing or no date.")
        for part, expected, code in (
            ("subscription", state.subscription_id, "SubscriptionNotFound"),
            ("group", state.resource_group, "ResourceGroupNotFound"),
            ("workspace", state.workspace_name, "ResourceNotFound"),
        ):
            given: str = request.path_params[part]
            if given.lower() != expected.lower():
                raise ArmError(404, code, f"There is no {part} '{given}'.")
        return workspace


def _comment(incident: SentinelIncident, comment_id: str) -> SentinelComment | None:
    wanted = comment_id.lower()
    return next((c for c in incident.comments if c.id.lower() == wanted), None)


def _guid(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        raise bad_request(f"'{text}' is no GUID.") from error


def _not_found(what: str) -> ArmError:
    return ArmError(404, "NotFound", f"There is no {what}.")
