"""What every channel must bear, for the tests of ours and of other people's plug-ins."""

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tocsin.core.kinds import Urgency
from tocsin.egress import GuardedClient
from tocsin.ports import (
    Address,
    Capabilities,
    Channel,
    ChannelContext,
    Clock,
    Egress,
    Failed,
    FailureKind,
    MessageKind,
    Outgoing,
    SecretMissingError,
    Sent,
)
from tocsin.testing.clock import MovableClock

LOOPBACK = ("127.0.0.0/8", "::1/128")
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PATIENCE = timedelta(seconds=30)
"""No channel may keep a page longer than this from its next attempt."""

Make = Callable[[int], tuple[Channel, Address]]
"""Makes a channel whose provider listens on this port of 127.0.0.1, and an address there."""


def context(
    settings: Mapping[str, Any] | None = None,
    *,
    egress: Egress | None = None,
    clock: Clock | None = None,
    secrets: Mapping[str, str] | None = None,
) -> ChannelContext:
    """What a channel is handed. `secrets` answers `{secret_env: NAME}`; loopback is allowed.

    The client ends a request after one second, so that a silent peer does not hold up a test.
    """
    known = secrets or {}

    def secret(reference: Mapping[str, Any]) -> str:
        name = str(reference.get("secret_env"))
        if name not in known:
            raise SecretMissingError(f"the variable {name} is not set")
        return known[name]

    return ChannelContext(
        settings=settings or {},
        secret=secret,
        egress=egress or GuardedClient(LOOPBACK, longest=timedelta(seconds=1)),
        clock=clock or MovableClock(NOW),
        allow_private=LOOPBACK,
    )


def message(kind: MessageKind = MessageKind.ALERT) -> Outgoing:
    """A page as the core writes it; a notice is about no alert and takes no reply."""
    notice = kind is MessageKind.NOTICE
    page = {"page": "https://tocsin.example/p/page-secret"}
    return Outgoing(
        id="n-0001",
        kind=kind,
        user="mara",
        contact_method="phone",
        urgency=Urgency.URGENT,
        step=1,
        attempt=1,
        subject="HIGH #17 Impossible travel",
        text="HIGH #17 Impossible travel (SOC)",
        body="HIGH #17 Impossible travel\nTeam: SOC",
        alert=None if notice else {"id": "a-17", "team": "soc", "title": "Impossible travel"},
        links=page if notice else page | {"reply": "https://tocsin.example/r/reply-secret"},
    )


def hostile_messages() -> list[Outgoing]:
    """One message of each kind, and texts that senders of alarms may smuggle in."""
    evil = "a\r\nBcc: all@example.org\r\n\r\n.\r\n\x1b[2J<script>\u202e😀" + "x" * 3000
    usual = message()
    return [
        *(message(kind) for kind in MessageKind),
        replace(usual, subject=evil, text=evil, body=evil, user=evil, contact_method=evil),
        replace(usual, subject="", text="", body="", links={}, language=""),
    ]


def check_declarations(channel: type[Channel]) -> None:
    """Media, capabilities and the two checks that forms call with whatever was typed in."""
    assert channel.media, "a channel serves a medium"
    assert all(medium.isidentifier() and medium == medium.lower() for medium in channel.media)
    assert isinstance(channel.capabilities, Capabilities)
    for nonsense in ("", " ", "\0", "a\r\nb", "\ud800", "x" * 100_000, "http://[", "@", "://"):
        assert channel.check_address(nonsense), f"{nonsense[:20]!r} was taken for an address"
    odd: list[dict[str, object]] = [{"no such setting": 1}, {"host": None, "port": "x", "from": []}]
    for settings in odd:
        assert channel.check_settings(settings) != "", "an empty text says nothing"


async def check_failures(make: Make, *, secrets: tuple[str, ...] = ()) -> None:
    """`send` never raises, ends in time, and says truly who has to do something and what is known.

    `secrets` are texts that must not stand in a reason.
    """
    free = _free_port()
    for hostile in hostile_messages():
        failed = await _fails(make, free, hostile, secrets)
        assert failed.kind is FailureKind.TEMPORARY, failed.reason
        assert not failed.maybe_applied, "nothing listened there"
    for name, peer in (("silent", _silent), ("resetting", _resetting), ("babbling", _babbling)):
        async with _listening(peer) as port:
            failed = await _fails(make, port, message(), secrets)
            assert name == "babbling" or failed.kind is FailureKind.TEMPORARY, failed.reason


async def _fails(make: Make, port: int, outgoing: Outgoing, secrets: tuple[str, ...]) -> Failed:
    channel, address = make(port)
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            result = await channel.send(outgoing, address)
    finally:
        await channel.close()
    assert not isinstance(result, Sent), "nobody took this page"
    assert result.reason, "an admin is told why"
    assert "\n" not in result.reason
    for secret in (*secrets, *outgoing.links.values(), address.signing_key or "whsec_"):
        assert secret not in result.reason, "a reason holds no secret"
    return result


_Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    while await reader.read(65536):
        pass


async def _resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    plain: socket.socket = writer.get_extra_info("socket")
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _babbling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\xff\0 no such protocol \r\n" * 10)
    await writer.drain()
    await reader.read(65536)


@asynccontextmanager
async def _listening(peer: _Peer) -> AsyncGenerator[int]:
    """Leaves no task and no connection behind: a plug-in's tests may forbid that."""
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await peer(reader, writer)
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.create_task(talk(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


def _free_port() -> int:
    with socket.socket() as plain:
        plain.bind(("127.0.0.1", 0))
        return int(plain.getsockname()[1])
