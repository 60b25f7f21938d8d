"""Addresses of the contract that a later version answers."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin.web.auth import Callers
from tocsin.web.problems import coming

_ANY = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_COMING = {
    "/callback/": "callbacks of channels",
    "/scim/": "SCIM",
    "/auth/": "sign-in",
}


class Later:
    """Says which address will do what. Nothing behind them depends on a secret yet."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    async def rest(self, request: Request) -> Response:
        """`/api/v2/…`: 501 to callers with a token of ours, also in `X-S4-Api-Key`; else 401."""
        key = request.headers.get("x-s4-api-key", "")
        if await self._callers.of(f"Bearer {key}") is None:
            await self._callers.identify(request)
        raise coming("the REST API in SIGNL4's dialect")

    async def open(self, request: Request) -> Response:
        """Addresses that need no token: 501, the same to everybody."""
        path = request.url.path
        raise coming(next(what for prefix, what in _COMING.items() if path.startswith(prefix)))


def routes(later: Later) -> list[Route]:
    """The addresses, each with every method."""
    return [
        Route("/api/v2/{rest:path}", later.rest, methods=_ANY),
        *(Route(f"{prefix}{{rest:path}}", later.open, methods=_ANY) for prefix in _COMING),
    ]
