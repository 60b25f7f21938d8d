"""The outermost layer: what never reaches the doors behind it."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tocsin.web.gate import API_LIMIT, INTAKE_LIMIT, Gate
from tocsin.web.problems import answer as answer_


async def length(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def fails(_: Request) -> Response:
    raise RuntimeError("the secret is swordfish")


async def database_is_away(_: Request) -> Response:
    raise ConnectionRefusedError


async def database_restarts(_: Request) -> Response:
    raise asyncpg.exceptions.CannotConnectNowError("starting up")


def client(body_seconds: float = 5.0) -> httpx.AsyncClient:
    inner = Starlette(
        routes=[
            Route("/webhook/{secret}", length, methods=["POST"]),
            Route("/api/v1/echo", length, methods=["POST"]),
            Route("/fails", fails),
            Route("/away", database_is_away),
            Route("/restarts", database_restarts),
        ],
        exception_handlers={Exception: answer_},
    )
    transport = httpx.ASGITransport(Gate(inner, body_seconds=body_seconds))
    return httpx.AsyncClient(transport=transport, base_url="http://tocsin.test")


@pytest.mark.parametrize(
    ("path", "limit"), [("/webhook/secret", INTAKE_LIMIT), ("/api/v1/echo", API_LIMIT)]
)
async def test_a_body_larger_than_its_limit_is_a_413_and_one_as_large_is_read(
    path: str, limit: int
) -> None:
    async with client() as web:
        fits = await web.post(path, content=b"x" * limit)
        assert fits.text == str(limit)
        large = await web.post(path, content=b"x" * (limit + 1))
    assert large.status_code == 413
    assert large.headers["content-type"] == "application/problem+json"
    assert large.json()["remedy"]


async def test_a_body_without_announced_length_is_counted_as_it_comes() -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 65_536

    async with client() as web:
        answer = await web.post("/webhook/secret", content=endless())
    assert answer.status_code == 413


async def test_a_body_that_does_not_come_is_a_408() -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(5)
        yield b"y"

    async with client(body_seconds=0.05) as web:
        answer = await web.post("/webhook/secret", content=slow())
    assert answer.status_code == 408


async def test_headers_larger_than_their_limit_are_a_431() -> None:
    async with client() as web:
        answer = await web.get("/fails", headers={"x-large": "x" * 40_000})
    assert answer.status_code == 431


@pytest.mark.parametrize("path", ["/webhook/a%00b", "/fails?q=%00"])
async def test_a_nul_in_the_address_is_a_400(path: str) -> None:
    async with client() as web:
        assert (await web.get(path)).status_code == 400


async def test_a_fault_of_ours_is_a_500_that_tells_nothing_but_its_request_id() -> None:
    async with client() as web:
        answer = await web.get("/fails")
    assert answer.status_code == 500
    problem = answer.json()
    assert "swordfish" not in answer.text
    assert "Traceback" not in answer.text
    assert problem["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/away", "/restarts"])
async def test_a_database_that_is_away_is_a_503_that_says_when_to_come_again(path: str) -> None:
    async with client() as web:
        answer = await web.get(path)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "database" in answer.json()["detail"]
