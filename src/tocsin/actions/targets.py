"""Addresses of contact methods that outgoing requests may not reach, found without a request."""

import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from tocsin.egress import Guard

REMEDY = "put their networks into TOCSIN_ALLOW_PRIVATE_TARGETS where serve runs"
MOST = 5
"""Places in one line; the remedy is the same for all."""

_LOCAL = ("127.0.0.1", "::1")


def out_of_reach(address: str, guard: Guard) -> str | None:
    """The host of an http or https address that the guard refuses.

    None where it may be reached, where only sending will show it (no name is looked up), and for
    addresses of another kind.
    """
    try:
        parts = urlsplit(address)
        host = parts.hostname if parts.scheme in {"http", "https"} else None
    except ValueError:
        return None
    if host is None:
        return None
    found = _LOCAL if f".{host}".endswith(".localhost") else _literal(host)  # RFC 6761
    return None if not found or any(map(guard.permits, found)) else host


def refused(found: Sequence[str]) -> str:
    """The contact methods that point out of reach, in one line."""
    more = f" and {len(found) - MOST} more" if len(found) > MOST else ""
    return f"pages are not sent to addresses that are not public: {', '.join(found[:MOST])}{more}"


def _literal(host: str) -> tuple[str, ...]:
    """The address that the host is, in any spelling that a connection would take."""
    try:
        found = socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return ()
    return tuple(str(info[4][0]) for info in found)
