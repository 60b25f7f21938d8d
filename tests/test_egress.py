"""The guarded client against real servers on loopback."""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address

import aiohttp
import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from tocsin.egress import AnswerTooLargeError, Guard, GuardedClient, guarded_connector, vet
from tocsin.ports import Egress, EgressError

LOOPBACK = ("127.0.0.0/8", "::1/128")
OK = b"HTTP/1.1 200 OK\r\nX-Kind: Plain\r\nContent-Length: 5\r\n\r\nhello"
PUBLIC = ("93.184.215.14", "2606:2800:21f:cb07::1", "2002:808:808::1", "64:ff9b::8.8.8.8")
NOT_PUBLIC = (
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1",
    "192.0.2.1", "192.168.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:10.0.0.1", "fc00::1", "fd00::1",
    "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2001:db8::1", "100::1",
    "2002:a00:1::1", "2002:7f00:1::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "64:ff9b::10.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b:1::8.8.8.8", "", "host", "1.2.3",
)  # fmt: skip


@dataclass
class Server:
    """Answers each request on a connection with the same bytes and keeps what it read."""

    answer: bytes
    pause: float = 0.0
    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list[bytes])
    writers: list[asyncio.StreamWriter] = field(default_factory=list[asyncio.StreamWriter])
    tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        self.tasks.add(asyncio.create_task(self.serve(reader, writer)))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                self.requests.append(head + await reader.readexactly(int(length or 0)))
                await asyncio.sleep(self.pause)
                writer.write(self.answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(
    answer: bytes = OK, pause: float = 0.0, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[Server]:
    server = Server(answer, pause)
    listening = await asyncio.start_server(server.accept, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in server.tasks:
            task.cancel()
        await asyncio.gather(*server.tasks, return_exceptions=True)


@pytest.fixture
async def client() -> AsyncIterator[GuardedClient]:
    client = GuardedClient(LOOPBACK, longest=timedelta(seconds=5))
    yield client
    await client.close()


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_permitted(address: str) -> None:
    assert Guard().permits(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_addresses_that_are_not_public_are_refused_however_wrapped(address: str) -> None:
    assert not Guard().permits(address)


@given(st.integers(0, 2**32 - 1))
def test_no_wrapping_of_an_ipv4_address_changes_the_verdict(number: int) -> None:
    plain = IPv4Address(number)
    verdict = Guard().permits(str(plain))
    for wrapped in (0xFFFF << 32 | number, (0x64FF9B << 96) | number, 0x2002 << 112 | number << 80):
        assert Guard().permits(str(IPv6Address(wrapped))) is verdict


def test_an_allowed_network_is_reached_in_each_of_its_spellings_and_no_other_is() -> None:
    guard = Guard.of(["10.0.0.0/8", " fd00:1::/32 "])
    for inside in ("10.9.9.9", "::ffff:10.9.9.9", "64:ff9b::10.9.9.9", "fd00:1::5", "8.8.8.8"):
        assert guard.permits(inside)
    for outside in ("172.16.0.1", "127.0.0.1", "fd00:2::5"):
        assert not guard.permits(outside)
    with pytest.raises(ValueError, match="office"):
        Guard.of(["office"])


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "0", "localhost",
             "LOCALHOST", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
             "\uff11\uff12\uff17.0.0.1"],
)  # fmt: skip
async def test_no_spelling_of_loopback_is_connected_to(host: str) -> None:
    client = GuardedClient()
    async with serving() as server:
        with pytest.raises(EgressError) as caught:
            await client.request("POST", f"http://{host}:{server.port}/hook")
        assert server.connections == 0
    await client.close()
    assert caught.value.refused
    assert not caught.value.maybe_applied


async def test_a_connector_for_other_libraries_refuses_literal_addresses_too() -> None:
    async with serving() as server, aiohttp.ClientSession(connector=guarded_connector(())) as other:
        with pytest.raises(aiohttp.ClientConnectorError, match="TOCSIN_ALLOW_PRIVATE_TARGETS"):
            await other.get(f"http://127.0.0.1:{server.port}/")
        assert server.connections == 0


async def test_vetting_names_the_addresses_or_says_who_can_allow_them() -> None:
    assert "127.0.0.1" in await vet("localhost", 80, LOOPBACK)
    assert await vet("127.1", 80, LOOPBACK) == ["127.0.0.1"]
    with pytest.raises(EgressError, match="TOCSIN_ALLOW_PRIVATE_TARGETS") as caught:
        await vet("localhost", 80, ())
    assert caught.value.refused
    with pytest.raises(EgressError, match="no answer from the name server") as slow:
        await vet("localhost", 80, LOOPBACK, within=timedelta(0))
    assert not slow.value.refused
    with pytest.raises(EgressError, match="cannot be resolved"):
        await vet("a" * 70 + ".example", 80, LOOPBACK)


async def test_a_request_arrives_as_given_and_its_answer_is_read_whole(client: Egress) -> None:
    async with serving() as server:
        url = f"http://localhost:{server.port}/a%2Fb?x=%20y"
        answer = await client.request("POST", url, headers={"X-One": "1"}, content=b"{}")
    assert (answer.status, answer.content, answer.headers["x-kind"]) == (200, b"hello", "Plain")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /a%2Fb?x=%20y HTTP/1.1"
    assert f"Host: localhost:{server.port}".encode() in lines
    assert b"X-One: 1" in lines
    assert b"Accept-Encoding: identity" in lines
    assert body == b"{}"


async def test_connections_are_kept_and_shared(client: Egress) -> None:
    async with serving() as server:
        for _ in range(3):
            await client.request("POST", f"http://127.0.0.1:{server.port}/", content=b"x")
    assert (server.connections, len(server.requests)) == (1, 3)


async def test_redirects_are_handed_back_and_cookies_forgotten(client: Egress) -> None:
    answer = (
        b"HTTP/1.1 302 Found\r\nLocation: /other\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
    )
    async with serving(answer) as server:
        for _ in range(2):
            got = await client.request("GET", f"http://127.0.0.1:{server.port}/")
            assert (got.status, got.headers["location"]) == (302, "/other")
    assert len(server.requests) == 2
    assert b"cookie" not in server.requests[1].lower()


async def test_proxies_of_the_environment_are_not_used(
    client: Egress, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving() as proxy, serving() as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        await client.request("GET", f"http://127.0.0.1:{server.port}/")
    assert (proxy.connections, server.connections) == (0, 1)


async def test_an_answer_beyond_the_limit_is_cut_off_but_its_status_is_known(
    client: Egress,
) -> None:
    endless = b"HTTP/1.1 202 Accepted\r\nContent-Length: 999999999\r\n\r\n" + b"x" * 300_000
    async with serving(endless) as server:
        with pytest.raises(AnswerTooLargeError, match="more than 65536") as caught:
            await client.request("GET", f"http://127.0.0.1:{server.port}/")
    assert (caught.value.status, caught.value.maybe_applied) == (202, True)


async def test_a_silent_server_costs_no_more_than_the_time_given(client: Egress) -> None:
    async with serving(pause=60) as server:
        with pytest.raises(EgressError, match="no answer in time") as caught:
            await client.request(
                "POST", f"http://127.0.0.1:{server.port}/", within=timedelta(milliseconds=200)
            )
    assert caught.value.maybe_applied


async def test_a_server_that_dribbles_is_cut_off_all_the_same(client: Egress) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    async with serving(head) as server:

        async def dribble() -> None:
            while True:
                await asyncio.sleep(0.02)
                for writer in server.writers:
                    writer.write(b".")

        server.tasks.add(asyncio.create_task(dribble()))
        with pytest.raises(EgressError, match="no answer in time"):
            await client.request(
                "GET", f"http://127.0.0.1:{server.port}/", within=timedelta(milliseconds=300)
            )


async def test_what_never_left_is_told_from_what_may_have_arrived(client: Egress) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(EgressError, match="no connection") as refused:
            await client.request("POST", f"http://127.0.0.1:{closed.getsockname()[1]}/")
    assert not refused.value.maybe_applied
    async with serving(b"garbage\r\n\r\n") as server:
        with pytest.raises(EgressError, match="the connection broke") as broken:
            await client.request("POST", f"http://127.0.0.1:{server.port}/")
    assert broken.value.maybe_applied


@pytest.mark.parametrize(
    "url", ["", "ftp://127.0.0.1/", "file:///etc/passwd", "//127.0.0.1/", "http://", "http://[::1",
            "http://127.0.0.1:99999/", "http://127.0.0.1:0/", "gopher://x", "\0", "\ud800"],
)  # fmt: skip
async def test_other_addresses_than_http_are_refused(client: Egress, url: str) -> None:
    with pytest.raises(EgressError) as caught:
        await client.request("GET", url)
    assert caught.value.refused


async def test_headers_cannot_smuggle_a_second_request(client: Egress) -> None:
    async with serving() as server:
        with pytest.raises(EgressError) as caught:
            await client.request(
                "GET", f"http://127.0.0.1:{server.port}/", headers={"a": "b\r\nGET / HTTP/1.1"}
            )
    assert caught.value.refused
    assert server.requests == []


async def test_reasons_do_not_show_the_secret_parts_of_an_address(client: Egress) -> None:
    async with serving(b"garbage\r\n\r\n") as server:
        with pytest.raises(EgressError) as caught:
            await client.request("GET", f"http://u:pw@localhost:{server.port}/topsecret?k=hidden")
    assert caught.value.reason.startswith(f"localhost:{server.port}: ")
    for secret in ("pw", "topsecret", "hidden"):
        assert secret not in caught.value.reason


async def test_tls_is_verified_for_the_name_and_sends_it(client: Egress) -> None:
    authority = trustme.CA()
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trusting = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    names: list[str | None] = []
    authority.issue_cert("localhost").configure_cert(served)  # pyright: ignore[reportUnknownMemberType] - half typed
    served.sni_callback = lambda _socket, name, _context: names.append(name)
    knowing = GuardedClient(LOOPBACK, ssl_context=trusting)
    async with serving(tls=served) as server:
        answer = await knowing.request("GET", f"https://localhost:{server.port}/")
        assert (answer.status, names) == (200, ["localhost"])
        for stranger, url in ((client, "localhost"), (knowing, "127.0.0.1")):
            with pytest.raises(EgressError, match="certificate is not trusted") as caught:
                await stranger.request("GET", f"https://{url}:{server.port}/")
            assert not caught.value.maybe_applied
    assert len(server.requests) == 1
    await knowing.close()
