"""One incident seen by Graph and by an onboarded Sentinel workspace."""

import uuid
from pathlib import Path

from tests.demo.clouds import ARM, GRAPH, open_sky


async def test_an_onboarded_incident_names_defender_as_its_provider(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        incident = sky.cloud.add_sentinel_incident(
            title="I", description="D", onboarded=True, owner="mara@example.org"
        )
        source = sky.cloud.graph_incidents[incident.graph_id or ""]
        shown = (await sky.arm("GET", f"/{incident.id}")).json()["properties"]
        assert (shown["providerName"], shown["providerIncidentId"]) == ("Microsoft XDR", source.id)
        assert source.id in shown["additionalData"]["providerIncidentUrl"]
        assert "description" not in shown
        assert (source.assigned_to, incident.owner and incident.owner.user_principal_name) == (
            "mara@example.org",
            "mara@example.org",
        )
        graph_alerts = [alert.provider_alert_id for alert in sky.cloud.alerts_of(source)]
        assert graph_alerts == [alert.system_alert_id for alert in incident.alerts]


async def test_a_write_to_sentinel_shows_in_defender(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        incident = sky.cloud.add_sentinel_incident(title="I", onboarded=True)
        source = sky.cloud.graph_incidents[incident.graph_id or ""]
        sky.clock.move(minutes=1)
        read = (await sky.arm("GET", f"/{incident.id}")).json()
        read["properties"] |= {
            "status": "Closed",
            "classification": "BenignPositive",
            "classificationReason": "SuspiciousButExpected",
            "labels": [{"labelName": "Tocsin"}],
            "owner": {"userPrincipalName": "mara@example.org"},
        }
        assert (await sky.arm("PUT", f"/{incident.id}", read)).status_code == 200
        comment = {"properties": {"message": "done"}}
        await sky.arm("PUT", f"/{incident.id}/comments/{uuid.uuid4()}", comment)
        assert (source.status, source.classification, source.assigned_to, source.custom_tags) == (
            "resolved",
            "informationalExpectedActivity",
            "mara@example.org",
            ["Tocsin"],
        )
        assert [c.comment for c in source.comments] == ["done"]
        assert source.updated == sky.clock()
        assert [alert.status for alert in sky.cloud.alerts_of(source)] == ["resolved"]


async def test_a_write_to_defender_shows_in_sentinel_and_renews_its_etag(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(GRAPH)
        source = sky.cloud.add_graph_incident(title="I", in_sentinel=True)
        incident = sky.cloud.sentinel_incidents[source.sentinel_id or ""]
        etag = incident.etag
        body = {
            "status": "resolved",
            "classification": "falsePositive",
            "determination": "notEnoughDataToValidate",
            "assignedTo": "ada@example.org",
            "customTags": ["Tocsin"],
        }
        path = f"/v1.0/security/incidents/{source.id}"
        assert (await sky.client.patch(path, json=body)).status_code == 200
        await sky.client.post(f"{path}/comments", json={"comment": "noise"})
        assert (incident.status, incident.classification, incident.classification_reason) == (
            "Closed",
            "FalsePositive",
            "InaccurateData",
        )
        assert list(incident.labels) == ["Tocsin"]
        assert incident.owner is not None
        assert incident.owner.user_principal_name == "ada@example.org"
        assert [comment.message for comment in incident.comments] == ["noise"]
        assert incident.etag != etag


async def test_a_comment_of_an_onboarded_workspace_cannot_be_edited(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        incident = sky.cloud.add_sentinel_incident(title="I", onboarded=True)
        path = f"/{incident.id}/comments/{uuid.uuid4()}"
        answers = [
            await sky.arm("PUT", path, {"properties": {"message": message}})
            for message in ("as said", "as said", "said differently")
        ]
        assert [answer.status_code for answer in answers] == [201, 200, 400]


async def test_a_sentinel_incident_alone_is_not_seen_by_graph(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(GRAPH)
        sky.cloud.add_sentinel_incident(title="I")
        assert (await sky.client.get("/v1.0/security/incidents")).json()["value"] == []
