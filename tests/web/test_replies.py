"""The signed links: programs answer on /r/, people on /p/."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from tests.web.stage import Stage, stage
from tocsin.core.event import Event
from tocsin.core.kinds import Status
from tocsin.web.pages import SIZE_LIMIT


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    async with stage(database) as made:
        yield made


def nonce(page: httpx.Response) -> str:
    found = re.search(r'name="nonce" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


async def test_a_reply_acknowledges_then_closes_and_may_be_repeated(doors: Stage) -> None:
    alert = await doors.alert()
    reply = (await doors.page(alert))["reply"]
    async with doors.client() as web:
        for _ in range(2):
            answer = await web.post(reply, json={"action": "acknowledge", "comment": "on it"})
            assert answer.status_code == 200
            assert answer.json()["status"] == "acknowledged"
            assert "cknowledged by mara" in answer.json()["message"]
        for _ in range(2):
            answer = await web.post(reply, json={"action": "close"})
            assert (answer.status_code, answer.json()["status"]) == (200, "closed")
            assert "losed by mara" in answer.json()["message"]
    now = await doors.now_of(alert)
    assert now.status is Status.CLOSED
    assert now.closure is not None
    assert (now.closure.name, now.closure.via) == ("mara", "reply")


async def test_a_reply_that_comes_too_late_says_who_was_first(doors: Stage) -> None:
    alert = await doors.alert()
    first = (await doors.page(alert, "mara"))["reply"]
    second = (await doors.page(alert, "jonas"))["reply"]
    async with doors.client() as web:
        await web.post(first, json={"action": "acknowledge"})
        late = await web.post(second, json={"action": "acknowledge"})
    assert late.status_code == 200
    assert "by mara" in late.json()["message"]
    assert (await doors.now_of(alert)).owner == 2


async def test_a_reply_link_acts_on_post_only(doors: Stage) -> None:
    alert = await doors.alert()
    reply = (await doors.page(alert))["reply"]
    async with doors.client() as web:
        for method in ("GET", "HEAD", "PUT", "DELETE"):
            assert (await web.request(method, reply)).status_code == 405
    assert (await doors.now_of(alert)).status is Status.OPEN


async def test_a_reply_that_cannot_be_read_is_a_400_and_changes_nothing(doors: Stage) -> None:
    alert = await doors.alert()
    reply = (await doors.page(alert))["reply"]
    async with doors.client() as web:
        for body in (
            b"",
            b"[]",
            b"{}",
            b'{"action": "dance"}',
            b'{"action": ["acknowledge"]}',
            b'{"action": "annotate"}',
            b'{"action": "acknowledge", "user": "jonas"}',
            b'{"action": "acknowledge", "action": "close"}',
            b'{"action": "acknowledge", "comment": 7}',
            b'{"action": "acknowledge", "comment": "\\u0000"}',
        ):
            answer = await web.post(reply, content=body)
            assert answer.status_code == 400, body
            assert answer.json()["remedy"]
    assert await doors.now_of(alert) == alert


async def test_the_two_links_of_a_notification_are_different_secrets(doors: Stage) -> None:
    paths = await doors.page(await doors.alert())
    async with doors.client() as web:
        wrong = paths["page"].replace("/p/", "/r/")
        assert (await web.post(wrong, json={"action": "close"})).status_code == 404
        assert (await web.get(paths["reply"].replace("/r/", "/p/"))).status_code == 404
        assert (await web.get("/p/nobody-knows")).status_code == 404


async def test_looking_at_a_page_changes_nothing_and_shows_buttons(doors: Stage) -> None:
    alert = await doors.alert()
    page = (await doors.page(alert))["page"]
    before = await doors.rows("SELECT * FROM notification")
    async with doors.client() as web:
        for method in ("GET", "HEAD", "GET"):
            shown = await web.request(method, page)
            assert shown.status_code == 200
    assert await doors.now_of(alert) == alert
    assert await doors.rows("SELECT * FROM notification") == before
    assert 'value="acknowledge"' in shown.text
    assert "<script" not in shown.text
    assert shown.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in shown.headers["content-security-policy"]


async def test_the_style_of_the_page_is_the_one_that_its_policy_allows(doors: Stage) -> None:
    page = (await doors.page(await doors.alert()))["page"]
    async with doors.client() as web:
        shown = await web.get(page)
    style = re.search(r"<style>(.*)</style>", shown.text, re.DOTALL)
    assert style is not None
    text = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"'sha256-{text}'" in shown.headers["content-security-policy"]


async def test_a_button_acts_once_and_a_used_form_is_refused_kindly(doors: Stage) -> None:
    alert = await doors.alert()
    page = (await doors.page(alert))["page"]
    async with doors.client() as web:
        form = {"action": "acknowledge", "nonce": nonce(await web.get(page)), "comment": "ok"}
        done = await web.post(page, data=form)
        assert done.status_code == 200
        assert "Acknowledged by mara" in done.text
        await doors.sql("UPDATE alert SET status = 'open'")
        again = await web.post(page, data=form)
        assert again.status_code == 409
        assert "used before" in again.text
        assert (await doors.now_of(alert)).status is Status.OPEN
        fresh = await web.post(page, data=form | {"nonce": nonce(again)})
        assert fresh.status_code == 200
    via = await doors.rows("SELECT via, data FROM timeline WHERE kind = 'acknowledged'")
    assert {row["via"] for row in via} == {"page"}


async def test_a_form_without_its_nonce_changes_nothing(doors: Stage) -> None:
    alert = await doors.alert()
    page = (await doors.page(alert))["page"]
    async with doors.client() as web:
        for form in ({"action": "close"}, {"action": "close", "nonce": "x"}):
            assert (await web.post(page, data=form)).status_code == 409
        for wrong in ({"nonce": "x"}, {"action": "dance"}, {}):
            assert (await web.post(page, data=wrong)).status_code == 400
    assert (await doors.now_of(alert)).status is Status.OPEN


async def test_a_page_may_be_used_for_one_button_after_the_other(doors: Stage) -> None:
    alert = await doors.alert()
    page = (await doors.page(alert))["page"]
    async with doors.client() as web:
        shown = await web.get(page)
        for action in ("escalate", "acknowledge", "close"):
            shown = await web.post(page, data={"action": action, "nonce": nonce(shown)})
            assert shown.status_code == 200
    assert (await doors.now_of(alert)).status is Status.CLOSED


async def test_after_the_close_both_links_only_say_who_closed_it_for_a_day(doors: Stage) -> None:
    alert = await doors.alert()
    paths = await doors.page(alert)
    async with doors.client() as web:
        await web.post(paths["reply"], json={"action": "close"})
        closed = await doors.now_of(alert)
        for action in ("acknowledge", "escalate", "annotate"):
            late = await web.post(paths["reply"], json={"action": action, "comment": "x"})
            assert (late.status_code, late.json()["status"]) == (200, "closed")
            assert "Closed by mara" in late.json()["message"]
        shown = await web.get(paths["page"])
        assert "Closed by mara" in shown.text
        assert "<form" not in shown.text
        pressed = await web.post(paths["page"], data={"action": "escalate", "nonce": "x"})
        assert "Closed by mara" in pressed.text
        assert await doors.now_of(alert) == closed
        await doors.clock.move(timedelta(hours=24, seconds=1))
        assert (await web.get(paths["page"])).status_code == 410
        assert (await web.post(paths["reply"], json={"action": "close"})).status_code == 410


@pytest.mark.parametrize(
    "loss",
    [
        "DELETE FROM membership WHERE user_id = 2",
        "UPDATE app_user SET active = false WHERE id = 2",
        "DELETE FROM app_user WHERE id = 2",
    ],
)
async def test_a_person_who_lost_access_to_the_team_is_refused(doors: Stage, loss: str) -> None:
    alert = await doors.alert()
    paths = await doors.page(alert)
    async with doors.client() as web:
        form = {"action": "close", "nonce": nonce(await web.get(paths["page"]))}
        await doors.sql(loss)
        assert (await web.post(paths["reply"], json={"action": "close"})).status_code == 403
        assert (await web.get(paths["page"])).status_code == 403
        assert (await web.post(paths["page"], data=form)).status_code == 403
        assert "Impossible travel" not in (await web.get(paths["page"])).text
    assert await doors.now_of(alert) == alert


async def test_a_viewer_sees_the_page_and_cannot_act(doors: Stage) -> None:
    alert = await doors.alert()
    paths = await doors.page(alert, "vera")
    async with doors.client() as web:
        shown = await web.get(paths["page"])
        assert shown.status_code == 200
        assert "<form" not in shown.text
        assert (await web.post(paths["reply"], json={"action": "close"})).status_code == 403
        pressed = await web.post(paths["page"], data={"action": "close", "nonce": "x"})
        assert pressed.status_code == 403
    assert await doors.now_of(alert) == alert


async def test_hostile_words_and_long_ones_stay_words_on_a_small_page(doors: Stage) -> None:
    evil = "<script>alert(1)</script>" * 500
    alert = await doors.alert(event=Event(title=evil[:300], text=evil, source_name=evil[:300]))
    page = (await doors.page(alert))["page"]
    async with doors.client() as web:
        shown = await web.get(page, headers={"Accept-Language": "de"})
        posted = await web.post(
            page, data={"action": "acknowledge", "nonce": nonce(shown), "comment": evil[:2000]}
        )
    for answer in (shown, posted):
        assert answer.status_code == 200
        assert "<script" not in answer.text
        assert len(answer.content) <= SIZE_LIMIT
    assert "Quittieren" in shown.text
