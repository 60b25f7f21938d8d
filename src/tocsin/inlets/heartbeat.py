"""Reads pings that say that a sender is alive, that a run began or that it failed."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from tocsin.core import storable
from tocsin.core.event import Ping, Said
from tocsin.ports import Handled, Reply, Request, Unreadable

_SIGNALS: Final = {"": "ok", "start": "start", "fail": "fail"}


class HeartbeatInlet:
    """`/heartbeat/{secret}`, with nothing, `/start` or `/fail` behind it; the body says nothing."""

    overload_status: ClassVar[int] = 503

    @staticmethod
    def parse(request: Request, settings: Mapping[str, Any]) -> tuple[Said, ...] | Unreadable:
        """One ping, or that there is no such signal."""
        del settings  # how often it is expected is not the request's business
        signal = _SIGNALS.get("/".join(request.path.strip("/").split("/")[2:]))
        if signal is None:
            reason = "there is no such signal: send to the address itself, /start or /fail"
            return Unreadable(reason=reason, status=404)
        return (Ping(signal=signal),)

    @staticmethod
    def reply(request: Request, handled: Handled) -> Reply:
        """200 OK."""
        del request, handled
        return Reply(status=200, body=b"OK", media_type="text/plain")

    @staticmethod
    def refuse(status: int, reason: str) -> Reply:
        """The reason in one line of text."""
        return Reply(status=status, body=storable.line(reason).encode(), media_type="text/plain")
