"""Who gets in with which token."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.web.stage import NOW, SECRET, Stage, public, stage
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


async def test_a_token_that_another_process_revoked_stops_within_a_second(doors: Stage) -> None:
    async with doors.client("mara") as web:
        assert (await web.get("/api/v1/alerts")).status_code == 200
        await doors.sql("DELETE FROM api_token WHERE user_id = 2")
        await doors.clock.move(timedelta(seconds=1))
        assert (await web.get("/api/v1/alerts")).status_code == 401


async def test_a_user_whom_another_process_deactivated_is_out_within_a_second(doors: Stage) -> None:
    async with doors.client("mara") as web:
        assert (await web.get("/api/v1/alerts")).status_code == 200
        await doors.sql("UPDATE app_user SET active = false WHERE id = 2")
        await doors.clock.move(timedelta(seconds=1))
        assert (await web.get("/api/v1/alerts")).status_code == 401


async def test_what_this_process_revokes_stops_at_once(doors: Stage) -> None:
    async with doors.client("root") as root, doors.client("mara") as mara:
        made = (await mara.post("/api/v1/tokens", json={"scope": "read"})).json()
        async with doors.client(token=made["token"]) as web:
            assert (await web.get("/api/v1/alerts")).status_code == 200
            assert (await mara.delete(f"/api/v1/tokens/{made['id']}")).status_code == 204
            assert (await web.get("/api/v1/alerts")).status_code == 401
        body = {"team": "soc", "title": "x", "severity": "info"}
        assert (await mara.post("/api/v1/alerts", json=body)).status_code == 201
        await root.patch("/api/v1/users/mara", json={"role": "viewer"})
        assert (await mara.post("/api/v1/alerts", json=body)).status_code == 403
        await root.patch("/api/v1/teams/soc", json={"members": ["vera", "sam", "ada", "jonas"]})
        assert (await mara.get("/api/v1/alerts?team=soc")).status_code == 404
        await root.patch("/api/v1/users/mara", json={"active": False})
        assert (await mara.get("/api/v1/alerts")).status_code == 401


async def test_a_wider_scope_is_advised_only_where_the_scope_is_what_lacks(doors: Stage) -> None:
    body = {"name": "red", "time_zone": "UTC"}
    async with doors.client("mara") as web:
        role = (await web.post("/api/v1/teams", json=body)).json()
    async with doors.client(token=await doors.token("root", "write")) as web:
        scope = (await web.post("/api/v1/teams", json=body)).json()
    assert role["remedy"] == "Ask an admin for the role."
    assert "scope" not in role["detail"]
    assert scope["remedy"] == "Use a token of a wider scope."


async def test_a_read_token_cannot_answer_and_is_told_why(doors: Stage) -> None:
    alert = await doors.alert()
    async with doors.client(token=await doors.token("mara", "read")) as web:
        assert (await web.get(f"/api/v1/alerts/{public(alert)}")).status_code == 200
        answer = await web.post(f"/api/v1/alerts/{public(alert)}/acknowledge")
    assert answer.status_code == 403
    assert "scope read" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nowhere", 404), ("/api/v1/nowhere", 404), ("/api/v3/alerts", 404), ("/", 404)],
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
    allowed = {
        ("DELETE", "/api/v1/alerts"): "GET, POST",
        ("PUT", "/api/v1/teams/soc"): "DELETE, GET, PATCH",
        ("GET", "/api/v1/duty/punch-in"): "POST",
        ("GET", f"/webhook/{SECRET}"): "POST",
        ("DELETE", "/p/x"): "GET, HEAD, POST",
    }
    async with doors.client("mara") as web:
        for (method, path), methods in allowed.items():
            answer = await web.request(method, path)
            assert answer.status_code == 405
            assert answer.headers["allow"] == methods
            assert methods in answer.json()["detail"]
            assert answer.headers["content-type"] == "application/problem+json"


COMING = ("/callback/sms/x", "/scim/v2/Users", "/auth/login")


async def test_addresses_of_a_later_version_say_so(doors: Stage) -> None:
    async with doors.client() as web:
        for path in COMING:
            for method in ("GET", "POST"):
                answer = await web.request(method, path)
                assert answer.status_code == 501, path
                assert "a later version" in answer.json()["detail"]
        assert (await web.get("/heartbeat/no-such-secret")).status_code == 404
        assert (await web.get("/api/v2/alerts")).status_code == 401
        assert (await web.get("/api/v1/webhooks")).status_code == 401
        key = {"X-S4-Api-Key": doors.tokens["mara"]}
        assert (await web.post("/api/v2/alerts", headers=key, json={})).status_code == 501
    async with doors.client("mara") as web:
        assert (await web.get("/api/v2/teams")).status_code == 501
        for path in ("webhooks", "webhooks/x"):
            answer = await web.get(f"/api/v1/{path}")
            assert answer.status_code == 501
            assert "a later version" in answer.json()["detail"]


async def test_the_description_of_the_api_can_be_read(doors: Stage) -> None:
    async with doors.client() as web:
        answer = await web.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert "/alerts/{alert_id}/acknowledge" in answer.json()["paths"]
