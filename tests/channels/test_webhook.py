"""The webhook channel against a real receiver that verifies with the reference library."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from tocsin.channels.webhook import WebhookChannel
from tocsin.clock import SystemClock
from tocsin.egress import GuardedClient
from tocsin.keys import new_signing_key
from tocsin.ports import Address, Channel, Failed, FailureKind, MessageKind, Sent
from tocsin.testing.channels import (
    LOOPBACK,
    NOW,
    check_declarations,
    check_failures,
    context,
    message,
)

KEY = new_signing_key()


class Receiver:
    """Keeps what arrives and answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        self.headers: dict[str, str] = {}
        self.body = b""
        self.port = 0

    async def take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append((headers, await request.read()))
        return web.Response(status=self.status, headers=self.headers, body=self.body)

    @property
    def address(self) -> Address:
        return Address(value=f"http://127.0.0.1:{self.port}/mara?x=1", signing_key=KEY)


@asynccontextmanager
async def receiving() -> AsyncGenerator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/mara", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.port = runner.addresses[0][1]
    try:
        yield receiver
    finally:
        await runner.cleanup()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def egress() -> AsyncIterator[GuardedClient]:
    client = GuardedClient(LOOPBACK, longest=timedelta(seconds=1))
    yield client
    await client.close()


def test_the_declarations_hold() -> None:
    check_declarations(WebhookChannel)
    assert WebhookChannel.media == ("webhook",)
    assert WebhookChannel.capabilities.machine


async def test_it_bears_what_every_channel_must(egress: GuardedClient) -> None:
    def make(port: int) -> tuple[Channel, Address]:
        address = Address(value=f"http://127.0.0.1:{port}/top-secret", signing_key=KEY)
        return WebhookChannel(context(egress=egress)), address

    await check_failures(make, secrets=("top-secret",))


async def test_a_page_has_the_body_of_the_contract(
    receiver: Receiver, egress: GuardedClient
) -> None:
    page = replace(message(), step=2, attempt=3)
    result = await WebhookChannel(context(egress=egress)).send(page, receiver.address)
    assert result == Sent(detail="HTTP 204")
    headers, body = receiver.got[0]
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {
        "id": "n-0001",
        "kind": "alert",
        "user": "mara",
        "contact_method": "phone",
        "urgency": "urgent",
        "step": 2,
        "attempt": 3,
        "text": "HIGH #17 Impossible travel (SOC)",
        "alert": {"id": "a-17", "team": "soc", "title": "Impossible travel"},
        "links": {
            "page": "https://tocsin.example/p/page-secret",
            "reply": "https://tocsin.example/r/reply-secret",
        },
    }


async def test_a_message_about_several_alerts_lists_them_all(
    receiver: Receiver, egress: GuardedClient
) -> None:
    alerts = ({"number": 1}, {"number": 2})
    channel = WebhookChannel(context(egress=egress))
    await channel.send(message(), receiver.address)
    await channel.send(replace(message(), alerts=alerts), receiver.address)
    one, several = (json.loads(body) for _, body in receiver.got)
    assert "alerts" not in one
    assert several["alerts"] == list(alerts)


async def test_a_notice_is_about_no_alert_and_takes_no_reply(
    receiver: Receiver, egress: GuardedClient
) -> None:
    notice = replace(message(MessageKind.NOTICE), links=message().links)
    await WebhookChannel(context(egress=egress)).send(notice, receiver.address)
    sent: dict[str, Any] = json.loads(receiver.got[0][1])
    assert (sent["kind"], sent["alert"]) == ("notice", None)
    assert list(sent["links"]) == ["page"]


async def test_the_reference_library_verifies_the_signature(
    receiver: Receiver, egress: GuardedClient
) -> None:
    channel = WebhookChannel(context(egress=egress, clock=SystemClock()))
    await channel.send(replace(message(), text="Größe 😀"), receiver.address)
    headers, body = receiver.got[0]
    assert headers["webhook-id"] == "n-0001"
    assert Webhook(KEY).verify(body, headers)["text"] == "Größe 😀"


async def test_the_timestamp_is_the_clocks_and_a_retry_carries_the_same_id(
    receiver: Receiver, egress: GuardedClient
) -> None:
    channel = WebhookChannel(context(egress=egress))
    for attempt in (1, 2):
        await channel.send(replace(message(), attempt=attempt), receiver.address)
    ids = [headers["webhook-id"] for headers, _ in receiver.got]
    assert ids == ["n-0001", "n-0001"]
    assert receiver.got[0][0]["webhook-timestamp"] == str(int(NOW.timestamp()))


