"""Refuses bodies that are not plain JSON before anything else reads them; files are CSV."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tocsin.web import jsonbody
from tocsin.web.problems import Problem


class StrictJson:
    """Stands before the API. The gate has read the body whole, so it comes in one message."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        first = await receive()
        body: bytes = first.get("body", b"")
        try:
            if body:
                _check(scope, body)
        except Problem as problem:
            await problem.response(scope.get("request_id"))(scope, receive, send)
            return
        handed = False

        async def again() -> Message:
            nonlocal handed
            if handed:
                return await receive()
            handed = True
            return first

        await self._app(scope, again, send)


def _check(scope: Scope, body: bytes) -> None:
    kind = dict[bytes, bytes](scope["headers"]).get(b"content-type", b"").decode("latin-1")
    kind = kind.partition(";")[0].strip().lower()
    if kind == "text/csv" and str(scope["path"]).endswith("/import"):
        return
    if kind != "application/json" and not kind.endswith("+json"):
        raise Problem(
            415,
            "The body is not declared as JSON.",
            "Send it with `Content-Type: application/json`.",
        )
    jsonbody.read(body)
