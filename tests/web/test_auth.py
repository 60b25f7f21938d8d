"""Who gets in with which token."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.web.stage import NOW, Stage, public, stage
from tocsin.keys import new_token


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    async with stage(database) as made:
        yield made


async def test_every_way_of_having_no_token_gets_the_same_401(doors: Stage) -> None:
    expired = await doors.token("mara", "read", NOW - timedelta(seconds=1))
    good = doors.tokens["mara"]
    headers = [
        None,
        "",
        "Bearer",
        f"Basic {good}",
        good,
        "Bearer tcs_",
        f"Bearer {new_token()}",
        f"Bearer {good[:-1]}",
        f"Bearer {good}x",
        f"Bearer {expired}",
        "Bearer " + "x" * 10_000,
        "Bearer \xe4\xf6",
    ]
    async with doors.client() as web:
        answers = [
            await web.get(
                "/api/v1/alerts",
                headers={} if header is None else {b"Authorization": header.encode("latin-1")},
            )
            for header in headers
        ]
    assert {answer.status_code for answer in answers} == {401}
    assert all(answer.headers["www-authenticate"].startswith("Bearer") for answer in answers)
    bodies = [{k: v for k, v in answer.json().items() if k != "request_id"} for answer in answers]
    assert all(body == bodies[0] for body in bodies)


async def test_a_token_in_the_query_is_none(doors: Stage) -> None:
    async with doors.client() as web:
        answer = await web.get(f"/api/v1/alerts?token={doors.tokens['mara']}")
    assert answer.status_code in {401, 422}


async def test_a_revoked_token_stops_within_seconds(doors: Stage) -> None:
    async with doors.client("mara") as web:
        assert (await web.get("/api/v1/alerts")).status_code == 200
        await doors.sql("DELETE FROM api_token WHERE user_id = 2")
        await doors.clock.move(timedelta(seconds=3))
        assert (await web.get("/api/v1/alerts")).status_code == 401


async def test_a_deactivated_user_is_out_within_seconds(doors: Stage) -> None:
    async with doors.client("mara") as web:
        assert (await web.get("/api/v1/alerts")).status_code == 200
        await doors.sql("UPDATE app_user SET active = false WHERE id = 2")
        await doors.clock.move(timedelta(seconds=3))
        assert (await web.get("/api/v1/alerts")).status_code == 401


async def test_a_read_token_cannot_answer_and_is_told_why(doors: Stage) -> None:
    alert = await doors.alert()
    async with doors.client(token=await doors.token("mara", "read")) as web:
        assert (await web.get(f"/api/v1/alerts/{public(alert)}")).status_code == 200
        answer = await web.post(f"/api/v1/alerts/{public(alert)}/acknowledge")
    assert answer.status_code == 403
    assert "scope read" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nowhere", 404), ("/api/v1/nowhere", 404), ("/api/v2/alerts", 404), ("/", 404)],
)
async def test_an_address_that_is_none_is_a_problem_document(
    doors: Stage, path: str, status: int
) -> None:
    async with doors.client() as web:
        answer = await web.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["remedy"]


async def test_a_method_that_is_none_is_a_405_that_names_those_that_are(doors: Stage) -> None:
    async with doors.client("mara") as web:
        answer = await web.delete("/api/v1/alerts")
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_description_of_the_api_can_be_read(doors: Stage) -> None:
    async with doors.client() as web:
        answer = await web.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert "/alerts/{alert_id}/acknowledge" in answer.json()["paths"]