async def test_without_a_key_it_goes_out_unsigned_and_with_a_broken_one_an_admin_is_told(
    receiver: Receiver, egress: GuardedClient
) -> None:
    channel = WebhookChannel(context(egress=egress))
    unsigned = replace(receiver.address, signing_key=None)
    assert isinstance(await channel.send(message(), unsigned), Sent)
    assert "webhook-signature" not in receiver.got[0][0]
    broken = await channel.send(message(), replace(unsigned, signing_key="whsec_?"))
    assert isinstance(broken, Failed)
    assert broken.kind is FailureKind.CONFIGURATION


@pytest.mark.parametrize(
    ("status", "kind", "maybe_applied"),
    [
        (301, FailureKind.CONFIGURATION, False),
        (400, FailureKind.PERMANENT, False),
        (401, FailureKind.CONFIGURATION, False),
        (403, FailureKind.CONFIGURATION, False),
        (404, FailureKind.CONFIGURATION, False),
        (405, FailureKind.CONFIGURATION, False),
        (408, FailureKind.TEMPORARY, False),
        (410, FailureKind.PERMANENT, False),
        (413, FailureKind.PERMANENT, False),
        (422, FailureKind.PERMANENT, False),
        (425, FailureKind.TEMPORARY, False),
        (429, FailureKind.TEMPORARY, False),
        (500, FailureKind.TEMPORARY, True),
        (503, FailureKind.TEMPORARY, True),
    ],
)
async def test_each_refusal_says_who_has_to_do_something(
    receiver: Receiver, egress: GuardedClient, status: int, kind: FailureKind, maybe_applied: bool
) -> None:
    receiver.status = status
    result = await WebhookChannel(context(egress=egress)).send(message(), receiver.address)
    assert isinstance(result, Failed)
    assert (result.kind, result.maybe_applied) == (kind, maybe_applied)
    assert str(status) in result.reason


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("0", timedelta(0)),
        ("7", timedelta(seconds=7)),
        ("9" * 400, timedelta(hours=1)),
        ("Tue, 24 Nov 2026 03:00:30 GMT", timedelta(seconds=30)),
        ("Tue, 24 Nov 2026 02:00:00 GMT", timedelta(0)),
        ("Tue, 24 Nov 2099 02:00:00 GMT", timedelta(hours=1)),
        ("soon", None),
        ("-1", None),
        ("Tue, 99 Nov 99999 02:00:00 GMT", None),
        ("²", None),
    ],
)
async def test_retry_after_is_honoured_up_to_an_hour(
    receiver: Receiver, egress: GuardedClient, value: str, wait: timedelta | None
) -> None:
    receiver.status, receiver.headers = 503, {"Retry-After": value}
    result = await WebhookChannel(context(egress=egress)).send(message(), receiver.address)
    assert isinstance(result, Failed)
    assert result.retry_after == wait


async def test_a_page_that_was_accepted_with_a_huge_body_was_accepted(
    receiver: Receiver, egress: GuardedClient
) -> None:
    receiver.status, receiver.body = 200, b"x" * 500_000
    channel = WebhookChannel(context(egress=egress))
    assert isinstance(await channel.send(message(), receiver.address), Sent)


async def test_a_private_address_waits_for_an_administrator(receiver: Receiver) -> None:
    guarded = GuardedClient()
    channel = WebhookChannel(context(egress=guarded))
    result = await channel.send(message(), receiver.address)
    await guarded.close()
    assert isinstance(result, Failed)
    assert result.kind is FailureKind.CONFIGURATION
    assert "TOCSIN_ALLOW_PRIVATE_TARGETS" in result.reason
    assert receiver.got == []


async def test_many_pages_at_once_all_arrive(receiver: Receiver, egress: GuardedClient) -> None:
    channel = WebhookChannel(context(egress=egress))
    pages = [replace(message(), id=f"n-{number}") for number in range(200)]
    results = await asyncio.gather(*(channel.send(page, receiver.address) for page in pages))
    assert {type(result) for result in results} == {Sent}
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 200


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9199/mara", "https://user:pw@host.example:8443/a?b=c", "HTTP://h"]
)
def test_addresses_that_people_enter_are_taken(address: str) -> None:
    assert WebhookChannel.check_address(address) is None


@pytest.mark.parametrize(
    "address",
    ["ftp://h/", "https://", "h.example/x", "https://h:0/", "https://h:x/", "http://h /"],
)
def test_addresses_that_lead_nowhere_are_refused(address: str) -> None:
    assert WebhookChannel.check_address(address)


def test_the_test_clock_stands_where_the_dates_above_expect_it() -> None:
    assert datetime(2026, 11, 24, 3, 0, tzinfo=UTC) == NOW
