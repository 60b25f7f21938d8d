"""The addresses that senders post to: lookup, parse, commit, answer in the sender's words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin.actions.heartbeat import heard
from tocsin.actions.intake import Overloaded, Posted, Unstored
from tocsin.actions.shown import public_id
from tocsin.core.event import Ping
from tocsin.ports import Handled, Inlet, Reply, Unreadable
from tocsin.ports import Request as Sent
from tocsin.store.integrations import Integration, integration_by_secret
from tocsin.web.figures import EVENTS
from tocsin.web.parts import Parts
from tocsin.web.problems import Problem, not_found

log = structlog.get_logger()

RETRY_AFTER = 5
"""Seconds after which a sender shall come again when nothing could be accepted."""
REMEMBERED = timedelta(seconds=1)
"""How long a change of an integration may stay unnoticed by a process."""
_MOST_REMEMBERED = 10_000


class Senders:
    """Handles what senders post; one object per process, so that lookups are shared."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._known: dict[bytes, tuple[datetime, Integration]] = {}

    async def signl4(self, request: Request) -> Response:
        """`POST /webhook/{secret}`."""
        return await self._receive(request, "signl4", request.path_params["secret"])

    async def by_dialect(self, request: Request) -> Response:
        """`POST /in/{dialect}/{secret}`."""
        return await self._receive(
            request, request.path_params["dialect"], request.path_params["secret"]
        )

    async def heartbeat(self, request: Request) -> Response:
        """`/heartbeat/{secret}`, with nothing, `/start` or `/fail` behind it."""
        return await self._receive(request, "heartbeat", request.path_params["secret"])

    async def later(self, request: Request) -> Response:
        """An address of a dialect that this version does not serve: 501 to those who may post."""
        secret = await _secret_of(request)
        address = await self.find(secret) if secret else None
        if address is None:
            raise unknown_sender()
        raise _not_served(address.inlet)

    async def find(self, secret: str) -> Integration | None:
        """The integration with this secret, as it was at most one second ago."""
        world = self._parts.world
        hashed, now = world.keys.hash(secret), world.clock.now()
        known = self._known.get(hashed)
        if known is not None and now - known[0] < REMEMBERED:
            return known[1]
        async with world.database.transaction() as connection:
            address = await integration_by_secret(connection, hashed)
        if address is None or not address.enabled:
            self._known.pop(hashed, None)
            return None
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[hashed] = (now, address)
        return address

    async def _receive(self, request: Request, dialect: str, secret: str) -> Response:
        address = await self.find(secret)
        if address is None or address.inlet != dialect:
            raise unknown_sender()
        load = self._parts.world.plug_ins.inlets.get(dialect)
        if load is None:
            raise _not_served(dialect)
        inlet = load()
        sent = await _read(request, secret)
        reply, outcome = await self._handle(inlet, sent, address, request.headers)
        EVENTS.labels(dialect, outcome).inc()
        return _response(reply)

    async def _handle(
        self, inlet: type[Inlet], sent: Sent, address: Integration, headers: Mapping[str, str]
    ) -> tuple[Reply, str]:
        said = inlet.parse(sent, address.settings)
        if isinstance(said, Unreadable):
            return inlet.refuse(said.status, said.reason), "unreadable"
        pings = [one for one in said if isinstance(one, Ping)]
        if pings:
            return inlet.reply(sent, await self._heard(address, pings)), "heartbeat"
        posted = Posted(
            team=address.team,
            name=address.name,
            inlet=address.inlet,
            said=said,
            raw=sent.body,
            media_type=_media_type(headers),
            integration=address.id,
            policy=address.policy,
            settings=address.settings,
        )
        try:
            # Shielded inside: a sender that hangs up does not undo what it posted.
            accepted = await self._parts.intake.accept(posted)
        except Overloaded:
            return _later(inlet, "More is arriving than can be stored; send it again."), "overload"
        except Unstored:
            return _later(inlet, "It could not be stored just now; send it again."), "unstored"
        handled = Handled(
            event_id=str(accepted.event),
            received_at=accepted.received_at,
            alerts=tuple(public_id(alert) for alert in accepted.alerts),
        )
        return inlet.reply(sent, handled), "accepted"

    async def _heard(self, address: Integration, pings: Sequence[Ping]) -> Handled:
        """Pings are no events: they are noted, not kept, and most of them change nothing."""
        for ping in pings:
            await heard(self._parts.world, address, ping.signal)
        return Handled(event_id="", received_at=self._parts.world.clock.now())


@dataclass(frozen=True, slots=True)
class _Later:
    """An address of a dialect to come, and the methods that its senders use."""

    path: str
    methods: tuple[str, ...] = ("POST",)


_ANY = ("GET", "POST", "PUT", "PATCH", "DELETE")
_LATER = (
    _Later("/v2/enqueue"),
    _Later("/v2/change/enqueue"),
    _Later("/generic/2010-04-15/create_event.json"),
    _Later("/v2/alerts", _ANY),
    _Later("/v2/alerts/{rest:path}", _ANY),
    _Later("/v2/heartbeats/{rest:path}", _ANY),
    _Later("/integrations/generic/20131114/alert/{secret}/{routing_key}"),
    _Later("/alertmanager/{secret}/api/v2/{rest:path}", _ANY),
)


def routes(senders: Senders) -> list[Route]:
    """The routes of every address that a sender may be given."""
    return [
        Route("/webhook/{secret}", senders.signl4, methods=["POST"]),
        Route("/webhook/{secret}/", senders.signl4, methods=["POST"]),
        Route("/in/{dialect}/{secret}", senders.by_dialect, methods=["POST"]),
        Route("/in/{dialect}/{secret}/", senders.by_dialect, methods=["POST"]),
        Route("/heartbeat/{secret}", senders.heartbeat, methods=["GET", "POST"]),
        Route("/heartbeat/{secret}/{signal:path}", senders.heartbeat, methods=["GET", "POST"]),
        *(Route(later.path, senders.later, methods=list(later.methods)) for later in _LATER),
    ]


def unknown_sender() -> Problem:
    """The one answer to a secret that is not known here, or known for another dialect."""
    return not_found("integration with this address and secret")


def _not_served(inlet: str) -> Problem:
    return Problem(
        501,
        f"This integration is set up for {inlet}, which this version of Tocsin does not read yet.",
        "Nothing was stored. Use an integration of another dialect, or a later version.",
    )


def _later(inlet: type[Inlet], reason: str) -> Reply:
    reply = inlet.refuse(inlet.overload_status, reason)
    return replace(reply, headers={**reply.headers, "Retry-After": str(RETRY_AFTER)})


async def _read(request: Request, secret: str) -> Sent:
    # What a dialect reads never names the secret.
    path = str(request.scope["path"]).replace(secret, "…")
    return Sent(
        method=request.method,
        path=path,
        query=request.query_params.multi_items(),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.body(),
    )


def _response(reply: Reply) -> Response:
    return Response(reply.body, reply.status, dict(reply.headers), reply.media_type)


def _media_type(headers: Mapping[str, str]) -> str | None:
    kind = headers.get("content-type")
    return None if kind is None else kind[:200]


_KEY = re.compile(rb'"(?:routing_key|service_key)"\s*:\s*"([^"\\]{1,200})"')


async def _secret_of(request: Request) -> str | None:
    """The secret of a request to come, wherever its dialect keeps it."""
    in_path = request.path_params.get("secret")
    if isinstance(in_path, str):
        return in_path
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "geniekey":
        return key.strip()
    found = _KEY.search(await request.body())
    return found[1].decode(errors="replace") if found else None
