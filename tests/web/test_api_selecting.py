"""What stands behind the question mark, and whom a name means."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.web.stage import SECRET, Stage, public, stage
from tests.web.test_access_table import ROUTES, called, targets
from tocsin.actions import configure
from tocsin.core import ids
from tocsin.core.event import Event


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    async with stage(database) as made:
        yield made


async def test_every_call_refuses_a_query_parameter_that_it_does_not_know(doors: Stage) -> None:
    made = await targets(doors, "soc")
    async with doors.client("root") as web:
        for name, row in ROUTES.items():
            answer = await called(web, name, row, made, "&bogus=1")
            assert answer.status_code == 422, name
            assert answer.json()["faults"][0]["where"].endswith("bogus"), name


async def test_a_list_is_narrowed_by_team_or_by_user(doors: Stage) -> None:
    async with doors.client("root") as web:
        for kind in ("schedules", "categories", "escalation-policies"):
            items = (await web.get(f"/api/v1/{kind}?team=noc")).json()["items"]
            assert {item["team"] for item in items} == {"noc"}
        users = (await web.get("/api/v1/users?team=noc")).json()["items"]
        assert [user["name"] for user in users] == ["nick"]
        methods = (await web.get("/api/v1/contact-methods?user=mara")).json()["items"]
        assert [method["user"] for method in methods] == ["mara"]
        tokens = (await web.get("/api/v1/tokens?user=mara")).json()["items"]
        assert {token["user"] for token in tokens} == {"mara"}
        for path in ("contact-methods?user=nobody", "tokens?user=nobody", "schedules?team=nowhere"):
            answer = await web.get(f"/api/v1/{path}")
            assert answer.status_code == 404
            assert path.partition("=")[2] in answer.json()["detail"]
        for path in ("teams?team=soc", "contact-methods?team=soc", "schedules?user=mara"):
            assert (await web.get(f"/api/v1/{path}")).status_code == 422
    async with doors.client("mara") as web:
        assert (await web.get("/api/v1/contact-methods?user=jonas")).status_code == 404
        assert (await web.get("/api/v1/tokens?user=jonas")).status_code == 404


async def test_a_name_that_several_visible_users_have_touches_nothing(doors: Stage) -> None:
    before = await doors.rows("SELECT * FROM contact_method ORDER BY id")
    calls: list[tuple[str, str, Any]] = [
        ("GET", "", None), ("PATCH", "", {"enabled": False}), ("DELETE", "", None),
        ("POST", "/rotate-key", None),
    ]  # fmt: skip
    async with doors.client("root") as web:
        for method, rest, body in calls:
            path = f"/api/v1/contact-methods/phone{rest}"
            answer = await web.request(method, path, json=body)
            assert answer.status_code == 409, (method, rest)
            assert "mara/phone" in answer.json()["candidates"]
            assert "root/phone" in answer.json()["candidates"]
        assert await doors.rows("SELECT * FROM contact_method ORDER BY id") == before
        one = await web.get("/api/v1/contact-methods/phone?user=mara")
        assert (one.status_code, one.json()["user"]) == (200, "mara")
        patched = await web.patch(
            "/api/v1/contact-methods/phone?user=mara", json={"address": "http://127.0.0.1:10/"}
        )
        assert patched.json()["user"] == "mara"
    async with doors.client("mara") as web:  # of those that mara sees there is one
        assert (await web.get("/api/v1/contact-methods/phone")).json()["user"] == "mara"
        assert (await web.get("/api/v1/contact-methods/phone?user=jonas")).status_code == 404


async def test_alerts_are_filtered_by_an_integration_that_exists_and_is_meant(
    doors: Stage,
) -> None:
    await doors.sql(
        "INSERT INTO integration (team_id, name, inlet, sealed_secret, body)"
        " VALUES (2, 'plant', 'signl4', 'x', '{}'), (2, 'hidden', 'signl4', 'x', '{}')"
    )
    async with doors.client("root") as web:
        await web.post(f"/webhook/{SECRET}", json={"Title": "of the plant"})
        doubtful = await web.get("/api/v1/alerts?integration=plant")
        assert doubtful.status_code == 409
        assert doubtful.json()["candidates"] == ["noc/plant", "soc/plant"]
        found = await web.get("/api/v1/alerts?integration=plant&team=soc")
        assert [item["title"] for item in found.json()["items"]] == ["of the plant"]
        by_id = await web.get(f"/api/v1/alerts?integration={ids.encode(1, 1)}")
        assert [item["title"] for item in by_id.json()["items"]] == ["of the plant"]
        unknown = await web.get("/api/v1/alerts?integration=nope")
        assert unknown.status_code == 404
        assert "integration 'nope'" in unknown.json()["detail"]
    async with doors.client("mara") as web:
        assert len((await web.get("/api/v1/alerts?integration=plant")).json()["items"]) == 1
        assert (await web.get("/api/v1/alerts?integration=hidden")).status_code == 404
        foreign = ids.encode(2, 100_001)
        assert (await web.get(f"/api/v1/alerts?integration={foreign}")).status_code == 404


EDGES = ("0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00")


@pytest.mark.parametrize("edge", EDGES)
async def test_a_time_beyond_the_calendar_is_a_422(doors: Stage, edge: str) -> None:
    alert = public(await doors.alert())
    at = edge.replace("%2B", "+")
    async with doors.client("mara") as web:
        for path in (
            f"alerts?since={edge}",
            f"duty?at={edge}",
            f"schedules/primary/shifts?from={edge}",
        ):
            answer = await web.get(f"/api/v1/{path}")
            assert answer.status_code == 422, path
            assert "9999" in answer.text
        posts: dict[str, dict[str, Any]] = {
            f"alerts/{alert}/snooze": {"until": at},
            "duty/punch-in": {"team": "soc", "until": at},
            "tokens": {"expires_at": at},
        }
        for path, body in posts.items():
            assert (await web.post(f"/api/v1/{path}", json=body)).status_code == 422, path
        last = "9999-12-31T23:59:59Z"
        assert (await web.get(f"/api/v1/schedules/primary/shifts?from={last}")).status_code == 422
        assert (await web.get(f"/api/v1/duty?at={last}")).status_code == 422


async def test_nobody_hears_names_of_teams_and_users_that_are_not_theirs(doors: Stage) -> None:
    async with doors.client("ada") as web:
        for target in ({"user": "nick"}, {"user": "nobody"}, {"team": "noc"}, {"team": "nowhere"}):
            noun, name = next(iter(target.items()))
            body = {"team": "soc", "name": "p", "steps": [{"notify": [target], "wait": "1m"}]}
            answer = await web.post("/api/v1/escalation-policies", json=body)
            assert answer.status_code == 422
            assert f"there is no {noun} '{name}'" in answer.json()["detail"]
            told = answer.text.replace(f"'{name}'", "")
            assert not {"nick", "noc", "alone", "root"} & set(told.replace(",", " ").split())
        members = {"members": ["ada", "nick"]}
        assert (await web.patch("/api/v1/teams/soc", json=members)).status_code == 422
        absent = await web.get("/api/v1/teams/nowhere")
        foreign = await web.get("/api/v1/teams/noc")
        assert absent.json()["detail"] == foreign.json()["detail"].replace("noc", "nowhere")
        taken = {"team": "noc", "name": "x", "keywords": ["x"]}
        refused = await web.post("/api/v1/categories", json=taken)
        unknown = await web.post("/api/v1/categories", json=taken | {"team": "nowhere"})
        assert unknown.json()["detail"] == refused.json()["detail"].replace("noc", "nowhere")
    async with doors.client("root") as web:
        body = {"team": "soc", "name": "p", "steps": [{"notify": [{"user": "nick"}], "wait": "1m"}]}
        assert (await web.post("/api/v1/escalation-policies", json=body)).status_code == 201
    async with doors.client("ada") as web:  # what stands there already is not in the way
        kept = await web.patch("/api/v1/escalation-policies/p", json={"repeat": 2})
        assert kept.status_code == 200, kept.text


async def test_a_shared_secret_or_a_foreign_reference_names_no_foreign_object(doors: Stage) -> None:
    async with doors.client("root") as web:
        secret = {"team": "noc", "name": "hidden", "inlet": "signl4", "secret": "x" * 20}
        assert (await web.post("/api/v1/integrations", json=secret)).status_code == 201
        other = {"notify": [{"policy": "soc/mine"}], "wait": "1m"}
        mine = {"team": "soc", "name": "mine", "steps": [{"notify": [{"duty": 1}], "wait": "1m"}]}
        assert (await web.post("/api/v1/escalation-policies", json=mine)).status_code == 201
        foreign = {"team": "noc", "name": "hidden", "steps": [other]}
        assert (await web.post("/api/v1/escalation-policies", json=foreign)).status_code == 201
    async with doors.client("ada") as web:
        same = await web.post("/api/v1/integrations", json=secret | {"team": "soc", "name": "n"})
        assert same.status_code == 422
        assert "another integration has the same secret" in same.json()["detail"]
        needed = await web.delete("/api/v1/escalation-policies/mine")
        assert needed.status_code == 409
        assert "something of another team refers to it" in needed.json()["detail"]
        assert "hidden" not in same.text + needed.text


async def test_a_name_that_looks_like_an_id_is_refused(doors: Stage) -> None:
    shaped = (ids.encode(1, 7), "abcdefghijklmnopqrstuvwxyz", "a2" * 16)
    async with doors.client("root") as web:
        for name in shaped:
            for kind, body in (
                ("teams", {"time_zone": "UTC"}),
                ("users", {}),
                ("categories", {"team": "soc", "keywords": ["x"]}),
            ):
                answer = await web.post(f"/api/v1/{kind}", json={"name": name, **body})
                assert answer.status_code == 422, (kind, name)
                assert "does not look like an id" in answer.json()["detail"]
    for name in shaped:
        file = f"version: 1\nteams:\n  {name}:\n    time_zone: UTC\n"
        with pytest.raises(configure.ConfigureError, match=r"line 3: .*does not look like an id"):
            await configure.plan(doors.world, configure.read(file))


async def test_what_is_made_is_201_with_its_address(doors: Stage) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "alerts": {"team": "soc", "title": "x", "external_id": "1"},
        "teams": {"name": "red", "time_zone": "UTC"},
        "categories": {"team": "soc", "name": "c", "keywords": ["x"]},
        "tokens": {"scope": "read"},
    }
    async with doors.client("root") as web:
        for kind, body in bodies.items():
            made = await web.post(f"/api/v1/{kind}", json=body)
            assert made.status_code == 201
            assert made.headers["location"] == f"/api/v1/{kind}/{made.json()['id']}"
        counted = await web.post("/api/v1/alerts", json=bodies["alerts"])
        assert counted.status_code == 200
        assert "location" not in counted.headers


async def test_every_time_in_an_answer_is_utc_and_ends_in_z(doors: Stage) -> None:
    alert = public(await doors.alert(event=Event(title="x")))
    async with doors.client("mara") as web:
        until = {"until": "2026-11-24T20:00:00+02:00"}
        await web.post(f"/api/v1/alerts/{alert}/snooze", json=until)
        line = (await web.get(f"/api/v1/alerts/{alert}/timeline")).json()["items"][-1]
        assert (line["kind"], line["data"]["until"]) == ("snoozed", "2026-11-24T18:00:00Z")
        token = (await web.post("/api/v1/tokens", json={"expires": "1d"})).json()
        assert token["created_at"] == "2026-11-24T07:00:00Z"
        assert token["expires_at"] == "2026-11-25T07:00:00Z"
    async with doors.client("ada") as web:
        changed = await web.patch("/api/v1/categories/identity", json={"keywords": ["x"]})
        assert changed.json()["changed_at"] == "2026-11-24T07:00:00Z"
