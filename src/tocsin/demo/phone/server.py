"""The simulated phone on a loopback port: where pages are posted, and the page with its buttons."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Generator
from types import TracebackType
from typing import Final, Self, get_args

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tocsin.demo.phone.phone import Phone
from tocsin.demo.phone.rings import Action
from tocsin.demo.phone.screen import HEADERS, PAGE, shown

MOST_BODY: Final = 1_000_000
_HOSTS: Final = ["127.0.0.1", "localhost"]


class PhoneServer:
    """Serves a phone while it is entered. `port` 0 takes a free one; OSError when it is taken.

    `new_incident` is what the page's button for a new incident does; it returns what to say.
    """

    def __init__(
        self, phone: Phone, port: int = 0, new_incident: Callable[[], str] | None = None
    ) -> None:
        self._phone = phone
        self._port = port
        self._new_incident = new_incident
        self._server: _QuietServer | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self._port}/"

    def address(self, user: str) -> str:
        """Where the pages of a person are posted: the address of their contact method."""
        return f"{self.url}{user}"

    async def __aenter__(self) -> Self:
        listener = _listen(self._port)
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._application(),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = _QuietServer(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))
        await self._server.listening.wait()
        if not self._server.started:
            await self._task  # raises what kept it from starting
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        assert self._task is not None
        self._server.should_exit = True
        await self._task

    def _application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", _page, methods=["GET"]),
                Route("/api/rings", self._rings, methods=["GET"]),
                Route("/api/answer", _guarded(self._answer), methods=["POST"]),
                Route("/api/incident", _guarded(self._incident), methods=["POST"]),
                Route("/{user}", self._receive, methods=["POST"]),
            ],
            # Another site's name that leads to this machine opens nothing.
            middleware=[
                Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
            ],
        )

    async def _receive(self, request: Request) -> Response:
        body = await request.body()
        if len(body) > MOST_BODY:
            return _said(413, "this is too long for a page")
        receipt = self._phone.receive(request.path_params["user"], request.headers, body)
        return _said(receipt.code, receipt.said)

    async def _rings(self, request: Request) -> Response:
        del request
        state = shown(self._phone, incidents=self._new_incident is not None)
        return JSONResponse(state, headers={"Cache-Control": "no-store"})

    async def _answer(self, request: Request) -> Response:
        try:
            asked = msgspec.json.decode(await request.body(), type=_Asked)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _said(400, f"send ring, action ({', '.join(get_args(Action))}), comment?")
        ring = self._phone.ring(asked.ring)
        if ring is None:
            return _said(404, "no such page rang here")
        reply = await self._phone.answer(ring, asked.action, asked.comment)
        return _said(200 if reply.accepted else 409, reply.message)

    async def _incident(self, request: Request) -> Response:
        del request
        if self._new_incident is None:
            return _said(404, "there is no simulated cloud beside this phone")
        return _said(200, self._new_incident())


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    """A button of the page."""

    ring: str
    action: Action
    comment: str | None = None


_Handler = Callable[[Request], Awaitable[Response]]


def _guarded(handler: _Handler) -> _Handler:
    """Only what is sent as JSON: no other site can make a browser send that without asking."""

    async def guarded(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return _said(415, "send application/json")
        return await handler(request)

    return guarded


async def _page(request: Request) -> Response:
    del request
    return HTMLResponse(PAGE, headers=HEADERS)


def _said(code: int, message: str) -> Response:
    return JSONResponse({"message": message}, code)


class _QuietServer(uvicorn.Server):
    """Says when it listens, and leaves the process's signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _listen(port: int) -> socket.socket:
    # Named as TCP, because asyncio sends small answers at once (TCP_NODELAY) only then.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener
