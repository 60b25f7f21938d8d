"""Graph's security API of the simulated cloud, spoken to over real HTTPS."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.demo.clouds import GRAPH, open_sky, titles

ALERTS = "/v1.0/security/alerts_v2"
INCIDENTS = "/v1.0/security/incidents"


async def test_a_list_comes_newest_first_in_pages_with_a_count(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(GRAPH)
        for number in range(5):
            sky.cloud.add_graph_incident(title=f"incident {number}")
            sky.clock.move(seconds=1)
        first = await sky.client.get(INCIDENTS, params={"$top": 2, "$count": "true"})
        assert titles(first, "displayName") == ["incident 4", "incident 3"]
        assert first.json()["@odata.count"] == 5

        second = await sky.client.get(first.json()["@odata.nextLink"])
        third = await sky.client.get(second.json()["@odata.nextLink"])
        assert titles(second, "displayName") == ["incident 2", "incident 1"]
        assert titles(third, "displayName") == ["incident 0"]
        assert "@odata.nextLink" not in third.json()


async def test_a_new_incident_between_two_pages_shows_one_item_twice(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(GRAPH)
        for number in range(4):
            sky.cloud.add_graph_incident(title=f"incident {number}")
            sky.clock.move(seconds=1)
        first = await sky.client.get(INCIDENTS, params={"$top": 2})
        sky.cloud.add_graph_incident(title="late")
        second = await sky.client.get(first.json()["@odata.nextLink"])
        assert titles(first, "displayName")[1] == titles(second, "displayName")[0]


async def test_a_page_is_never_larger_than_the_cap_whatever_is_asked(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(GRAPH)
        for number in range(120):
            sky.cloud.add_graph_alert(title=f"alert {number}")
        sizes = [
            len(titles(await sky.client.get(ALERTS, params=params), "title"))
            for params in ({}, {"$top": 500}, {"$top": 30}, {"$skip": 110})
        ]
        assert sizes == [100, 100, 30, 10]


async def test_filters_compare_times_texts_and_their_combinations(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(GRAPH)
        sky.cloud.add_graph_alert(title="old low", severity="low")
        sky.clock.move(minutes=10)
        sky.cloud.add_graph_alert(title="new low", severity="low")
        sky.cloud.add_graph_alert(title="new high", service_source="microsoftSentinel")

        async def found(text: str) -> set[str]:
            return set(titles(await sky.client.get(ALERTS, params={"$filter": text}), "title"))

        assert await found("createdDateTime ge 2026-11-24T02:40:00Z") == {"new low", "new high"}
        assert await found("createdDateTime gt 2026-11-24T02:40:00.0000000Z") == set()
        assert await found("lastUpdateDateTime lt 2026-11-24T04:40:00+02:00") == {"old low"}
        assert await found("severity eq 'low' and not (status eq 'resolved')") == {
            "old low",
            "new low",
        }
        assert await found("serviceSource eq 'microsoftSentinel' or severity eq 'high'") == {
            "new high"
        }
        assert await found("assignedTo eq null and status ne 'resolved'") == {
            "old low",
            "new low",
            "new high",
        }


@pytest.mark.parametrize(
    ("path", "options"),
    [
        (ALERTS, "$orderby=createdDateTime"),
        (INCIDENTS, "$orderby=createdDateTime desc"),
        (ALERTS, "$expand=alerts"),
        (INCIDENTS, "$expand=comments"),
        (ALERTS, "$select=id"),
        (ALERTS, "$top=-1"),
        (ALERTS, "$top=0"),
        (ALERTS, "$skip=many"),
        (ALERTS, "$filter=title eq 'x'"),
        (INCIDENTS, "$filter=serviceSource eq 'microsoftSentinel'"),
        (ALERTS, "$filter=severity gt 'low'"),
        (ALERTS, "$filter=createdDateTime ge 'yesterday'"),
        (ALERTS, "$filter=createdDateTime ge 2026-13-45T00:00:00Z"),
        (ALERTS, "$filter=createdDateTime ge 2026-11-24T02:00:00+01:00"),
        (ALERTS, "$filter=status eq"),
        (ALERTS, "$filter=status eq 'new' and"),
        (ALERTS, "$filter=status eq 'new') or"),
        (ALERTS, "$filter=" + "(" * 400),
    ],
)
async def test_what_the_list_does_not_offer_is_a_bad_request(
    tmp_path: Path, path: str, options: str
) -> None:
    """Sent as written: the plus sign that nobody encoded arrives as a space."""
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(GRAPH)
        answer = await sky.client.get(f"{path}?{options}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")
        assert "request-id" in answer.json()["error"]["innerError"]


async def test_incidents_bring_their_alerts_only_when_expanded(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(GRAPH)
        incident = sky.cloud.add_graph_incident(title="With alerts", alerts=2)
        plain = await sky.client.get(INCIDENTS)
        expanded = await sky.client.get(INCIDENTS, params={"$expand": "alerts"})
        one = await sky.client.get(f"{INCIDENTS}/{incident.id}?$expand=alerts")
        below = await sky.client.get(f"{INCIDENTS}/{incident.id}/alerts")
        assert "alerts" not in plain.json()["value"][0]
        ids = [alert["id"] for alert in expanded.json()["value"][0]["alerts"]]
        assert ids == incident.alert_ids
        assert ids == [alert["id"] for alert in one.json()["alerts"]]
        assert ids == titles(below, "id")
        assert set(titles(below, "incidentId")) == {incident.id}


async def test_later_enum_members_are_shown_only_to_those_who_prefer_them(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(GRAPH)
        alert = sky.cloud.add_graph_alert(title="A", service_source="microsoftSentinel")
        plain = (await sky.client.get(f"{ALERTS}/{alert.id}")).json()
        prefer = {"Prefer": "odata.maxpagesize=5, include-unknown-enum-members"}
        full = (await sky.client.get(f"{ALERTS}/{alert.id}", headers=prefer)).json()
        shown = [(answer["serviceSource"], answer["detectionSource"]) for answer in (plain, full)]
        assert shown == [
            ("unknownFutureValue", "unknownFutureValue"),
            ("microsoftSentinel", "scheduledAlerts"),
        ]


async def test_a_patch_changes_what_it_names_and_moves_the_last_update(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(GRAPH)
        alert = sky.cloud.add_graph_alert(title="A")
        sky.clock.move(minutes=1, microseconds=5)
        body = {"status": "inProgress", "assignedTo": "mara@example.org"}
        answer = await sky.client.patch(f"{ALERTS}/{alert.id}", json=body)
        shown = answer.json()
        assert (answer.status_code, shown["status"], shown["assignedTo"]) == (
            200,
            "inProgress",
            "mara@example.org",
        )
        assert shown["classification"] == "unknown"
        assert shown["createdDateTime"] == "2026-11-24T02:30:00.0000000Z"
        assert shown["lastUpdateDateTime"] == "2026-11-24T02:31:00.0000050Z"

        resolved = await sky.client.patch(f"{ALERTS}/{alert.id}", json={"status": "resolved"})
        assert resolved.json()["assignedTo"] == "mara@example.org"
        assert resolved.json()["resolvedDateTime"] == "2026-11-24T02:31:00.0000050Z"


@pytest.mark.parametrize(
    "body",
    [
        {"determination": "compromisedUser"},
        {"status": "active"},
        {"status": None},
        {"title": "Renamed"},
        {"classification": "unknownFutureValue"},
        ["no object"],
    ],
)
async def test_a_patch_with_a_wrong_word_changes_nothing(tmp_path: Path, body: object) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(GRAPH)
        alert = sky.cloud.add_graph_alert(title="A")
        before = (await sky.client.get(f"{ALERTS}/{alert.id}")).json()
        sky.clock.move(minutes=1)
        refused = await sky.client.patch(f"{ALERTS}/{alert.id}", json=body)
        assert refused.status_code == 400
        assert (await sky.client.get(f"{ALERTS}/{alert.id}")).json() == before


async def test_custom_tags_are_replaced_and_a_resolved_incident_takes_its_alerts_along(
    tmp_path: Path,
) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(GRAPH)
        incident = sky.cloud.add_graph_incident(title="I", alerts=2)
        sky.cloud.analyst_changes_graph(incident.id, custom_tags=["night", "vip"])
        path = f"{INCIDENTS}/{incident.id}"
        tagged = await sky.client.patch(path, json={"customTags": ["Tocsin"]})
        assert tagged.json()["customTags"] == ["Tocsin"]
        body = {"status": "resolved", "classification": "truePositive", "determination": "malware"}
        await sky.client.patch(path, json=body)
        below = await sky.client.get(f"{path}/alerts")
        assert titles(below, "status") == ["resolved", "resolved"]
        assert titles(below, "determination") == ["malware", "malware"]


@pytest.mark.parametrize("kind", [ALERTS, INCIDENTS])
async def test_a_comment_answers_200_with_all_comments(tmp_path: Path, kind: str) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(GRAPH)
        incident = sky.cloud.add_graph_incident(title="I")
        item = incident.id if kind == INCIDENTS else incident.alert_ids[0]
        body = {"@odata.type": "microsoft.graph.security.alertComment", "comment": "first"}
        await sky.client.post(f"{kind}/{item}/comments", json=body)
        answer = await sky.client.post(f"{kind}/{item}/comments", json={"comment": "second"})
        assert titles(answer, "comment") == ["first", "second"]
        assert set(titles(answer, "createdByDisplayName")) == {"Tocsin"}


async def test_an_unknown_id_is_not_found(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(GRAPH)
        answers = [await sky.client.get(f"{kind}/4711") for kind in (ALERTS, INCIDENTS)]
        assert [answer.status_code for answer in answers] == [404, 404]


async def test_an_incident_may_have_been_created_in_the_past(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(GRAPH)
        sky.cloud.add_graph_incident(title="now")
        sky.cloud.add_graph_incident(title="before", created=sky.clock() - timedelta(hours=1))
        assert titles(await sky.client.get(INCIDENTS), "displayName") == ["now", "before"]
