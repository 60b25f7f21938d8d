"""What senders meet at their addresses."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.web.stage import SECRET, Stage, stage


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    async with stage(database) as made:
        yield made


@pytest.mark.parametrize("path", [f"/webhook/{SECRET}", f"/webhook/{SECRET}/"])
async def test_a_posted_event_is_an_alert_before_the_answer(doors: Stage, path: str) -> None:
    async with doors.client() as web:
        answer = await web.post(path, json={"Title": "Pump stands still", "X-S4-ExternalID": "p1"})
    assert answer.status_code == 201
    assert answer.json()["eventId"]
    found = await doors.rows("SELECT title, external_id, next_step_at FROM alert")
    assert [(row["title"], row["external_id"]) for row in found] == [("Pump stands still", "p1")]
    assert found[0]["next_step_at"] is not None


async def test_the_query_and_the_dialects_address_work_as_well(doors: Stage) -> None:
    async with doors.client() as web:
        first = await web.post(f"/webhook/{SECRET}?X-S4-ExternalID=q1", json={"Title": "a"})
        second = await web.post(f"/in/signl4/{SECRET}", json={"Title": "b"})
    assert (first.status_code, second.status_code) == (201, 201)
    found = await doors.rows("SELECT external_id FROM alert WHERE external_id IS NOT NULL")
    assert [row["external_id"] for row in found] == ["q1"]


async def test_every_unknown_secret_gets_the_same_answer(doors: Stage) -> None:
    async with doors.client() as web:
        answers = [
            await web.post(path, json={"Title": "x"})
            for path in (
                "/webhook/nobody-knows",
                "/webhook/prom-secret-0001",  # known, for another dialect
                f"/in/alertmanager/{SECRET}",
                "/in/no-such-dialect/x",
                "/heartbeat/nobody-knows",
                "/v2/enqueue",
            )
        ]
    assert {answer.status_code for answer in answers} == {404}
    bodies = [{k: v for k, v in answer.json().items() if k != "request_id"} for answer in answers]
    assert all(body == bodies[0] for body in bodies)
    assert await doors.rows("SELECT 1 FROM alert") == []


async def test_a_dialect_to_come_answers_501_to_those_who_may_post(doors: Stage) -> None:
    key = "0123456789abcdef0123456789abcdef"
    posts: dict[str, object] = {
        "/in/alertmanager/prom-secret-0001": {},
        "/alertmanager/prom-secret-0001/api/v2/alerts": [],
        "/v2/enqueue": {"routing_key": key},
        "/v2/change/enqueue": {"routing_key": key},
        "/generic/2010-04-15/create_event.json": {"service_key": key},
    }
    async with doors.client() as web:
        for path, body in posts.items():
            answer = await web.post(path, json=body)
            assert answer.status_code == 501, path
            assert answer.headers["content-type"] == "application/problem+json"
    assert await doors.rows("SELECT 1 FROM alert") == []


async def test_looking_at_an_address_changes_nothing(doors: Stage) -> None:
    async with doors.client() as web:
        for path in (f"/webhook/{SECRET}?Title=x", f"/in/signl4/{SECRET}?Title=x"):
            for method in ("GET", "HEAD"):
                assert (await web.request(method, path)).status_code == 405
    assert await doors.rows("SELECT 1 FROM alert") == []


async def test_an_integration_that_is_removed_stops_working_within_seconds(doors: Stage) -> None:
    async with doors.client() as web:
        assert (await web.post(f"/webhook/{SECRET}", json={"Title": "x"})).status_code == 201
        await doors.sql("DELETE FROM address")
        await doors.sql("DELETE FROM integration WHERE name = 'plant'")
        await doors.clock.move(timedelta(seconds=4))
        assert (await web.post(f"/webhook/{SECRET}", json={"Title": "x"})).status_code == 404


async def test_bad_input_is_an_alert_or_a_clear_refusal(doors: Stage) -> None:
    bodies = [
        b"",
        b"{",
        b"\x00\xff\xfe",
        b'{"Title": "a\\u0000b", "X-S4-ExternalID": "k\\u0000"}',
        b'{"Title": "x", "Title": "y"}',
        b'{"Title": "\\ud800"}',
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"Title": "x", "when": "2026-02-31T25:61:00"}',
        b'{"Title": "' + b"x" * 100_000 + b'", "X-S4-ExternalID": "' + b"k" * 100_000 + b'"}',
    ]
    raised = 0
    async with doors.client() as web:
        for body in bodies:
            answer = await web.post(
                f"/webhook/{SECRET}", content=body, headers={"Content-Type": "application/json"}
            )
            assert answer.status_code in {201, 400, 415}, body[:60]
            assert "Traceback" not in answer.text
            raised += answer.status_code == 201
    assert len(await doors.rows("SELECT 1 FROM alert")) == raised


async def test_an_oversized_event_is_a_413(doors: Stage) -> None:
    async with doors.client() as web:
        answer = await web.post(f"/webhook/{SECRET}", content=b"x" * 1_100_000)
    assert answer.status_code == 413


async def test_a_sender_that_hangs_up_does_not_undo_its_event(doors: Stage) -> None:
    async with doors.client() as web:
        posting = asyncio.create_task(web.post(f"/webhook/{SECRET}", json={"Title": "x"}))
        for _ in range(10_000):
            if doors.intake.waiting:
                break
            await asyncio.sleep(0)
        posting.cancel()
        for _ in range(200):
            if await doors.rows("SELECT 1 FROM alert"):
                return
            await asyncio.sleep(0.01)
    raise AssertionError("the event was lost")
