"""Which addresses outgoing connections may reach.

The guard looks at the very address that a socket is made for, so no spelling of a host, no second
DNS answer and no parser can lead round it.
"""

import asyncio
import errno
import socket
import ssl
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from tocsin.ports import EgressError

_RESOLVE_WITHIN: Final = timedelta(seconds=5)
_CONNECTIONS: Final = 512
_CONNECTIONS_PER_HOST: Final = 64  # one slow host leaves room for all others
_KEEP_ALIVE: Final = 4.0  # seconds; many servers close at 5, and a POST that meets the close fails
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")  # RFC 4291, all that is given out

_Address = IPv4Address | IPv6Address
_AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Guard:
    """Which addresses may be reached: the public ones, and those inside `networks`."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def of(cls, allow_private: Iterable[str]) -> "Guard":
        """Networks as text. Raises `ValueError` naming the one that is none."""
        return cls(tuple(ip_network(network.strip()) for network in allow_private))

    def permits(self, address: str) -> bool:
        """Whether this address may be reached; judged by what it leads to behind a translator."""
        try:
            real = _unwrapped(ip_address(address.partition("%")[0]))
        except ValueError:
            return False
        return any(real in network for network in self.networks) or _is_public(real)


class RefusedError(OSError):
    """The guard said no; an `OSError`, so that aiohttp hands it through as a failed connection."""

    def __init__(self, host: str) -> None:
        self.reason = (
            f"{host} is not a public address: an administrator can allow its network "
            "with TOCSIN_ALLOW_PRIVATE_TARGETS"
        )
        super().__init__(errno.EACCES, self.reason)


def guarded_connector(
    allow_private: Iterable[str], ssl_context: ssl.SSLContext | None = None
) -> aiohttp.TCPConnector:
    """The guard for a session of somebody else's making, such as a cloud library's transport."""
    return connector(Guard.of(allow_private), ssl_context)


async def vet(
    host: str, port: int, allow_private: Iterable[str], within: timedelta = _RESOLVE_WITHIN
) -> list[str]:
    """The addresses of `host` that may be connected to, at least one. Raises `EgressError`."""
    guard = Guard.of(allow_private)
    try:
        return [found[4][0] for found in await _vetted(guard, host, port, 0, within)]
    except RefusedError as error:
        raise EgressError(error.reason, refused=True) from None
    except OSError as error:
        raise EgressError(f"{host} cannot be resolved: {error}") from error


def connector(guard: Guard, ssl_context: ssl.SSLContext | None) -> aiohttp.TCPConnector:
    """Connections to permitted addresses only; a refusal is a `RefusedError` as `os_error`."""
    return aiohttp.TCPConnector(
        ssl=ssl_context or True,
        resolver=_Resolver(guard),
        socket_factory=partial(_guarded_socket, guard),
        limit=_CONNECTIONS,
        limit_per_host=_CONNECTIONS_PER_HOST,
        keepalive_timeout=_KEEP_ALIVE,
    )


class _Resolver(AbstractResolver):
    """Answers only what the guard permits."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await _vetted(self._guard, host, port, family, _RESOLVE_WITHIN)
        return [
            ResolveResult(
                hostname=host,
                host=address[0],
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, _, proto, _, address in found
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _guarded_socket(guard: Guard, info: _AddressInfo) -> socket.socket:
    """Called with the address that the socket is about to be connected to, literal or resolved."""
    family, kind, proto, _, address = info
    if not guard.permits(str(address[0])):
        raise RefusedError(str(address[0]))
    return socket.socket(family, kind, proto)


async def _vetted(
    guard: Guard, host: str, port: int, family: int, within: timedelta
) -> list[_AddressInfo]:
    try:
        async with asyncio.timeout(within.total_seconds()):
            found = await _lookup(host, port, family)
    except TimeoutError:
        raise OSError(errno.ETIMEDOUT, "no answer from the name server") from None
    permitted = [info for info in found if guard.permits(str(info[4][0]))]
    if not permitted:
        raise RefusedError(host)
    return permitted


async def _lookup(host: str, port: int, family: int) -> list[_AddressInfo]:
    """`getaddrinfo` in a daemon thread of its own.

    In the loop's shared pool, a few names whose server never answers would hold up everything
    else that needs a thread, and the end of the process.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[_AddressInfo]] = loop.create_future()

    def settle(found: list[_AddressInfo], error: OSError | None) -> None:
        if answer.done():  # nobody waits any more
            return
        if error is None:
            answer.set_result(found)
        else:
            answer.set_exception(error)

    def look() -> None:
        found: list[_AddressInfo] = []
        failed: OSError | None = None
        try:
            found = list(socket.getaddrinfo(host, port, family, socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            failed = error if isinstance(error, OSError) else OSError(errno.EINVAL, "no host name")
        try:
            loop.call_soon_threadsafe(settle, found, failed)
        except RuntimeError:  # the loop is gone
            return

    threading.Thread(target=look, name="tocsin-lookup", daemon=True).start()
    return await answer


def _unwrapped(address: _Address) -> _Address:
    """What a mapped (RFC 4291), 6to4 (RFC 3056) or NAT64 (RFC 6052) address leads to.

    Teredo (RFC 4380) is left as it is: its prefix is not public, so it is refused.
    """
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


_HOSTS_OF_CLOUDS: Final = (IPv4Network("168.63.129.16/32"), IPv4Network("192.0.0.0/24"))
"""They look public and lead to the host of the machine: Azure's platform, RFC 6890's block."""


def _is_public(address: _Address) -> bool:
    if isinstance(address, IPv6Address):
        return address in _GLOBAL_UNICAST and address.is_global
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in network for network in _HOSTS_OF_CLOUDS)
    )
