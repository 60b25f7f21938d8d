"""The Log Analytics query API of the simulated cloud."""

import re

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tocsin.demo.cloud.azure_roles import allows
from tocsin.demo.cloud.errors import LogsError
from tocsin.demo.cloud.identity import TokenError
from tocsin.demo.cloud.reading import read_body
from tocsin.demo.cloud.stamps import read_stamp
from tocsin.demo.cloud.state import CloudState

_DURATION = re.compile(r"P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?")


class QueryBody(msgspec.Struct):
    query: str
    timespan: str | None = None


class LogsService:
    """Source of the shapes: Azure Monitor Logs query API, response format and timespan."""

    def __init__(self, state: CloudState) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        return [Route("/v1/workspaces/{workspace}/query", self._query, methods=["POST"])]

    async def _query(self, request: Request) -> JSONResponse:
        identity = self._state.identity
        try:
            token = identity.admit(request.headers.get("authorization"), "logs")
        except TokenError as refused:
            code = "TokenExpired" if refused.why == "expired" else "AuthorizationRequiredError"
            message = f"A valid token for https://api.loganalytics.io is needed ({refused.why})."
            raise LogsError(401, code, message) from refused
        workspace: str = request.path_params["workspace"]
        if workspace.lower() != self._state.workspace_id.lower():
            raise LogsError(404, "WorkspaceNotFoundError", f"No workspace '{workspace}'.")
        action = "Microsoft.OperationalInsights/workspaces/query/read"
        if not allows(identity, token, action, self._state.workspace_path):
            raise LogsError(
                403, "InsufficientAccessError", f"The caller's roles do not allow '{action}'."
            )
        body = await read_body(request, QueryBody, _bad_request)
        if not body.query.strip():
            raise _bad_request("query is empty")
        if body.timespan is not None and not _is_timespan(body.timespan):
            raise _bad_request(f"timespan '{body.timespan}' is neither duration nor interval")
        return JSONResponse(self._state.tables.find(body.query).body())


def _bad_request(message: str) -> LogsError:
    return LogsError(400, "BadArgumentError", message)


def _is_timespan(text: str) -> bool:
    """A duration, or two parts with a slash of which at most one is a duration."""
    parts = text.split("/")
    durations = [_DURATION.fullmatch(part) is not None for part in parts]
    if len(parts) == 1:
        return durations[0]
    if len(parts) != 2 or all(durations):
        return False
    return all(
        duration or _is_moment(part) for part, duration in zip(parts, durations, strict=True)
    )


def _is_moment(text: str) -> bool:
    try:
        read_stamp(text)
    except ValueError:
        return False
    return True
