"""`GET /api/v1/preview` and the preview of an alert: who would be paged, and nothing is written."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.web.stage import NOW, Stage, public, stage
from tocsin.core.event import Event


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    async with stage(database) as made:
        yield made


async def asked(doors: Stage, query: str, user: str = "vera") -> httpx.Response:
    async with doors.client(user) as web:
        return await web.get(f"/api/v1/preview?{query}")


def brief(answer: httpx.Response) -> list[tuple[Any, ...]]:
    assert answer.status_code == 200, answer.text
    return [
        (item["at"][11:19], item["kind"], item["person"] or ", ".join(item["people"]))
        for item in answer.json()["items"]
    ]


async def test_an_alert_that_might_come_is_told_line_by_line(doors: Stage) -> None:
    answer = await asked(doors, "team=soc&severity=critical&at=2026-12-24T18:00:00%2B01:00")
    told = brief(answer)
    everybody = "vera, mara, sam, ada, jonas"
    assert told[:2] == [("17:00:00", "raised", ""), ("17:00:00", "step", everybody)]
    assert ("17:02:00", "nobody_answered", "ada, root") in told
    body = answer.json()
    assert (body["urgency"], body["policy"], body["ends"]) == ("urgent", "default", "over")
    assert body["until"] == "2026-12-24T17:02:00Z"
    assert body["warnings"] == []


async def test_a_channel_that_is_not_installed_reaches_nobody(doors: Stage) -> None:
    answer = await asked(doors, "team=soc")
    reasons = {item["reason"] for item in answer.json()["items"] if item["kind"] == "failed"}
    assert reasons == {"the channel webhook is not installed"}


async def test_what_the_question_says_decides_who_is_paged(doors: Stage) -> None:
    await doors.sql(
        'UPDATE category SET body = \'{"keywords": ["pump"], "urgency": "record"}\''
        " WHERE team_id = 1"
    )
    assert brief(await asked(doors, "team=soc&title=pump+down"))[1:] == []
    assert brief(await asked(doors, "team=soc&category=identity"))[1:] == []
    assert brief(await asked(doors, "team=soc&severity=info"))[1:] == []
    assert brief(await asked(doors, "team=soc"))[1:] != []


async def test_bad_questions_are_refused_by_name(doors: Stage) -> None:
    for query, words in (
        ("team=soc&category=fire", "no category 'fire'; it has identity"),
        ("team=soc&severity=awful", "severity"),
        ("team=soc&at=2026-12-24T18:00:00", "at"),
        ("team=soc&at=9999-12-31T23:00:00Z", "the end of the calendar"),
        ("team=soc&who=me", "query.who"),
        ("severity=high", "team"),
    ):
        refused = await asked(doors, query)
        assert refused.status_code == 422, query
        assert words in refused.text
    assert (await asked(doors, "team=soc&at=0001-01-01T00:00:00Z")).status_code == 200


async def test_a_time_for_which_no_shifts_are_worked_out_is_told(doors: Stage) -> None:
    answer = await asked(doors, "team=soc&at=2027-12-24T18:00:00Z")
    assert answer.json()["warnings"] == [
        "shifts are worked out until 2027-02-22T07:00:00Z; later ones are not known yet"
    ]


async def test_other_teams_look_as_if_they_did_not_exist(doors: Stage) -> None:
    assert (await asked(doors, "team=noc")).status_code == 404
    assert (await asked(doors, "team=noc", "nick")).status_code == 200
    alert = await doors.alert("noc")
    async with doors.client("vera") as web:
        answer = await web.get(f"/api/v1/alerts/{public(alert)}/preview")
    assert answer.status_code == 404


async def test_an_open_alert_goes_on_from_now_and_a_closed_one_is_over(doors: Stage) -> None:
    alert = await doors.alert(event=Event(title="Impossible travel"))
    await doors.clock.move_to(NOW.replace(minute=1))
    async with doors.client("mara") as web:
        answer = await web.get(f"/api/v1/alerts/{public(alert)}/preview")
        kinds = [(at, kind) for at, kind, _ in brief(answer) if kind != "failed"]
        assert kinds == [("07:02:00", "nobody_answered")]
        closed = await web.post(f"/api/v1/alerts/{public(alert)}/close", json={})
        assert closed.status_code == 200
        rest = await web.get(f"/api/v1/alerts/{public(alert)}/preview")
    # Those who were to be paged just now are told instead that it is over, and nothing more.
    assert {(at, kind) for at, kind, _ in brief(rest)} == {("07:01:00", "failed")}


async def test_a_question_writes_nothing(doors: Stage) -> None:
    counts = (
        "SELECT (SELECT count(*) FROM alert), (SELECT count(*) FROM plan) AS plans,"
        " (SELECT count(*) FROM timeline) AS lines, (SELECT count(*) FROM notification) AS pages,"
        " (SELECT count(*) FROM turn) AS turns"
    )
    await doors.sql(
        'UPDATE escalation_policy SET body = \'{"steps": [{"notify": [{"team": "soc"}],'
        ' "wait": "2m", "pick": "round_robin"}]}\' WHERE team_id = 1'
    )
    before = await doors.rows(counts)
    first, second = [brief(await asked(doors, "team=soc")) for _ in range(2)]
    assert first == second
    assert ("07:00:00", "step", "vera") in first
    assert await doors.rows(counts) == before
