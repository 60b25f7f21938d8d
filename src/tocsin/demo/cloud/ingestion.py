"""The Logs Ingestion API of the simulated cloud: rows for a custom table."""

import gzip
import json
import zlib
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin.demo.cloud.azure_roles import allows
from tocsin.demo.cloud.errors import LogsError
from tocsin.demo.cloud.identity import TokenError
from tocsin.demo.cloud.state import CloudState

_MOST_BYTES = 1024 * 1024


class IngestionService:
    """Source of the shapes: Logs Ingestion API 2023-01-01."""

    def __init__(self, state: CloudState) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        path = "/dataCollectionRules/{rule}/streams/{stream}"
        return [Route(path, self._post, methods=["POST"])]

    async def _post(self, request: Request) -> Response:
        identity = self._state.identity
        try:
            token = identity.admit(request.headers.get("authorization"), "monitor")
        except TokenError as refused:
            raise LogsError(401, "InvalidToken", f"The token is {refused.why}.") from refused
        rule: str = request.path_params["rule"]
        found = next(
            (
                held
                for held in self._state.resources.values()
                if held.get("properties", {}).get("immutableId") == rule
            ),
            None,
        )
        if found is None:
            raise LogsError(404, "NotFound", f"Data collection rule '{rule}' not found.")
        if not allows(identity, token, "Microsoft.Insights/Telemetry/Write", found["id"]):
            said = "The authentication token provided does not have access to ingest data."
            raise LogsError(403, "OperationFailed", said)
        if request.path_params["stream"] not in found["properties"]["streamDeclarations"]:
            raise LogsError(400, "InvalidStream", "The rule has no such stream.")
        self._state.ingested += _rows(await request.body(), request)
        return Response(status_code=204)


def _rows(body: bytes, request: Request) -> list[dict[str, Any]]:
    if len(body) > _MOST_BYTES:
        raise LogsError(413, "ContentLengthLimitExceeded", "The most is 1 MB.")
    try:
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        rows: object = json.loads(body)
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise LogsError(400, "InvalidPayload", "The body is no JSON.") from error
    if len(body) > _MOST_BYTES:
        raise LogsError(413, "ContentLengthLimitExceeded", "The most is 1 MB.")
    if not isinstance(rows, list):
        raise LogsError(400, "InvalidPayload", "The body is no JSON array.")
    return cast("list[dict[str, Any]]", rows)
