"""Who may look at maintenance windows and change them: those of a team, and those of all."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.web.stage import Stage, stage

BODY = {"name": "patching", "from": "2026-12-01T00:00Z", "to": "2026-12-01T04:00Z", "reason": "x"}
PATH = "/api/v1/maintenance-windows"


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    async with stage(database) as made:
        yield made


async def _made(doors: Stage, **more: str) -> dict[str, Any]:
    async with doors.client("root") as web:
        answer = await web.post(PATH, json={**BODY, **more})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found


async def test_a_window_of_all_teams_is_shown_to_everybody_and_changed_by_admins(
    doors: Stage,
) -> None:
    async with doors.client("ada") as web:  # a team admin
        refused = await web.post(PATH, json=BODY)
        assert refused.status_code == 403
        assert "needs the role admin" in refused.json()["detail"]
    made = await _made(doors)
    async with doors.client("ada") as web:
        for given in (made["id"], "patching"):
            assert (await web.get(f"{PATH}/{given}")).status_code == 200
            change = await web.patch(f"{PATH}/{given}", json={"reason": "mine"})
            assert change.status_code == 403
            assert (await web.delete(f"{PATH}/{given}")).status_code == 403
        assert [one["name"] for one in (await web.get(PATH)).json()["items"]] == ["patching"]
    token = await doors.token("root", "write")
    async with doors.client(token=token) as web:
        assert (await web.patch(f"{PATH}/patching", json={"reason": "y"})).status_code == 403
    async with doors.client("root") as web:
        assert (await web.patch(f"{PATH}/patching", json={"reason": "y"})).status_code == 200
        assert (await web.delete(f"{PATH}/patching")).status_code == 204


async def test_a_window_of_another_team_looks_as_if_it_did_not_exist(doors: Stage) -> None:
    made = await _made(doors, team="noc")
    async with doors.client("ada") as web:
        for given in (made["id"], "patching", "nothing"):
            for method in ("GET", "PATCH", "DELETE"):
                body: dict[str, str] | None = {} if method == "PATCH" else None
                answer = await web.request(method, f"{PATH}/{given}", json=body)
                assert answer.status_code == 404, (method, given)
        assert (await web.get(PATH)).json()["items"] == []
        assert (await web.post(PATH, json={**BODY, "team": "noc"})).status_code == 404


async def test_a_team_admin_makes_and_changes_those_of_the_team(doors: Stage) -> None:
    await _made(doors, name="elsewhere", team="noc")
    await _made(doors, name="everywhere")
    async with doors.client("ada") as web:
        made = await web.post(PATH, json={**BODY, "team": "soc"})
        assert made.status_code == 201
        assert made.headers["Location"] == f"{PATH}/{made.json()['id']}"
        assert made.json()["team"] == "soc"
        changed = await web.patch(f"{PATH}/patching", json={"rrule": "FREQ=WEEKLY"})
        assert changed.json()["rrule"] == "FREQ=WEEKLY"
        wrong = await web.patch(f"{PATH}/patching", json={"rrule": "FREQ=SECONDLY"})
        assert wrong.status_code == 422
        listed = (await web.get(PATH, params={"team": "soc"})).json()["items"]
        assert [one["name"] for one in listed] == ["everywhere", "patching"]
        assert (await web.get(PATH, params={"team": "noc"})).status_code == 404
        assert (await web.delete(f"{PATH}/patching")).status_code == 204
