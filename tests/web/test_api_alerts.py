"""The API's calls about alerts."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.web.stage import NOW, SECRET, Stage, public, stage
from tocsin.core.event import Event
from tocsin.core.kinds import Severity, Status

FIELDS = {
    "id", "team", "title", "text", "status", "suppressed", "severity", "category", "mode",
    "acknowledgements_required", "urgency", "snoozed_until", "number", "source", "external_id",
    "created_at", "updated_at", "acknowledged_by", "closed_by", "owner", "step", "next_step_at",
    "seen_count", "details", "links", "attachments",
}  # fmt: skip


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    async with stage(database) as made:
        yield made


@pytest.fixture
async def mara(doors: Stage) -> AsyncIterator[httpx.AsyncClient]:
    async with doors.client("mara") as web:
        yield web


def titles(answer: httpx.Response) -> list[str]:
    return [item["title"] for item in answer.json()["items"]]


async def test_the_alert_object_has_the_fields_of_the_contract(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    event = Event(
        title="Impossible travel",
        severity=Severity.CRITICAL,
        external_id="k1",
        source_name="Sentinel",
        url="https://example.org/1",
        details={"host": "dc1"},
        links=("https://example.org/2",),
    )
    alert = await doors.alert(event=event)
    found = (await mara.get(f"/api/v1/alerts/{public(alert)}")).json()
    assert set(found) == FIELDS | {"policy", "policy_changed", "nobody_answered"}
    assert found["team"] == "soc"
    assert found["source"] == {
        "kind": "signl4",
        "name": "Sentinel",
        "url": "https://example.org/1",
    }
    assert (found["status"], found["severity"], found["urgency"]) == ("open", "critical", "urgent")
    assert (found["number"], found["step"], found["seen_count"]) == (1, 1, 1)
    assert found["created_at"] == "2026-11-24T07:00:00Z"
    assert found["next_step_at"] == "2026-11-24T07:02:00Z"
    assert found["acknowledged_by"] == []
    assert found["closed_by"] is None
    assert found["owner"] is None


async def test_an_answered_alert_names_people(doors: Stage, mara: httpx.AsyncClient) -> None:
    alert = await doors.alert()
    await mara.post(f"/api/v1/alerts/{public(alert)}/acknowledge")
    body = {"classification": "truePositive", "comment": "done"}
    found = (await mara.post(f"/api/v1/alerts/{public(alert)}/close", json=body)).json()
    assert found["acknowledged_by"] == [
        {"user": "mara", "at": "2026-11-24T07:00:00Z", "via": "api"}
    ]
    assert found["owner"] == "mara"
    assert found["closed_by"] == {
        "user": "mara",
        "at": "2026-11-24T07:00:00Z",
        "via": "api",
        "classification": "truePositive",
    }


async def test_alerts_are_listed_newest_first_and_page_by_page(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    for number in range(5):
        await doors.alert(event=Event(title=f"alert {number}"))
        if number % 2:  # those of one instant are told apart by their ids
            await doors.clock.move(timedelta(seconds=1))
    seen: list[str] = []
    cursor = None
    for _ in range(3):
        answer = await mara.get(
            "/api/v1/alerts", params={"limit": 2} | ({"cursor": cursor} if cursor else {})
        )
        seen += titles(answer)
        cursor = answer.json()["next"]
    assert cursor is None
    assert seen[0] == "alert 4"
    assert set(seen[1:3]) == {"alert 3", "alert 2"}
    assert set(seen[3:]) == {"alert 1", "alert 0"}


async def test_alerts_are_found_by_what_they_are(doors: Stage, mara: httpx.AsyncClient) -> None:
    await doors.alert(event=Event(title="a", severity=Severity.CRITICAL, external_id="k1"))
    await doors.alert("noc", Event(title="foreign"))
    await doors.clock.move(timedelta(seconds=5))
    made = await mara.post("/api/v1/alerts", json={"team": "soc", "title": "b"})
    await mara.post(f"/api/v1/alerts/{made.json()['id']}/acknowledge")
    wanted = {
        "team=soc": ["b", "a"],
        "status=acknowledged": ["b"],
        "status=open&status=acknowledged": ["b", "a"],
        "severity=critical": ["a"],
        "source=signl4": ["a"],
        "source=api": ["b"],
        "integration=plant": [],
        "external_id=k1": ["a"],
        "q=B": ["b"],
        "q=%25": [],
        "since=2026-11-24T07:00:01Z": ["b"],
    }
    found = {query: titles(await mara.get(f"/api/v1/alerts?{query}")) for query in wanted}
    assert found == wanted


async def test_alerts_are_found_by_the_name_of_their_integration(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    await doors.alert(event=Event(title="of nobody's integration"))
    await mara.post(f"/webhook/{SECRET}", json={"Title": "of the plant"})
    assert titles(await mara.get("/api/v1/alerts?integration=plant")) == ["of the plant"]
    assert titles(await mara.get("/api/v1/alerts?integration=prometheus")) == []


async def test_an_alert_raised_by_hand_is_201_and_a_repeated_one_is_counted(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    body = {"team": "soc", "title": "Fire", "external_id": "f1", "details": {"floor": 3}}
    first = await mara.post("/api/v1/alerts", json=body)
    assert first.status_code == 201
    assert (first.json()["severity"], first.json()["details"]) == ("high", {"floor": 3})
    assert first.json()["source"]["kind"] == "api"
    again = await mara.post("/api/v1/alerts", json=body)
    assert again.status_code == 200
    assert again.json()["id"] == first.json()["id"]
    assert again.json()["seen_count"] == 2
    raised = await doors.rows("SELECT by_name, via FROM timeline WHERE kind = 'raised'")
    assert [(row["by_name"], row["via"]) for row in raised] == [("mara", "api")]


async def test_one_alert_for_each_of_several_teams(doors: Stage) -> None:
    async with doors.client("root") as web:
        answer = await web.post("/api/v1/alerts", json={"teams": ["soc", "noc"], "title": "Fire"})
    assert answer.status_code == 201
    assert [item["team"] for item in answer.json()["items"]] == ["soc", "noc"]


async def test_an_alert_that_cannot_be_raised_is_a_422_that_names_the_fault(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    bodies: list[object] = [
        {"title": "x"},
        {"team": "soc", "teams": ["soc"], "title": "x"},
        {"team": "soc"},
        {"team": "soc", "title": ""},
        {"team": "soc", "title": "x" * 301},
        {"team": "soc", "title": "x", "severity": "awful"},
        {"team": "soc", "title": "x", "category": "no such"},
        {"team": "soc", "title": "x", "unknown": 1},
        {"team": "soc", "title": ["x"]},
        {"teams": [], "title": "x"},
        [],
    ]
    for body in bodies:
        answer = await mara.post("/api/v1/alerts", json=body)
        assert answer.status_code == 422, body
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["remedy"]
    assert await doors.rows("SELECT 1 FROM alert") == []


async def test_a_filter_that_means_nothing_is_refused(mara: httpx.AsyncClient) -> None:
    for query in (
        "stauts=open", "limit=0", "limit=1000", "cursor=x", "since=yesterday", "status=gone",
        "since=2026-11-24T07:00:00", "since=2026-02-31T07:00:00Z",
    ):  # fmt: skip
        assert (await mara.get(f"/api/v1/alerts?{query}")).status_code == 422, query


async def test_a_body_that_is_no_plain_json_is_refused(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    contents = {
        b'{"team": "soc", "title": "x", "title": "y"}': 400,
        b'{"team": "soc", "title": "a\\u0000b"}': 400,
        b'{"team": "soc", "title": "\\ud800"}': 400,
        b"[" * 10_000: 400,
        b'{"details":' * 5_000 + b"1" + b"}" * 5_000: 400,
        b"\xff\xfe": 400,
        b'{"team": "soc", "title": "' + b"x" * 300_000 + b'"}': 413,
    }
    for content, status in contents.items():
        answer = await mara.post(
            "/api/v1/alerts", content=content, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == status, content[:60]
        assert answer.headers["content-type"] == "application/problem+json"
    assert await doors.rows("SELECT 1 FROM alert") == []


async def test_a_form_is_not_taken_for_json(mara: httpx.AsyncClient) -> None:
    assert (await mara.post("/api/v1/alerts", data={"title": "x"})).status_code == 415


async def test_an_id_that_is_none_is_a_404(mara: httpx.AsyncClient) -> None:
    for given in ("x", "aaaaaaiaaaaaaaaaaadvohbrla", "a" * 32, "%00", "..%2f..%2fetc", "0" * 26):
        answer = await mara.get(f"/api/v1/alerts/{given}")
        assert answer.status_code in {400, 404}, given
        assert answer.headers["content-type"] == "application/problem+json"


async def test_timeline_and_notifications_tell_the_story(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    alert = await doors.alert()
    await mara.post(f"/api/v1/alerts/{public(alert)}/annotate", json={"comment": "looking"})
    timeline = (await mara.get(f"/api/v1/alerts/{public(alert)}/timeline")).json()["items"]
    assert [entry["kind"] for entry in timeline] == ["raised", "step", "annotated"]
    assert timeline[-1]["by"] == "mara"
    assert timeline[-1]["data"] == {"comment": "looking"}
    pages = (await mara.get(f"/api/v1/alerts/{public(alert)}/notifications")).json()["items"]
    assert {page["user"] for page in pages} == {"vera", "mara", "sam", "ada", "jonas"}
    assert {(page["state"], page["step"], page["attempt"]) for page in pages} == {("planned", 1, 1)}
    assert {page["contact_method"] for page in pages} == {"phone"}


async def call(
    web: httpx.AsyncClient, alert: str, verb: str, body: dict[str, Any] | None = None
) -> httpx.Response:
    return await web.post(f"/api/v1/alerts/{alert}/{verb}", json=body)


async def test_every_verb_does_what_it_says(doors: Stage, mara: httpx.AsyncClient) -> None:
    alert = public(await doors.alert())
    until = (NOW + timedelta(hours=1)).isoformat()
    async with doors.client("jonas") as jonas:
        assert (await call(mara, alert, "acknowledge")).json()["owner"] == "mara"
        assert (await call(jonas, alert, "take-over")).json()["owner"] == "jonas"
        assert (await call(jonas, alert, "unacknowledge")).json()["status"] == "open"
        snoozed = await call(mara, alert, "snooze", {"until": until})
        assert snoozed.json()["snoozed_until"] == "2026-11-24T08:00:00Z"
        assert (await call(mara, alert, "escalate")).json()["status"] == "open"
        assert (await call(mara, alert, "acknowledge")).json()["status"] == "acknowledged"
        handed = await call(mara, alert, "reassign", {"user": "ada"})
        assert handed.json()["owner"] == "ada"
        helped = await call(mara, alert, "add-responders", {"user": "sam", "comment": "help"})
        assert (helped.status_code, helped.json()["owner"]) == (200, "ada")
        team = await call(mara, alert, "add-responders", {"team": "soc"})
        assert team.status_code == 200
        assert (await call(mara, alert, "close")).json()["status"] == "closed"
        assert (await call(mara, alert, "annotate", {"comment": "x"})).status_code == 200
        assert (await call(mara, alert, "reopen")).json()["status"] == "open"


async def test_an_edited_policy_is_told_and_followed_after_a_restart(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    alert = public(await doors.alert())
    read = f"/api/v1/alerts/{alert}"
    assert (await mara.get(read)).json()["policy_changed"] is False
    await doors.sql("UPDATE escalation_policy SET body = jsonb_set(body, '{repeat}', '7')")
    shown = (await mara.get(read)).json()
    assert (shown["policy"], shown["policy_changed"]) == ("default", True)
    restarted = await call(mara, alert, "escalate", {"restart": True})
    assert (restarted.status_code, restarted.json()["step"]) == (200, 1)
    assert (await mara.get(read)).json()["policy_changed"] is False


async def test_what_the_lifecycle_forbids_is_a_409_that_says_why(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    alert = await doors.alert()
    await call(mara, public(alert), "close")
    bodies: dict[str, dict[str, Any] | None] = {
        "acknowledge": None,
        "take-over": None,
        "escalate": None,
        "snooze": {"until": "2026-11-24T08:00:00+00:00"},
        "reassign": {"user": "ada"},
        "add-responders": {"user": "ada"},
    }
    for verb, body in bodies.items():
        answer = await call(mara, public(alert), verb, body)
        assert answer.status_code == 409, verb
        assert "mara" in answer.json()["detail"]
    assert (await doors.now_of(alert)).status is Status.CLOSED


@pytest.mark.parametrize("verb", ["acknowledge", "close"])
async def test_repeating_what_is_already_true_changes_nothing(
    doors: Stage, mara: httpx.AsyncClient, verb: str
) -> None:
    alert = await doors.alert()
    first = await call(mara, public(alert), verb)
    before = len(await doors.rows("SELECT 1 FROM timeline"))
    again = await call(mara, public(alert), verb)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert len(await doors.rows("SELECT 1 FROM timeline")) == before


REPEATED: list[tuple[str, dict[str, Any], bool]] = [
    ("reassign", {"user": "jonas"}, False),
    ("reassign", {"user": "jonas"}, True),
    ("reassign", {"user": "mara"}, True),
    ("add-responders", {"user": "jonas"}, False),
    ("add-responders", {"team": "soc"}, True),
    ("snooze", {"until": "2026-11-24T09:00:00Z"}, False),
    ("snooze", {"until": "2026-11-24T09:00:00Z"}, True),
]


@pytest.mark.parametrize(("verb", "body", "taken"), REPEATED)
async def test_asking_again_for_what_was_asked_pages_nobody_and_changes_nothing(
    doors: Stage, mara: httpx.AsyncClient, verb: str, body: dict[str, Any], *, taken: bool
) -> None:
    alert = public(await doors.alert())
    if taken:
        await call(mara, alert, "acknowledge")
    first = await call(mara, alert, verb, body)
    assert first.status_code == 200, first.text
    lines, pages = await doors.rows("SELECT * FROM timeline"), await written(doors)
    await doors.clock.move(timedelta(seconds=10))
    again = await call(mara, alert, verb, body)
    assert (again.status_code, again.json()) == (200, first.json())
    assert await doors.rows("SELECT * FROM timeline") == lines
    assert await written(doors) == pages


async def written(doors: Stage) -> list[tuple[object, ...]]:
    found = await doors.rows("SELECT id, state, due_at, purpose FROM notification ORDER BY id")
    return [tuple(row.values()) for row in found]


async def test_a_classification_is_one_of_microsofts_words(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    alert = public(await doors.alert())
    for path in (f"alerts/{alert}/close", "alerts/close"):
        body = {"classification": "bogus"} | ({"ids": [alert]} if path == "alerts/close" else {})
        refused = await mara.post(f"/api/v1/{path}", json=body)
        assert refused.status_code == 422
        for word in ("truePositive", "falsePositive", "informationalExpectedActivity", "unknown"):
            assert word in refused.json()["detail"]
    closed = await call(mara, alert, "close", {"classification": "BenignPositive"})
    assert closed.json()["closed_by"]["classification"] == "benignPositive"


async def test_of_two_simultaneous_acknowledgements_one_owns_it(doors: Stage) -> None:
    alert = public(await doors.alert())
    async with doors.client("mara") as mara, doors.client("jonas") as jonas:
        answers = await asyncio.gather(
            *(call(web, alert, "acknowledge") for web in (mara, jonas) * 5)
        )
    owners = {answer.json()["owner"] for answer in answers}
    assert {answer.status_code for answer in answers} == {200}
    assert len(owners) == 1
    lines = await doors.rows("SELECT 1 FROM timeline WHERE kind = 'acknowledged'")
    assert len(lines) == 1


async def test_an_answer_with_wrong_fields_is_a_422(doors: Stage, mara: httpx.AsyncClient) -> None:
    alert = await doors.alert()
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("acknowledge", {"user": "jonas"}),
        ("acknowledge", {"unknown": 1}),
        ("acknowledge", {"comment": 1}),
        ("snooze", {}),
        ("snooze", {"until": "2026-02-31T00:00:00Z"}),
        ("snooze", {"until": "2026-11-24T08:00:00"}),
        ("annotate", {}),
        ("annotate", {"comment": "  "}),
        ("reassign", {}),
        ("reassign", {"user": "ada", "team": "soc"}),
        ("close", {"classification": ""}),
    ]
    for verb, body in wrong:
        assert (await call(mara, public(alert), verb, body)).status_code == 422, (verb, body)
    assert await doors.now_of(alert) == alert


async def test_nobody_is_reassigned_who_is_not_seen_from_here(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    alert = public(await doors.alert())
    for body in ({"user": "nick"}, {"user": "nobody"}, {"team": "noc"}):
        assert (await call(mara, alert, "reassign", body)).status_code == 404


async def test_several_alerts_are_answered_in_one_call(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    ids = [public(await doors.alert()) for _ in range(3)]
    await call(mara, ids[0], "close")
    answer = await mara.post("/api/v1/alerts/acknowledge", json={"ids": ids})
    assert answer.status_code == 200
    assert [item["status"] for item in answer.json()["items"]] == [
        "closed",
        "acknowledged",
        "acknowledged",
    ]
    assert [item["id"] for item in answer.json()["refused"]] == [ids[0]]
    closed = await mara.post("/api/v1/alerts/close", json={"ids": ids, "comment": "over"})
    assert {item["status"] for item in closed.json()["items"]} == {"closed"}
    assert closed.json()["refused"] == []


async def test_one_foreign_alert_among_several_changes_none(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    own, foreign = await doors.alert(), await doors.alert("noc")
    body = {"ids": [public(own), public(foreign)]}
    assert (await mara.post("/api/v1/alerts/close", json=body)).status_code == 404
    assert (await doors.now_of(own)).status is Status.OPEN
    assert (await doors.now_of(foreign)).status is Status.OPEN
