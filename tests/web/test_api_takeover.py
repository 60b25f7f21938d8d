"""The API's calls by which duty that runs passes from one to another."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from tests.web.stage import NOW, USERS, Stage, stage
from tocsin.actions.dutywatch import watch_duty
from tocsin.core.event import Event
from tocsin.core.kinds import Severity

WEEKS = {
    "name": "weeks",
    "participants": ["mara", "jonas"],
    "start": "2026-11-02T09:00",
    "unit": "week",
}
END = "2026-11-30T08:00:00Z"  # of the week of jonas


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    async with stage(database) as made:
        async with made.client("sam") as web:
            done = await web.patch("/api/v1/schedules/primary", json={"rotations": [WEEKS]})
            assert done.status_code == 200, done.text
        yield made


async def call(doors: Stage, who_calls: str, verb: str, /, **body: object) -> httpx.Response:
    async with doors.client(who_calls) as web:
        return await web.post(f"/api/v1/duty/{verb}", json={"team": "soc", **body})


def who(answer: httpx.Response) -> list[tuple[str, str, str, str | None]]:
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    return [(item["tier"], item["user"], item["by"], item["until"]) for item in items]


async def at(doors: Stage, **by: float) -> list[str]:
    async with doors.client("vera") as web:
        params = {"team": "soc", "at": (NOW + timedelta(**by)).isoformat()}
        answer = await web.get("/api/v1/duty", params=params)
    return [item["user"] for item in answer.json()["items"]]


async def notices(doors: Stage) -> list[tuple[str, str]]:
    found = await doors.rows(
        "SELECT u.name, n.body FROM notification n JOIN app_user u ON u.id = n.user_id"
        " WHERE n.purpose = 'notice' ORDER BY n.planned_at, u.name"
    )
    return [(row["name"], msgspec.json.decode(row["body"])["text"]) for row in found]


async def test_duty_of_the_tier_is_taken_until_its_shift_ends(doors: Stage) -> None:
    done = await call(doors, "mara", "take-over")
    assert who(done)[0][:3] == ("1", "mara", "override")
    assert await at(doors, days=5) == ["mara"]
    assert await notices(doors) == [
        (
            "jonas",
            (
                "mara is on duty in soc (tier 1) in place of jonas"
                " until Mon 30 Nov 09:00 (Europe/Berlin)."
            ),
        )
    ]
    again = await call(doors, "mara", "take-over")
    assert who(again) == who(done)
    assert len(await doors.rows("SELECT 1 FROM schedule_override")) == 1


async def test_duty_that_was_handed_over_comes_back_after_its_time(doors: Stage) -> None:
    until = (NOW + timedelta(hours=2)).isoformat()
    done = await call(doors, "jonas", "hand-over", to="ada", until=until)
    assert who(done) == [("1", "ada", "override", "2026-11-24T09:00:00Z")]
    assert await at(doors, hours=1, minutes=59) == ["ada"]
    assert await at(doors, hours=2) == ["jonas"]
    assert [name for name, _ in await notices(doors)] == ["ada"]


async def test_what_is_punched_in_passes_as_well_and_comes_back(doors: Stage) -> None:
    end = "2026-11-24T12:00:00Z"
    await call(doors, "sam", "punch-in", tier="manager", until=end)
    until = "2026-11-24T09:00:00Z"
    done = await call(doors, "sam", "hand-over", to="ada", until=until)
    assert ("manager", "ada", "punched in", until) in who(done)
    assert await at(doors, hours=3) == ["jonas", "sam"]
    assert await at(doors, hours=5) == ["jonas"]


async def test_somebody_is_on_duty_at_every_moment_whoever_takes_over_at_once(
    doors: Stage,
) -> None:
    seen: list[int] = []

    async def look() -> None:
        for _ in range(30):
            found = await doors.rows(
                "SELECT count(*) AS n FROM shift WHERE team_id = 1 AND tier = '1'"
                " AND during @> $1::timestamptz",
                doors.clock.now(),
            )
            seen.append(found[0]["n"])

    takers = [call(doors, user, "take-over") for user in ("mara", "ada", "sam")]
    *answers, _ = await asyncio.gather(*takers, look())
    assert {answer.status_code for answer in answers if answer} == {200}
    assert set(seen) == {1}
    assert len(await at(doors, seconds=0)) == 1


async def test_an_open_alert_pages_whoever_took_over_within_the_next_look(doors: Stage) -> None:
    steps = [{"notify": [{"duty": 1}], "wait": "10m"}]
    async with doors.client("ada") as web:
        changed = await web.patch("/api/v1/escalation-policies/default", json={"steps": steps})
        assert changed.status_code == 200, changed.text
    event = Event(title="Impossible travel", severity=Severity.HIGH)
    alert = await doors.alert(event=event)
    await watch_duty(doors.world)
    await doors.clock.move(timedelta(seconds=1))
    await call(doors, "mara", "take-over")
    await doors.clock.move(timedelta(seconds=1))
    await watch_duty(doors.world)
    paged = await doors.rows(
        "SELECT DISTINCT user_id FROM notification WHERE alert_id = $1 ORDER BY 1", alert.id
    )
    assert [row["user_id"] for row in paged] == sorted((USERS["jonas"][0], USERS["mara"][0]))
    lines = await doors.rows("SELECT kind FROM timeline WHERE alert_id = $1", alert.id)
    assert {"came_on_duty", "left_duty"} <= {row["kind"] for row in lines}


async def test_what_cannot_pass_is_refused_in_words_that_help(doors: Stage) -> None:
    cases: list[tuple[str, str, dict[str, Any], int, str]] = [
        ("mara", "hand-over", {"to": "ada"}, 409, "mara is not on duty now"),
        ("mara", "take-over", {"tier": 2}, 409, "Nobody is on duty in tier 2 now"),
        ("mara", "take-over", {"from": "ada"}, 409, "ada is not on duty now"),
        ("jonas", "hand-over", {"to": "jonas"}, 422, "Both are the same person."),
        ("jonas", "hand-over", {"to": "vera"}, 409, "That person cannot be on duty in soc"),
        ("jonas", "hand-over", {"to": "nick"}, 404, "There is no user 'nick'"),
        ("mara", "hand-over", {"user": "jonas", "to": "ada"}, 403, "This needs the role scheduler"),
        ("mara", "take-over", {"user": "ada"}, 403, "This needs the role scheduler"),
        (
            "jonas",
            "hand-over",
            {"to": "ada", "until": "2026-11-24T06:00:00Z"},
            422,
            "`until` lies in the past.",
        ),
    ]
    for user, verb, body, status, words in cases:
        answer = await call(doors, user, verb, **body)
        assert (answer.status_code, answer.json()["detail"][: len(words)]) == (status, words)
    assert await doors.rows("SELECT 1 FROM schedule_override") == []
    assert await notices(doors) == []


async def test_an_override_for_everybody_stays_and_says_what_to_change(doors: Stage) -> None:
    cover = {"team": "soc", "schedule": "primary", "user": "sam"}
    times = {"from": "2026-11-24T06:00Z", "to": "2026-11-24T18:00Z"}
    async with doors.client("sam") as web:
        assert (await web.post("/api/v1/overrides", json=cover | times)).status_code == 201
    answer = await call(doors, "mara", "take-over")
    assert answer.status_code == 409
    assert answer.json()["remedy"] == "Change that override."
    assert await at(doors, hours=1) == ["sam"]


async def test_who_is_still_punched_in_when_the_shift_is_over_is_overdue(doors: Stage) -> None:
    async def overdue(**by: float) -> dict[str, bool]:
        async with doors.client("vera") as web:
            params = {"team": "soc", "at": (NOW + timedelta(**by)).isoformat()}
            items = (await web.get("/api/v1/duty", params=params)).json()["items"]
        return {f"{item['user']} {item['by']}": item["overdue"] for item in items}

    await call(doors, "jonas", "punch-in")  # beside the shift that ends on 30 November
    await call(doors, "ada", "punch-in", tier=2)  # without a shift
    await call(doors, "sam", "punch-in", tier=3, until="2026-12-24T08:00:00Z")
    assert await overdue(hours=1) == {
        "jonas shift": False,
        "jonas punched in": False,
        "ada punched in": False,
        "sam punched in": False,
    }
    assert await overdue(hours=24) == {
        "jonas shift": False,
        "jonas punched in": False,
        "ada punched in": True,
        "sam punched in": False,
    }
    after = await overdue(days=6, hours=1)
    assert after["jonas punched in"]
    assert after["mara shift"] is False


async def test_an_end_that_is_not_known_is_none_and_a_far_time_is_worked_out(
    doors: Stage,
) -> None:
    async with doors.client("sam") as web:
        alone = {"rotations": [{**WEEKS, "participants": ["mara"]}]}
        assert (await web.patch("/api/v1/schedules/primary", json=alone)).status_code == 200
        (now,) = (await web.get("/api/v1/duty?team=soc")).json()["items"]
        far = await web.get("/api/v1/duty?team=soc&at=2028-01-01T00:00:00Z")
        all_teams = await web.get("/api/v1/duty?at=2028-01-01T00:00:00Z")
    assert (now["user"], now["until"]) == ("mara", None)
    (then,) = far.json()["items"]
    assert (then["user"], then["by"], then["until"]) == ("mara", "shift", "2028-01-03T08:00:00Z")
    assert all_teams.status_code == 422
    assert "Name the team" in all_teams.json()["remedy"]


async def test_whoever_may_not_answer_alerts_is_not_put_on_duty(doors: Stage) -> None:
    done = await call(doors, "sam", "punch-in", user="vera")
    assert done.status_code == 409
    assert "has to answer alerts" in done.json()["detail"]
