"""The ASGI application: every door of Tocsin on one port."""

from collections.abc import Callable

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Mount
from starlette.types import Receive, Scope, Send

from tocsin.web import feeds, figures, intake, later, replies
from tocsin.web.api import Doors, create_api
from tocsin.web.auth import Callers
from tocsin.web.gate import Gate
from tocsin.web.live import Live
from tocsin.web.parts import Parts
from tocsin.web.problems import Problem, answer


class Web:
    """The application. `close()` ends the open event streams, so that a server can stop."""

    def __init__(self, application: Starlette, api: FastAPI, live: Live) -> None:
        self.api = api
        self.application = application
        self.close: Callable[[], None] = live.close
        self._gate = Gate(application)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._gate(scope, receive, send)


def create_app(parts: Parts) -> Web:
    """Put the doors together."""
    callers = Callers(parts.world)
    live = Live(parts.world.database)
    api = create_api(Doors(parts, callers, live))
    routes: list[BaseRoute] = [
        *intake.routes(intake.Senders(parts)),
        *replies.routes(replies.Replies(parts)),
        *feeds.routes(feeds.Feeds(parts)),
        *figures.routes(figures.Monitoring(parts)),
        *later.routes(later.Later(callers)),
        Mount("/api/v1", api),
    ]
    kinds: tuple[type[Exception], ...] = (Exception, HTTPException, Problem)
    application = Starlette(routes=routes, exception_handlers=dict.fromkeys(kinds, answer))
    application.router.redirect_slashes = False
    return Web(application, api, live)
