"""Feeds of duty for calendars: `GET /ical/{secret}.ics`, where the address is the key."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin.actions.feeds import serve_feed
from tocsin.web.parts import Parts
from tocsin.web.problems import not_found

_TYPE = "text/calendar; charset=utf-8"


class Feeds:
    """Answers programs that subscribe to calendars."""

    def __init__(self, parts: Parts) -> None:
        self._world = parts.world

    async def show(self, request: Request) -> Response:
        """The calendar, or 304 for a program that has it; changes nothing.

        What was never a feed, was revoked, or shows what its owner may not see is the same 404.
        """
        served = await serve_feed(self._world, request.path_params["secret"])
        if served is None:
            raise not_found("feed")
        headers = {"ETag": served.etag, "Cache-Control": "private, no-cache"}
        if _known(request.headers.get("if-none-match", ""), served.etag):
            return Response(status_code=304, headers=headers)
        headers |= {"Content-Disposition": 'inline; filename="duty.ics"'}
        return Response(served.content, headers=headers, media_type=_TYPE)


def routes(feeds: Feeds) -> list[Route]:
    """Only looking is possible."""
    return [Route("/ical/{secret}.ics", feeds.show, methods=["GET"])]


def _known(tags: str, etag: str) -> bool:
    """Whether the caller has this version; weak comparison (RFC 9110, 13.1.2)."""
    words = [word.strip().removeprefix("W/") for word in tags.split(",")]
    return etag in words or "*" in words
