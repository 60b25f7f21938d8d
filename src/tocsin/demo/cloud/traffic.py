"""The gate of the simulated cloud: it writes every request down and lets faults happen."""

import json
from collections.abc import Callable
from urllib.parse import parse_qsl

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tocsin.demo.cloud.faults import Fault
from tocsin.demo.cloud.requests import SeenRequest
from tocsin.demo.cloud.state import CloudState

Drop = Callable[[tuple[str, int]], None]

_SECRETS = frozenset({"client_secret", "client_assertion"})


class Traffic:
    """ASGI middleware around all services. `drop` cuts the connection of a client's address."""

    def __init__(self, app: ASGIApp, state: CloudState, drop: Drop) -> None:
        self._app = app
        self._state = state
        self._drop = drop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await _whole_body(receive)
        if body is None:
            return
        seen = _describe(scope, body)
        self._state.requests.append(seen)
        fault = self._state.faults.take(seen.method, seen.path, seen.query)
        if fault is None:
            seen.applied = True
            await self._app(scope, _replay(body, receive), _noting(seen, send))
            return
        if fault.after_apply:
            seen.applied = True
            await self._app(scope, _replay(body, receive), _swallow)
        await self._spoil(fault, seen, scope, receive, send)

    async def _spoil(
        self, fault: Fault, seen: SeenRequest, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if isinstance(fault.mishap, int):
            headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            answer = fault.body or _usual_body(fault.mishap)
            response = JSONResponse(answer, fault.mishap, headers)
            await response(scope, receive, _noting(seen, send))
            return
        if fault.mishap == "reset":
            self._drop(scope["client"])
        while (await receive())["type"] != "http.disconnect":
            pass


async def _whole_body(receive: Receive) -> bytes | None:
    """None when the client left before its request was complete."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Hands the body that was read already to the service."""
    waiting = [body]

    async def again() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return again


def _noting(seen: SeenRequest, send: Send) -> Send:
    async def noting(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen.status = message["status"]
        await send(message)

    return noting


async def _swallow(message: Message) -> None:
    """The answer that nobody gets."""


def _describe(scope: Scope, body: bytes) -> SeenRequest:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if "authorization" in headers:
        headers["authorization"] = "(hidden)"
    return SeenRequest(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=_readable(body, headers.get("content-type", "")),
    )


def _readable(body: bytes, content_type: str) -> object:
    if "x-www-form-urlencoded" in content_type:
        pairs = parse_qsl(body.decode(errors="replace"))
        return {name: "(hidden)" if name in _SECRETS else value for name, value in pairs}
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return body.decode(errors="replace")


def _usual_body(status: int) -> dict[str, object]:
    return {"error": {"code": f"Simulated{status}", "message": f"A simulated fault: {status}."}}
