"""The API's calls about duty and schedules."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.web.stage import Stage, stage

WEEKS = {
    "name": "weeks",
    "participants": ["mara", "jonas"],
    "start": "2026-11-02T09:00",
    "unit": "week",
}
SPAN = {"from": "2026-11-23T00:00:00Z", "to": "2026-12-07T00:00:00Z"}


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    async with stage(database) as made:
        async with made.client("sam") as web:
            done = await web.patch("/api/v1/schedules/primary", json={"rotations": [WEEKS]})
            assert done.status_code == 200, done.text
        yield made


@pytest.fixture
async def mara(doors: Stage) -> AsyncIterator[httpx.AsyncClient]:
    async with doors.client("mara") as web:
        yield web


def who(answer: httpx.Response) -> list[tuple[str, str, str]]:
    return [(item["tier"], item["user"], item["by"]) for item in answer.json()["items"]]


async def test_duty_names_who_in_which_tier_until_when_and_by_what(
    mara: httpx.AsyncClient,
) -> None:
    answer = await mara.get("/api/v1/duty?team=soc")
    assert who(answer) == [("1", "jonas", "shift")]
    entry = answer.json()["items"][0]
    assert entry["until"] == "2026-11-30T08:00:00Z"
    assert entry["why"] == "rotation weeks"
    later = await mara.get("/api/v1/duty", params={"team": "soc", "at": "2026-12-01T12:00:00Z"})
    assert who(later) == [("1", "mara", "shift")]
    assert (await mara.get("/api/v1/duty?team=noc")).status_code == 404
    assert (await mara.get("/api/v1/duty?at=2026-02-31T00:00:00Z")).status_code == 422


async def test_people_punch_themselves_and_schedulers_everybody(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    done = await mara.post(
        "/api/v1/duty/punch-in",
        json={"team": "soc", "tier": "2", "until": "2026-11-24T09:00:00Z"},
    )
    assert ("2", "mara", "punched in") in who(done)
    other = {"team": "soc", "user": "ada"}
    assert (await mara.post("/api/v1/duty/punch-in", json=other)).status_code == 403
    async with doors.client("sam") as web:
        assert ("1", "ada", "punched in") in who(
            await web.post("/api/v1/duty/punch-in", json=other)
        )
        out = await web.post("/api/v1/duty/punch-out", json=other)
        assert "ada" not in {user for _, user, _ in who(out)}
    gone = await mara.post("/api/v1/duty/punch-out", json={"team": "soc"})
    assert who(gone) == [("1", "jonas", "shift")]


async def test_a_tier_is_taken_as_text_or_number_and_answered_as_text(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    for tier in (2, "2", "manager"):
        done = await mara.post("/api/v1/duty/punch-in", json={"team": "soc", "tier": tier})
        assert (str(tier), "mara", "punched in") in who(done)
    out = await mara.post("/api/v1/duty/punch-out", json={"team": "soc", "tier": 2})
    assert who(out) == [("1", "jonas", "shift"), ("manager", "mara", "punched in")]
    for wrong in (True, 1.5, "9", 0, [1]):
        body = {"team": "soc", "tier": wrong}
        assert (await mara.post("/api/v1/duty/punch-in", json=body)).status_code == 422
    async with doors.client("sam") as web:
        for tier in (2, "2"):
            changed = await web.patch("/api/v1/schedules/primary", json={"tier": tier})
            assert changed.json()["tier"] == "2"
    assert (await mara.get("/api/v1/schedules/primary")).json()["tier"] == "2"
    stored = await doors.rows("SELECT body FROM schedule WHERE team_id = 1")
    assert '"tier": 2' in str(stored[0]["body"])


async def test_a_tier_in_a_policy_is_answered_as_text(doors: Stage) -> None:
    steps = [{"notify": [{"duty": 1}, {"user": "mara"}], "wait": "1m"}]
    async with doors.client("ada") as web:
        made = await web.post(
            "/api/v1/escalation-policies", json={"team": "soc", "name": "p", "steps": steps}
        )
    assert made.json()["steps"][0]["notify"] == [{"duty": "1"}, {"user": "mara"}]


async def test_punching_in_again_until_the_same_time_changes_nothing(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    for until in (None, "2026-11-24T12:00:00Z"):
        body = {"team": "soc", "until": until}
        first = await mara.post("/api/v1/duty/punch-in", json=body)
        before = await doors.rows("SELECT * FROM punch ORDER BY id")
        await doors.clock.move(timedelta(minutes=1))
        again = await mara.post("/api/v1/duty/punch-in", json=body)
        assert again.json() == first.json()
        assert await doors.rows("SELECT * FROM punch ORDER BY id") == before


async def test_until_is_the_end_of_shifts_that_follow_each_other(doors: Stage) -> None:
    alone = WEEKS | {"participants": ["mara"], "unit": "day"}
    first = {"rotations": [alone | {"active_until": "2026-11-27T09:00"}]}
    async with doors.client("sam") as web:
        await web.patch("/api/v1/schedules/primary", json=first)
        found = (await web.get("/api/v1/duty?team=soc")).json()["items"]
    assert [(item["user"], item["until"]) for item in found] == [("mara", "2026-11-27T08:00:00Z")]


async def test_a_gap_says_that_somebody_was_punched_out(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    async with doors.client("jonas") as jonas:
        body = {"team": "soc", "until": "2026-11-24T12:00:00Z"}
        assert who(await jonas.post("/api/v1/duty/punch-out", json=body)) == []
    async with doors.client("sam") as web:
        hole = {
            "team": "soc",
            "schedule": "primary",
            "replaces": "jonas",
            "from": "2026-11-25T07:00Z",
            "to": "2026-11-25T08:00Z",
        }
        assert (await web.post("/api/v1/overrides", json=hole)).status_code == 201
    gaps = (await mara.get("/api/v1/schedules/primary/shifts", params=SPAN)).json()["gaps"]
    assert [(gap["from"], gap["to"], gap["why"]) for gap in gaps] == [
        ("2026-11-24T07:00:00Z", "2026-11-24T12:00:00Z", "punched out"),
        ("2026-11-25T07:00:00Z", "2026-11-25T08:00:00Z", "override"),
    ]


async def test_nobody_is_punched_in_who_is_not_in_the_team_or_for_the_past(doors: Stage) -> None:
    async with doors.client("root") as web:
        for body in (
            {"team": "soc", "user": "nick"},
            {"team": "soc"},  # root is in no team
            {"team": "soc", "user": "mara", "until": "2026-11-24T06:00:00Z"},
            {"team": "soc", "user": "mara", "tier": "7"},
        ):
            answer = await web.post("/api/v1/duty/punch-in", json=body)
            assert answer.status_code == 422, body


async def test_final_shifts_and_gaps_of_a_schedule(mara: httpx.AsyncClient) -> None:
    answer = await mara.get("/api/v1/schedules/primary/shifts", params=SPAN)
    found = [(shift["user"], shift["from"], shift["to"]) for shift in answer.json()["shifts"]]
    assert found == [
        ("mara", "2026-11-23T00:00:00Z", "2026-11-23T08:00:00Z"),
        ("jonas", "2026-11-23T08:00:00Z", "2026-11-30T08:00:00Z"),
        ("mara", "2026-11-30T08:00:00Z", "2026-12-07T00:00:00Z"),
    ]
    assert answer.json()["gaps"] == []
    for query in ("from=2026-11-24T00:00:00Z&to=2026-11-23T00:00:00Z", "to=2126-01-01T00:00:00Z"):
        assert (await mara.get(f"/api/v1/schedules/primary/shifts?{query}")).status_code == 422


async def test_a_preview_answers_the_difference_and_stores_nothing(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    changed = {"tier": 1, "rotations": [WEEKS | {"participants": ["mara", "ada"]}]}
    before = await doors.rows("SELECT body FROM schedule ORDER BY id")
    answer = await mara.post(
        "/api/v1/schedules/primary/preview", json={"definition": changed, **SPAN}
    )
    assert answer.status_code == 200, answer.text
    assert [shift["user"] for shift in answer.json()["added"]] == ["ada"]
    assert [shift["user"] for shift in answer.json()["removed"]] == ["jonas"]
    assert answer.json()["warnings"] == []
    assert await doors.rows("SELECT body FROM schedule ORDER BY id") == before


async def test_a_whole_teams_definition_is_previewed_with_anybodys_names(
    mara: httpx.AsyncClient,
) -> None:
    definition: dict[str, Any] = {
        "time_zone": "Europe/Berlin",
        "schedules": {
            "days": {
                "tier": 1,
                "rotations": [
                    {
                        "participants": ["x", "y"],
                        "start": "2026-11-23T00:00",
                        "unit": "day",
                        "restrictions": [{"days": ["mon", "tue"], "from": "08:00", "to": "16:00"}],
                    }
                ],
            }
        },
        "holidays": {"country": "DE"},
        "time_off": [],
    }
    span = {"from": "2026-11-23T00:00:00+01:00", "to": "2026-11-25T00:00:00+01:00"}
    answer = await mara.post("/api/v1/schedules/preview", json={"definition": definition, **span})
    assert answer.status_code == 200, answer.text
    assert answer.json()["warnings"] == [
        "there is no user 'x' here, or not one of yours to see",
        "there is no user 'y' here, or not one of yours to see",
    ]
    assert answer.json()["shifts"] == [
        {
            "schedule": "days",
            "tier": "1",
            "user": user,
            "from": f"2026-11-{day}T07:00:00Z",
            "to": f"2026-11-{day}T15:00:00Z",
            "why": "rotation rotation 1",
        }
        for user, day in (("x", 23), ("y", 24))
    ]
    assert [(gap["from"], gap["to"]) for gap in answer.json()["gaps"]] == [
        ("2026-11-22T23:00:00Z", "2026-11-23T07:00:00Z"),
        ("2026-11-23T15:00:00Z", "2026-11-24T07:00:00Z"),
        ("2026-11-24T15:00:00Z", "2026-11-24T23:00:00Z"),
    ]


async def test_a_definition_with_faults_names_each_with_its_place(mara: httpx.AsyncClient) -> None:
    definition: dict[str, Any] = {
        "time_zone": "Mars/Base",
        "schedules": {"a": {"tier": 9, "rotations": [{"participants": [], "start": "soon"}]}},
        "unknown": 1,
    }
    answer = await mara.post("/api/v1/schedules/preview", json={"definition": definition, **SPAN})
    assert answer.status_code == 422
    places = {fault["where"] for fault in answer.json()["faults"]}
    assert {
        "time_zone",
        "unknown",
        "schedules.a.tier",
        "schedules.a.rotations.0.start",
        "schedules.a.rotations.0.participants",
    } <= places


async def test_an_edit_may_wait_until_the_running_shift_ends(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    body = {"rotations": [WEEKS | {"participants": ["mara"]}]}
    async with doors.client("sam") as sam:
        done = await sam.patch("/api/v1/schedules/primary?keep_current=true", json=body)
        assert done.status_code == 200, done.text
        (told,) = done.json()["warnings"]
        assert told.startswith("soc/primary: takes effect at 2026-11-30 09:00 (Europe/Berlin)")
        assert who(await mara.get("/api/v1/duty?team=soc")) == [("1", "jonas", "shift")]
        shown = (await mara.get("/api/v1/schedules/primary/shifts", params=SPAN)).json()
        assert [shift["user"] for shift in shown["shifts"]][-2:] == ["jonas", "mara"]
        other = await sam.patch("/api/v1/escalation-policies/default?keep_current=true", json={})
        assert other.status_code == 422
        done = await sam.patch("/api/v1/schedules/primary", json={"combine": "everybody"})
        assert done.status_code == 200, done.text
    assert who(await mara.get("/api/v1/duty?team=soc")) == [("1", "mara", "shift")]


async def test_a_swap_is_shown_as_one_and_cannot_be_claimed(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    swap = {"user": "mara", "replaces": "jonas", "from": "2026-11-24T12:00Z"}
    body = swap | {"to": "2026-11-24T14:00Z"}
    await doors.sql(
        "INSERT INTO schedule_override (team_id, schedule_id, body)"
        " SELECT team_id, id, $1::jsonb FROM schedule WHERE name = 'primary' AND team_id = 1",
        json.dumps(body | {"swap": True}),
    )
    shown = (await mara.get("/api/v1/schedules/primary/shifts", params=SPAN)).json()
    assert [(s["user"], s["why"]) for s in shown["shifts"][1:4]] == [
        ("jonas", "rotation weeks"),
        ("mara", "swap"),
        ("jonas", "rotation weeks"),
    ]
    async with doors.client("sam") as sam:
        claimed = {"team": "soc", "schedule": "primary", **body, "swap": True}
        assert (await sam.post("/api/v1/overrides", json=claimed)).status_code == 422
        made = await sam.patch("/api/v1/schedules/primary", json={"combine": "everybody"})
        assert made.status_code == 200, made.text
    at_noon = await mara.get("/api/v1/duty?team=soc&at=2026-11-24T12:30:00Z")
    assert who(at_noon) == [("1", "mara", "override")]


async def test_the_past_is_shown_as_it_was_whatever_is_edited(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    span = {"from": "2026-11-24T07:00:00Z", "to": "2026-12-07T08:00:00Z"}
    await doors.clock.move_to(datetime.fromisoformat("2026-12-02T08:00:00Z"))
    async with doors.client("sam") as sam:
        body = {"rotations": [WEEKS | {"participants": ["sam"], "start": "2026-12-01T09:00"}]}
        done = await sam.patch("/api/v1/schedules/primary", json=body)
        assert done.status_code == 200, done.text
    shown = (await mara.get("/api/v1/schedules/primary/shifts", params=span)).json()
    assert [(shift["user"], shift["from"], shift["to"]) for shift in shown["shifts"]] == [
        ("jonas", "2026-11-24T07:00:00Z", "2026-11-30T08:00:00Z"),
        ("mara", "2026-11-30T08:00:00Z", "2026-12-02T08:00:00Z"),
        ("sam", "2026-12-02T08:00:00Z", "2026-12-07T08:00:00Z"),
    ]
    assert shown["gaps"] == []
