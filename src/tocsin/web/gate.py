"""The outermost layer of every request: its id, its limits, its deadline, its last resort."""

import asyncio
import secrets
from collections.abc import Mapping

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tocsin.web.problems import Problem, as_problem

log = structlog.get_logger()

INTAKE_LIMIT = 1 << 20
API_LIMIT = 256 << 10
FORM_LIMIT = 64 << 10
HEADER_LIMIT = 32 << 10
BODY_SECONDS = 15.0
"""How long a sender may take for the body it announced."""

_LIMITS = (("/api/v1/", API_LIMIT), ("/r/", FORM_LIMIT), ("/p/", FORM_LIMIT))


class Gate:
    """Wraps the application: nothing behind it sees an oversized, endless or unnamed request.

    The body is read whole first, so that a sender who hangs up later cannot cancel a commit that
    has begun. Paths are never logged, since some are secrets: the route's template is.
    """

    def __init__(self, app: ASGIApp, *, body_seconds: float = BODY_SECONDS) -> None:
        self._app = app
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000, "reason": "no websockets here"})
            return
        request_id = scope["request_id"] = secrets.token_hex(8)
        answer = _Answer(send, request_id)
        try:
            replay = await self._admit(scope, receive)
            await self._app(scope, replay, answer)
        except _HungUpError:
            return
        except asyncio.CancelledError:
            if not answer.started:
                await _stopping().response(request_id)(scope, receive, answer)
            return
        except Exception as error:  # noqa: BLE001 - the last resort: callers get no stack trace
            problem = as_problem(error)
            if problem.status >= 500:
                _report(scope, request_id, error, problem)
            if not answer.started:
                await problem.response(request_id)(scope, receive, answer)
        log.debug("request", method=scope["method"], route=template(scope), status=answer.status)

    async def _admit(self, scope: Scope, receive: Receive) -> Receive:
        _check_head(scope)
        limit = next(
            (most for prefix, most in _LIMITS if scope["path"].startswith(prefix)), INTAKE_LIMIT
        )
        try:
            async with asyncio.timeout(self._body_seconds):
                body = await _read(scope, receive, limit)
        except TimeoutError:
            raise Problem(
                408,
                f"The body did not arrive within {self._body_seconds:g} seconds.",
                "Send the whole body at once.",
                headers={"Connection": "close"},
            ) from None
        return _Replay(body, receive)


def template(scope: Scope) -> str:
    """The route's template, such as `/webhook/{secret}`; never the path that was asked for."""
    path = getattr(scope.get("route"), "path", None)
    return f"{scope.get('root_path', '')}{path}" if isinstance(path, str) else "(none)"


def _stopping() -> Problem:
    """The server stops and waits no longer. What was under way may still be stored."""
    return Problem(
        503,
        "This process is stopping and did not wait for the end of the request.",
        "Send it again after the time in Retry-After.",
        headers={"Retry-After": "5"},
    )


class _HungUpError(Exception):
    """The sender went away before its body was whole."""


class _Answer:
    """Passes the answer on with the request's id in it, and remembers whether it has begun."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id.encode()
        self.started = False
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            extra = [(b"x-request-id", self._request_id), (b"x-content-type-options", b"nosniff")]
            message["headers"] = [*message.get("headers", ()), *extra]
        await self._send(message)


class _Replay:
    """Hands out the body that was read, then whatever the connection still has to say."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def _check_head(scope: Scope) -> None:
    size = sum(len(name) + len(value) for name, value in scope["headers"])
    if size + len(scope["query_string"]) + len(scope["path"]) > HEADER_LIMIT:
        raise Problem(
            431, f"Address and headers are larger than {HEADER_LIMIT} bytes.", "Send fewer of them."
        )
    if "\0" in scope["path"] or b"\0" in scope["query_string"] or b"%00" in scope["query_string"]:
        raise Problem(400, "The address holds a NUL byte.", "Remove it; no name here has one.")


async def _read(scope: Scope, receive: Receive, limit: int) -> bytes:
    announced = dict[bytes, bytes](scope["headers"]).get(b"content-length", b"")
    if announced.isdigit() and len(announced) < 20 and int(announced) > limit:
        raise _too_large(limit)
    body = b""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise _HungUpError
        body = message.get("body", b"")
        size += len(body)
        if size > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return b"".join((*chunks, body)) if chunks else body
        chunks.append(body)


def _too_large(limit: int) -> Problem:
    return Problem(
        413,
        f"The body is larger than {limit} bytes.",
        "Send less: shorten texts, or leave out details.",
        headers={"Connection": "close"},  # the rest of the body is not read
    )


def _report(scope: Scope, request_id: str, error: Exception, problem: Problem) -> None:
    place: Mapping[str, object] = {
        "method": scope["method"],
        "route": template(scope),
        "request_id": request_id,
    }
    if problem.status == 503:
        log.warning("database does not answer", error=type(error).__name__, **place)
    else:
        log.error("request failed", exc_info=error, **place)
