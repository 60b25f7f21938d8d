"""A connection that sends a head or trailers without end is cut before it costs memory."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from tocsin.web.bounded import BESIDE_BODY, BoundedHttp

PIECE = b"x" * 4096


async def application(_scope: Scope, receive: Receive, send: Send) -> None:
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


@asynccontextmanager
async def served() -> AsyncGenerator[int]:
    config = uvicorn.Config(application, port=0, http=BoundedHttp, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells it by this flag alone
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


def headers() -> Iterable[bytes]:
    yield b"POST / HTTP/1.1\r\nHost: x\r\n"
    while True:
        yield b"h: " + PIECE + b"\r\n"


def address() -> Iterable[bytes]:
    yield b"POST /"
    while True:
        yield PIECE


def trailers() -> Iterable[bytes]:
    yield b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    while True:
        yield b"t: " + PIECE + b"\r\n"


@pytest.mark.parametrize("attack", [headers, address, trailers])
async def test_what_never_ends_is_cut(attack: Callable[[], Iterable[bytes]]) -> None:
    async with served() as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        sent = 0
        try:
            for piece in attack():
                writer.write(piece)
                await writer.drain()
                sent += len(piece)
                assert sent < 64 * BESIDE_BODY, "it was never cut"
        except ConnectionError:
            pass
        finally:
            writer.close()


@pytest.mark.parametrize("size", [0, 1000, 1024 * 1024 - 1, 4 * 1024 * 1024])
async def test_bodies_of_any_size_come_through_one_after_the_other(size: int) -> None:
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
            writer.write(b"b" * size)
            await writer.drain()
            answer = await reader.readuntil(str(size).encode() + b"\r\n0\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200")
        writer.close()
        await writer.wait_closed()
