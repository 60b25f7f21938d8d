"""The simulated phone: what rings, what does not, what its buttons do."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from tests.demo.phones import LONG_AGO, a_page, open_phone
from tocsin.keys import new_signing_key

SOON = timedelta(seconds=5)


class Door:
    """Stands in for the reply links of Tocsin."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.code = 200
        self.body = b'{"status": "acknowledged", "message": "Acknowledged by mara."}'
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.got.append(json.loads(await request.read()))
        return web.Response(status=self.code, body=self.body)


@asynccontextmanager
async def open_door() -> AsyncGenerator[Door]:
    door = Door()
    app = web.Application()
    app.router.add_post("/r/secret", door.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    door.url = f"http://127.0.0.1:{runner.addresses[0][1]}/r/secret"
    try:
        yield door
    finally:
        await runner.cleanup()


async def test_a_signed_page_rings() -> None:
    async with open_phone() as desk:
        assert (await desk.post(a_page())).status_code == 200
        (ring,) = desk.phone.rung("mara")
        assert (ring.page.kind, ring.page.text, ring.page.attempt, ring.rings) == (
            "alert",
            "HIGH #7 Night (soc)",
            1,
            True,
        )
        assert desk.phone.rung("jonas") == ()


async def test_a_page_with_a_wrong_signature_does_not_ring() -> None:
    async with open_phone() as desk:
        answer = await desk.post(a_page(), key=new_signing_key())
        assert (answer.status_code, desk.phone.rung()) == (401, ())


async def test_a_page_without_a_signature_does_not_ring() -> None:
    async with open_phone() as desk:
        answer = await desk.client.post("/mara", json=a_page())
        assert (answer.status_code, desk.phone.rung()) == (401, ())


async def test_a_page_that_was_recorded_long_ago_does_not_ring() -> None:
    async with open_phone() as desk:
        answer = await desk.post(a_page(), at=LONG_AGO)
        assert (answer.status_code, desk.phone.rung()) == (401, ())


async def test_a_page_that_comes_twice_rings_once_and_is_accepted_twice() -> None:
    async with open_phone() as desk:
        first, second = await desk.post(a_page()), await desk.post(a_page())
        assert (first.status_code, second.status_code) == (200, 200)
        (ring,) = desk.phone.rung()
        assert ring.copies == 2


async def test_the_page_of_one_person_does_not_ring_at_another() -> None:
    async with open_phone() as desk:
        answer = await desk.post(a_page(), user="jonas")
        assert (answer.status_code, desk.phone.rung()) == (404, ())


@pytest.mark.parametrize("page", [{"id": "x"}, a_page(kind="shout"), a_page(alert=7)])
async def test_what_is_not_a_page_is_refused(page: dict[str, Any]) -> None:
    async with open_phone() as desk:
        answer = await desk.post(page)
        assert (answer.status_code, desk.phone.rung()) == (400, ())


async def test_waiting_ends_with_the_page_that_is_waited_for() -> None:
    async with open_phone() as desk:
        waiting = asyncio.create_task(
            desk.phone.wait_for(lambda ring: ring.page.attempt == 2, SOON)
        )
        await desk.post(a_page(1))
        await desk.post(a_page(2))
        assert (await waiting).page.id == "page-2"


async def test_waiting_in_vain_ends_in_time() -> None:
    async with open_phone() as desk:
        with pytest.raises(TimeoutError):
            await desk.phone.wait_for(lambda ring: True, timedelta(milliseconds=20))


async def test_a_button_posts_to_the_reply_link_and_shows_what_came_back() -> None:
    async with open_phone() as desk, open_door() as door:
        await desk.post(a_page(reply=door.url))
        pressed = await desk.client.post(
            "/api/answer", json={"ring": "page-1", "action": "acknowledge", "comment": "On it."}
        )
        assert (pressed.status_code, pressed.json()) == (200, {"message": "Acknowledged by mara."})
        assert door.got == [{"action": "acknowledge", "comment": "On it."}]
        (card,) = (await desk.client.get("/api/rings")).json()["alerts"]
        assert (card["status"], card["buttons"]) == ("acknowledged", ["close", "escalate"])
        assert card["replies"][0]["message"] == "Acknowledged by mara."


async def test_an_answer_that_is_refused_says_why() -> None:
    async with open_phone() as desk, open_door() as door:
        door.code, door.body = 410, b'{"title": "Gone", "detail": "This link has ended."}'
        await desk.post(a_page(reply=door.url))
        reply = await desk.phone.answer(desk.phone.rung()[0], "close")
        assert (reply.accepted, reply.code, reply.message) == (False, 410, "This link has ended.")


async def test_an_answer_that_nobody_hears_says_so() -> None:
    async with open_phone() as desk, open_door() as door:
        await desk.post(a_page(reply=door.url))
    async with open_phone() as desk:
        await desk.post(a_page(reply=door.url))
        reply = await desk.phone.answer(desk.phone.rung()[0], "close")
        assert (reply.accepted, reply.code) == (False, 0)
        assert "did not answer" in reply.message


async def test_the_rings_of_an_alert_are_one_card_with_the_latest_first() -> None:
    async with open_phone() as desk:
        await desk.post(a_page(1))
        await desk.post(a_page(2))
        state = (await desk.client.get("/api/rings")).json()
        (card,) = state["alerts"]
        assert [ring["attempt"] for ring in card["rings"]] == [2, 1]
        assert (card["title"], card["severity"], card["status"]) == ("Night", "high", "open")
        assert card["buttons"] == []  # no link for replies, no buttons


async def test_the_button_for_a_new_incident_asks_the_cloud_for_one() -> None:
    async with open_phone() as desk:
        answer = await desk.client.post("/api/incident", json={})
        assert answer.json() == {"message": "Incident 1 is in Sentinel."}


@pytest.mark.parametrize("path", ["/api/answer", "/api/incident"])
async def test_another_site_cannot_press_buttons(path: str) -> None:
    async with open_phone() as desk:
        form = await desk.client.post(path, data={"action": "close"})
        assert form.status_code == 415
        foreign = await desk.client.post(path, json={}, headers={"host": "evil.example"})
        assert foreign.status_code == 400


async def test_the_page_loads_nothing_from_elsewhere_and_runs_only_its_own_script() -> None:
    async with open_phone() as desk:
        page = await desk.client.get("/")
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "//" not in page.text.replace("<!doctype html>", "")
        for needed in ('aria-live="polite"', 'lang="en"', "prefers-color-scheme:dark", "viewport"):
            assert needed in page.text
