"""Sentinel's incidents API of the simulated cloud, spoken to over real HTTPS."""

import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.demo.clouds import ARM, INCIDENTS, Sky, open_sky, titles


async def _read(sky: Sky, incident_id: str) -> dict[str, Any]:
    answer = await sky.arm("GET", f"/{incident_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_an_incident_reads_as_it_was_put_on_stage(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        incident = sky.cloud.add_sentinel_incident(title="Night", description="D", alerts=2)
        shown = await _read(sky, incident.id)
        properties = shown["properties"]
        assert shown["name"] == incident.id
        assert shown["id"].lower() == f"{INCIDENTS}/{incident.id}".lower()
        assert (properties["title"], properties["severity"], properties["status"]) == (
            "Night",
            "High",
            "New",
        )
        assert properties["providerName"] == "Azure Sentinel"
        assert properties["createdTimeUtc"] == "2026-11-24T02:30:00.0000000Z"
        assert properties["owner"]["userPrincipalName"] is None
        assert properties["additionalData"]["alertsCount"] == 2
        assert "classification" not in properties


async def test_lists_are_filtered_ordered_and_paged_by_an_opaque_token(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        made = [sky.cloud.add_sentinel_incident(title=f"incident {n}") for n in range(5)]
        sky.clock.move(minutes=5)
        sky.cloud.analyst_changes_sentinel(made[1].id, status="Active")
        sky.clock.move(minutes=5)
        sky.cloud.analyst_changes_sentinel(made[0].id, status="Active", owner="mara@example.org")

        since = "properties/lastModifiedTimeUtc gt 2026-11-24T02:30:00Z"
        order = "properties/lastModifiedTimeUtc asc"
        changed = await sky.arm("GET", filter=f"({since})", orderby=order, top=1)
        assert titles(changed, "title") == ["incident 1"]
        rest = await sky.client.get(changed.json()["nextLink"])
        assert titles(rest, "title") == ["incident 0"]
        assert "nextLink" not in rest.json()

        mine = "properties/owner/userPrincipalName eq 'mara@example.org'"
        assert titles(await sky.arm("GET", filter=mine), "title") == ["incident 0"]
        some = "contains(properties/title, 'DENT 3') or properties/incidentNumber eq 1001"
        found = await sky.arm("GET", filter=some)
        assert set(titles(found, "title")) == {"incident 3", "incident 0"}


async def test_a_page_holds_at_most_a_thousand(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        for number in range(1_010):
            sky.cloud.add_sentinel_incident(title=f"incident {number}", alerts=0)
        page = await sky.arm("GET", top=5_000)
        assert len(titles(page, "title")) == 1_000
        assert len(titles(await sky.client.get(page.json()["nextLink"]), "title")) == 10


@pytest.mark.parametrize(
    "options",
    [
        {"filter": "status eq 'New'"},
        {"filter": "properties/providerName eq 'x'"},
        {"orderby": "properties/etag"},
        {"orderby": "properties/title sideways"},
        {"skipToken": "not base64!"},
        {"top": "some"},
    ],
)
async def test_a_list_refuses_what_it_does_not_know(
    tmp_path: Path, options: dict[str, str]
) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        answer = await sky.arm("GET", **options)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")


async def test_undetermined_is_never_found_by_a_filter(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        incident = sky.cloud.add_sentinel_incident(title="I")
        sky.cloud.analyst_changes_sentinel(incident.id, classification="Undetermined")
        answer = await sky.arm("GET", filter="properties/classification eq 'Undetermined'")
        assert titles(answer, "title") == []


async def test_a_stale_etag_is_a_conflict_and_saves_nothing(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        incident = sky.cloud.add_sentinel_incident(title="I")
        read = await _read(sky, incident.id)
        sky.cloud.analyst_changes_sentinel(incident.id, labels=["theirs"])
        read["properties"]["status"] = "Active"
        refused = await sky.arm("PUT", f"/{incident.id}", read)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "Conflict")
        assert (incident.status, list(incident.labels)) == ("New", ["theirs"])

        again = await _read(sky, incident.id)
        again["properties"]["status"] = "Active"
        saved = await sky.arm("PUT", f"/{incident.id}", again)
        assert saved.status_code == 200
        assert saved.json()["etag"] != again["etag"]
        assert (incident.status, list(incident.labels)) == ("Active", ["theirs"])


async def test_a_comment_renews_the_etag_of_its_incident(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        incident = sky.cloud.add_sentinel_incident(title="I")
        read = await _read(sky, incident.id)
        sky.cloud.analyst_comments(incident.id, "looking", "mara@example.org")
        assert (await sky.arm("PUT", f"/{incident.id}", read)).status_code == 409


async def test_a_put_without_etag_is_taken_and_drops_what_it_leaves_out(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        incident = sky.cloud.add_sentinel_incident(
            title="I", description="D", owner="mara@example.org"
        )
        sky.cloud.analyst_changes_sentinel(incident.id, labels=["vip"])
        bare = {"properties": {"title": "I", "severity": "High", "status": "Active"}}
        answer = await sky.arm("PUT", f"/{incident.id}", bare)
        properties = answer.json()["properties"]
        assert answer.status_code == 200
        assert (properties["description"], properties["labels"]) == ("", [])
        assert properties["owner"]["userPrincipalName"] is None
        assert "firstActivityTimeUtc" not in properties
        assert properties["incidentNumber"] == incident.number


@pytest.mark.parametrize("missing", ["title", "severity", "status"])
async def test_a_put_needs_title_severity_and_status(tmp_path: Path, missing: str) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        incident = sky.cloud.add_sentinel_incident(title="I")
        body = {"properties": {"title": "I", "severity": "High", "status": "Active"}}
        del body["properties"][missing]
        answer = await sky.arm("PUT", f"/{incident.id}", body)
        assert answer.status_code == 400
        assert missing in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("classification", "reason", "status"),
    [
        ("TruePositive", "SuspiciousActivity", 200),
        ("BenignPositive", "SuspiciousButExpected", 200),
        ("FalsePositive", "IncorrectAlertLogic", 200),
        ("FalsePositive", "InaccurateData", 200),
        ("Undetermined", None, 200),
        ("BenignPositive", None, 400),
        ("TruePositive", None, 400),
        ("TruePositive", "InaccurateData", 400),
        ("Undetermined", "SuspiciousActivity", 400),
        (None, "SuspiciousActivity", 400),
        ("truePositive", "SuspiciousActivity", 400),
    ],
)
async def test_classification_and_reason_go_together_or_not_at_all(
    tmp_path: Path, classification: str | None, reason: str | None, status: int
) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        incident = sky.cloud.add_sentinel_incident(title="I")
        properties = {
            "title": "I",
            "severity": "High",
            "status": "Closed",
            "classification": classification,
            "classificationReason": reason,
        }
        answer = await sky.arm("PUT", f"/{incident.id}", {"properties": properties})
        assert answer.status_code == status
        assert incident.status == ("Closed" if status == 200 else "New")


async def test_an_owner_known_to_the_directory_is_completed(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        mara = sky.cloud.add_person("mara@example.org", "Mara Holt")
        incident = sky.cloud.add_sentinel_incident(title="I")
        for owner in ({"objectId": mara.object_id}, {"userPrincipalName": "MARA@example.org"}):
            read = await _read(sky, incident.id)
            read["properties"]["owner"] = owner
            answer = await sky.arm("PUT", f"/{incident.id}", read)
            assert answer.json()["properties"]["owner"]["assignedTo"] == "Mara Holt"
        assert incident.owner == mara


async def test_a_put_needs_an_id_and_makes_an_incident_that_is_not_there(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        body = {"properties": {"title": "Mine", "severity": "Low", "status": "New"}}
        assert (await sky.arm("PUT", "", body)).status_code == 405
        made = await sky.arm("PUT", f"/{uuid.uuid4()}", body)
        assert (made.status_code, made.json()["properties"]["title"]) == (201, "Mine")


async def test_a_comment_put_again_under_its_id_stays_one(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        incident = sky.cloud.add_sentinel_incident(title="I")
        path = f"/{incident.id}/comments/{uuid.uuid4()}"
        body = {"properties": {"message": "acknowledged"}}
        statuses = [(await sky.arm("PUT", path, body)).status_code for _ in range(3)]
        assert statuses == [201, 200, 200]
        assert [comment.message for comment in incident.comments] == ["acknowledged"]
        assert (await sky.arm("GET", path)).json()["properties"]["author"]["name"] == "Tocsin"


async def test_comments_are_listed_newest_first_in_pages(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        incident = sky.cloud.add_sentinel_incident(title="I")
        for number in range(3):
            sky.cloud.analyst_comments(incident.id, f"comment {number}", "mara@example.org")
        first = await sky.arm("GET", f"/{incident.id}/comments", top=2)
        assert titles(first, "message") == ["comment 2", "comment 1"]
        assert titles(await sky.client.get(first.json()["nextLink"]), "message") == ["comment 0"]


async def test_comments_have_limits_in_length_and_number(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        incident = sky.cloud.add_sentinel_incident(title="I")

        async def put(message: str, comment_id: str) -> int:
            body = {"properties": {"message": message}}
            answer = await sky.arm("PUT", f"/{incident.id}/comments/{comment_id}", body)
            return answer.status_code

        assert await put("x" * 30_001, str(uuid.uuid4())) == 400
        assert await put("", str(uuid.uuid4())) == 400
        assert await put("m", "no-guid") == 400
        first = str(uuid.uuid4())
        assert await put("x" * 30_000, first) == 201
        for number in range(99):
            sky.cloud.analyst_comments(incident.id, str(number), "mara@example.org")
        assert await put("one too many", str(uuid.uuid4())) == 400
        assert await put("x" * 30_000, first) == 200


async def test_alerts_and_entities_are_asked_for_by_post(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        incident = sky.cloud.add_sentinel_incident(title="I", alerts=2)
        alerts = await sky.arm("POST", f"/{incident.id}/alerts")
        expected = [alert.system_alert_id for alert in incident.alerts]
        assert titles(alerts, "systemAlertId") == expected
        entities = (await sky.arm("POST", f"/{incident.id}/entities")).json()
        assert [entity["kind"] for entity in entities["entities"]] == ["Account", "Host"]
        assert {"entityKind": "Host", "count": 1} in entities["metaData"]


async def test_a_wrong_address_is_named(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        assert (await sky.arm("GET", f"/{uuid.uuid4()}")).json()["error"]["code"] == "NotFound"
        version = await sky.client.get(INCIDENTS)
        assert version.json()["error"]["code"] == "MissingApiVersionParameter"
        other = INCIDENTS.replace("law-night", "law-day") + "?api-version=2025-09-01"
        assert (await sky.client.get(other)).status_code == 404
        upper = INCIDENTS.replace("rg-night", "RG-Night") + "?api-version=2025-09-01"
        assert (await sky.client.get(upper)).status_code == 200
