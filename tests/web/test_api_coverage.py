"""Reports on coverage and fairness, and previews that say what a change alters."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
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
SPAN = {"from": "2026-11-23T08:00:00Z", "to": "2026-12-07T08:00:00Z"}
WEEK_AHEAD = {"from": "2026-11-24T07:00:00Z", "to": "2026-12-01T07:00:00Z"}
COVERAGE, FAIRNESS = "/api/v1/reports/coverage", "/api/v1/reports/fairness"
PREVIEW = "/api/v1/schedules/primary/preview"


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    async with stage(database) as made:
        async with made.client("sam") as web:
            done = await web.patch("/api/v1/schedules/primary", json={"rotations": [WEEKS]})
            assert done.status_code == 200, done.text
        yield made


@pytest.fixture
async def vera(doors: Stage) -> AsyncIterator[httpx.AsyncClient]:
    async with doors.client("vera") as web:
        yield web


def _table(answer: httpx.Response) -> list[list[str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(answer.text)))


async def _preview(web: httpx.AsyncClient, definition: object, **more: object) -> Any:  # noqa: ANN401 - JSON
    answer = await web.post(PREVIEW, json={"definition": definition, **SPAN, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_coverage_is_the_recorded_past_and_the_planned_future(
    doors: Stage, vera: httpx.AsyncClient
) -> None:
    around = {"from": "2026-11-23T07:00:00Z", "to": "2026-11-25T07:00:00Z"}
    found = (await vera.get(COVERAGE, params={"team": "soc", **around})).json()
    assert (found["team"], found["time_zone"]) == ("soc", "Europe/Berlin")
    # shifts are recorded since the schedule was made, and now is the 24th at 07:00
    gap = {"from": "2026-11-23T07:00:00Z", "to": "2026-11-24T07:00:00Z"}
    half = {"score": 0.5, "covered_hours": 24.0, "hours": 48.0, "gaps": [gap]}
    assert found["coverage"] == {
        "team": half,
        "tiers": [{"tier": "1", **half}],
        "schedules": [{"schedule": "primary", "tier": "1", **half}],
    }
    full = (await vera.get(COVERAGE, params={"team": "soc", **WEEK_AHEAD})).json()
    assert full["coverage"]["team"]["score"] == 1
    assert full["coverage"]["team"]["gaps"] == []


async def test_who_was_punched_in_counts_in_the_tier_and_who_was_punched_out_does_not(
    doors: Stage, vera: httpx.AsyncClient
) -> None:
    async with doors.client("jonas") as jonas:
        hour = "2026-11-24T08:00:00Z"
        out = await jonas.post("/api/v1/duty/punch-out", json={"team": "soc", "until": hour})
        assert out.status_code == 200, out.text
    async with doors.client("mara") as mara:
        half = "2026-11-24T07:30:00Z"
        into = await mara.post("/api/v1/duty/punch-in", json={"team": "soc", "until": half})
        assert into.status_code == 200, into.text
    day = {"from": "2026-11-24T07:00:00Z", "to": "2026-11-24T09:00:00Z"}
    coverage = (await vera.get(COVERAGE, params={"team": "soc", **day})).json()["coverage"]
    assert [one["covered_hours"] for one in coverage["tiers"]] == [1.5]
    assert [one["covered_hours"] for one in coverage["schedules"]] == [1]
    items = (await vera.get(FAIRNESS, params={"team": "soc", **day})).json()["items"]
    hours = {item["user"]: item["hours"] for item in items}
    assert (hours["mara"], hours["jonas"], hours["sam"]) == (0.5, 1, 0)
    assert sum(hours.values()) == 1.5


async def test_who_left_was_on_duty_until_now_and_will_not_be(
    doors: Stage, vera: httpx.AsyncClient
) -> None:
    await doors.clock.move(timedelta(hours=5))
    await doors.sql("UPDATE app_user SET active = false WHERE name = 'jonas'")
    day = {"from": "2026-11-24T07:00:00Z", "to": "2026-11-25T07:00:00Z"}
    items = (await vera.get(FAIRNESS, params={"team": "soc", **day})).json()["items"]
    assert [item["hours"] for item in items if item["user"] == "jonas"] == [5]
    coverage = (await vera.get(COVERAGE, params={"team": "soc", **day})).json()["coverage"]
    assert [gap["from"] for gap in coverage["team"]["gaps"]] == ["2026-11-24T12:00:00Z"]


async def test_fairness_counts_on_the_clock_of_the_team_and_in_one_tier_when_asked(
    vera: httpx.AsyncClient,
) -> None:
    two_weeks = {"team": "soc", "from": "2026-11-30T08:00:00Z", "to": "2026-12-14T08:00:00Z"}
    items = (await vera.get(FAIRNESS, params=two_weeks)).json()["items"]
    jonas = next(item for item in items if item["user"] == "jonas")
    assert jonas == {
        "user": "jonas",
        "hours": 168.0,
        "night_hours": 56.0,
        "weekend_hours": 48.0,
        "holiday_hours": 0.0,
        "shifts": 1,
        "nights": 7,
        "weekends": 1,
        "holidays": 0,
    }
    assert [item["user"] for item in items] == ["ada", "jonas", "mara", "sam", "vera"]
    none = (await vera.get(FAIRNESS, params={"tier": 2, **two_weeks})).json()["items"]
    assert {item["hours"] for item in none} == {0}


async def test_reports_come_as_csv_whose_cells_no_spreadsheet_works_out(
    doors: Stage, vera: httpx.AsyncClient
) -> None:
    await doors.sql("UPDATE app_user SET name = '=1+1' WHERE name = 'mara'")
    query = {"team": "soc", **WEEK_AHEAD}
    head, *rows = _table(await vera.get(FAIRNESS, params={"format": "csv", **query}))
    assert head[:3] == ["user", "hours", "night_hours"]
    assert {row[0] for row in rows} == {"'=1+1", "ada", "jonas", "sam", "vera"}
    accept = {"Accept": "text/csv"}
    head, *rows = _table(await vera.get(COVERAGE, params=query, headers=accept))
    assert [dict(zip(head, row, strict=True))["scope"] for row in rows] == [
        "team",
        "tier",
        "schedule",
    ]
    json = await vera.get(COVERAGE, params={"format": "json", **query}, headers=accept)
    assert json.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"from": "2026-11-24T07:00:00Z", "to": "2026-11-24T07:00:00Z"}, "`to` is not after"),
        ({"from": "2025-01-01T00:00:00Z", "to": "2026-11-24T07:00:00Z"}, "at most 400 days"),
        ({"to": "2027-02-22T00:00:00Z"}, "Shifts are recorded up to 2027-02-21T07:00:00Z"),
        ({"to": "9999-12-31T23:00:00Z", "from": "9999-12-31T00:00:00Z"}, "`to` is not after"),
        ({"from": "0001-01-01T00:00:00Z"}, "years 1970 to 8999"),
        ({"format": "xlsx"}, "json"),
        ({"from": "yesterday"}, "from"),
    ],
)
async def test_a_time_that_cannot_be_reported_is_refused_with_the_remedy(
    vera: httpx.AsyncClient, query: dict[str, str], words: str
) -> None:
    answer = await vera.get(COVERAGE, params={"team": "soc", **query})
    assert answer.status_code == 422
    assert words in answer.text


async def test_a_preview_of_a_time_out_of_reach_is_refused(vera: httpx.AsyncClient) -> None:
    body = {"definition": {"tier": 1}, "from": "0001-01-01T00:00:00Z"}
    answer = await vera.post(PREVIEW, json=body)
    assert (answer.status_code, "1900 to 8999" in answer.text) == (422, True)


async def test_a_preview_tells_who_is_on_duty_instead_and_what_to_watch_out_for(
    doors: Stage, vera: httpx.AsyncClient
) -> None:
    steps = [{"notify": [{"user": "ada"}], "wait": "1m"}, {"notify": [{"duty": 1}], "wait": "1m"}]
    async with doors.client("ada") as ada:
        policy = {"team": "soc", "name": "late", "steps": steps}
        assert (await ada.post("/api/v1/escalation-policies", json=policy)).status_code == 201
    changed = {"tier": 1, "rotations": [WEEKS | {"participants": ["mara", "ada"]}]}
    found = await _preview(vera, changed)
    other = {"tier": "1", "from": "2026-11-23T08:00:00Z", "to": "2026-11-30T08:00:00Z"}
    people = {"before": ["jonas"], "after": ["ada"], "paged_by": ["late step 2"]}
    assert found["differences"] == [other | people]
    assert found["coverage"]["before"] == found["coverage"]["after"]
    fairness = {one["user"]: one for one in found["fairness"]}
    assert fairness["jonas"]["before"]["nights"] == 7
    assert fairness["jonas"]["after"]["nights"] == 0
    assert fairness["mara"]["before"] == fairness["mara"]["after"]
    assert [(one["kind"], one["user"], one["new"]) for one in found["findings"]] == [
        ("nights_in_a_row", "ada", True),
        ("nights_in_a_row", "mara", False),
    ]
    assert [one["text"] for one in found["gone"]] == [
        "jonas has 7 nights in a row from 2026-11-23 22:00 to 2026-11-30 06:00"
    ]
    patient = await _preview(vera, changed, nights_in_a_row=7)
    assert patient["findings"] == []
    again = await _preview(vera, {"tier": 1, "rotations": [WEEKS]})
    assert (again["differences"], again["gone"]) == ([], [])


async def test_a_preview_finds_gaps_and_a_second_place(
    doors: Stage, vera: httpx.AsyncClient
) -> None:
    async with doors.client("sam") as sam:
        manager = {"team": "soc", "name": "lead", "tier": "manager", "rotations": [WEEKS]}
        assert (await sam.post("/api/v1/schedules", json=manager)).status_code == 201
    late = WEEKS | {"participants": ["mara"], "start": "2026-11-30T09:00"}
    found = await _preview(vera, {"tier": 1, "rotations": [late]})
    by_kind = {one["kind"]: one for one in found["findings"]}
    gap = "nobody is on duty in tier 1 from 2026-11-23 09:00 to 2026-11-30 09:00"
    assert (by_kind["gap"]["text"], by_kind["gap"]["new"]) == (gap, True)
    assert by_kind["two_places"]["schedules"] == ["lead", "primary"]
    assert not by_kind["two_places"]["new"]  # mara was in both that week before
    scores = {one["tier"]: one["score"] for one in found["coverage"]["after"]["tiers"]}
    assert scores == {"1": 0.5, "manager": 1}
    assert found["coverage"]["after"]["team"]["score"] == 1


async def test_overrides_stay_in_a_preview_and_those_of_a_file_may_be_changed(
    doors: Stage, vera: httpx.AsyncClient
) -> None:
    async with doors.client("sam") as sam:
        cover = {
            "team": "soc",
            "schedule": "primary",
            "user": "ada",
            "from": "2026-11-25T07:00Z",
            "to": "2026-11-25T08:00Z",
        }
        assert (await sam.post("/api/v1/overrides", json=cover)).status_code == 201
    same = {"tier": 1, "rotations": [WEEKS]}
    assert (await _preview(vera, same))["differences"] == []
    hole = {"replaces": "jonas", "from": "2026-11-25T06:00Z", "to": "2026-11-25T07:00Z"}
    found = await _preview(vera, same | {"overrides": [hole]})
    assert [(one["before"], one["after"]) for one in found["differences"]] == [(["jonas"], [])]


async def test_a_whole_definition_is_held_against_a_team_that_the_caller_sees(
    vera: httpx.AsyncClient,
) -> None:
    definition = {
        "time_zone": "Europe/Berlin",
        "schedules": {"other": {"tier": 1, "rotations": [WEEKS]}},
        "time_off": [{"user": "mara", "from": "2026-12-01", "to": "2026-12-02"}],
    }
    body = {"definition": definition, "team": "soc", **SPAN}
    answer = await vera.post("/api/v1/schedules/preview", json=body)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["differences"] == []
    assert [one["kind"] for one in found["findings"] if one["new"]] == ["time_off"]
    alone = (
        await vera.post("/api/v1/schedules/preview", json={"definition": definition, **SPAN})
    ).json()
    assert alone["coverage"]["before"] is None
    assert {tuple(one["before"]) for one in alone["differences"]} == {()}
    foreign = await vera.post("/api/v1/schedules/preview", json=body | {"team": "noc"})
    assert foreign.status_code == 404
    assert (await vera.get(COVERAGE, params={"team": "noc"})).status_code == 404
