"""Defender's incidents and alerts are read, written, commented as the source promises."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.microsoft.skies import Sky, open_sky
from tocsin.core.kinds import Severity
from tocsin.core.reconcile import Comment, RemoteStatus, Wanted
from tocsin.microsoft.fields import items
from tocsin.ports import Failed, FailureKind, Wrote

MARA = "mara@example.org"
COMMENT = Comment(id="event-1", text="Acknowledged in Tocsin by Mara Ilves")
ACK = Wanted(status=RemoteStatus.ACTIVE, owner=MARA, label="Tocsin", comments=(COMMENT,))
CLOSE = Wanted(status=RemoteStatus.CLOSED, classification="truePositive")


@pytest.fixture
async def sky(tmp_path: Path) -> AsyncGenerator[Sky]:
    async with open_sky(tmp_path, mode="graph") as opened:
        yield opened


async def _write(sky: Sky, key: str, wanted: Wanted) -> Wrote | Failed:
    return await sky.source.write(key, lambda _: wanted, sky.lease(), sky.budget)


async def test_an_active_incident_is_new_to_us_with_its_alerts_named(sky: Sky) -> None:
    incident = sky.cloud.add_graph_incident(title="Token theft", alerts=2)
    (remote,) = await sky.poll()
    assert (remote.key, remote.title) == (incident.id, "Token theft")
    assert (remote.status, remote.severity) == (RemoteStatus.NEW, Severity.HIGH)
    assert remote.details["alerts_count"] == 2
    assert remote.url is not None
    assert sky.budget.taken == ["graph-incidents"]


async def test_more_incidents_than_a_page_are_all_read(sky: Sky) -> None:
    for number in range(120):
        sky.cloud.add_graph_incident(title=f"Incident {number}")
    assert len({remote.key for remote in await sky.poll()}) == 120


async def test_members_that_were_added_later_are_asked_for(sky: Sky) -> None:
    sky.cloud.add_graph_incident(title="From Sentinel", service_source="microsoftSentinel")
    (remote,) = await sky.poll()
    assert remote.details["products"] != ["unknownFutureValue"]


async def test_acknowledging_writes_status_owner_tag_and_comment(sky: Sky) -> None:
    incident = sky.cloud.add_graph_incident(title="Token theft")
    incident.custom_tags = ["vip"]
    wrote = await _write(sky, incident.id, ACK)
    assert isinstance(wrote, Wrote)
    assert wrote.changed
    assert (wrote.remote.status, wrote.remote.owner) == (RemoteStatus.ACTIVE, MARA)
    assert (incident.status, incident.assigned_to) == ("inProgress", MARA)
    assert incident.custom_tags == ["vip", "Tocsin"]
    assert [comment.comment.startswith(COMMENT.text) for comment in incident.comments] == [True]


async def test_closing_writes_resolved_with_classification_and_determination(sky: Sky) -> None:
    incident = sky.cloud.add_graph_incident(title="Token theft", status="inProgress")
    wrote = await _write(sky, incident.id, CLOSE)
    assert isinstance(wrote, Wrote), wrote
    assert incident.status == "resolved"
    assert (incident.classification, incident.determination) == ("truePositive", "other")


async def test_what_the_analyst_determined_stays(sky: Sky) -> None:
    incident = sky.cloud.add_graph_incident(title="Token theft")
    sky.cloud.analyst_changes_graph(
        incident.id, classification="truePositive", determination="phishing"
    )
    assert isinstance(await _write(sky, incident.id, CLOSE), Wrote)
    assert (incident.classification, incident.determination) == ("truePositive", "phishing")


async def test_writing_what_is_already_true_writes_nothing(sky: Sky) -> None:
    incident = sky.cloud.add_graph_incident(title="Token theft")
    await _write(sky, incident.id, ACK)
    wrote = await _write(sky, incident.id, ACK)
    assert isinstance(wrote, Wrote)
    assert not wrote.changed
    assert len(incident.comments) == 1
    assert len(sky.cloud.requests.of("PATCH")) == 1


async def test_a_comment_whose_answer_was_lost_is_there_once(sky: Sky) -> None:
    incident = sky.cloud.add_graph_incident(title="Token theft")
    sky.cloud.faults.add("/comments", "POST", "reset_after_apply")
    failed = await _write(sky, incident.id, ACK)
    assert isinstance(failed, Failed)
    assert failed.maybe_applied
    assert isinstance(await _write(sky, incident.id, ACK), Wrote)
    assert len(incident.comments) == 1


async def test_the_same_words_for_another_event_are_another_comment(sky: Sky) -> None:
    incident = sky.cloud.add_graph_incident(title="Token theft")
    await _write(sky, incident.id, ACK)
    again = Wanted(comments=(Comment(id="event-2", text=COMMENT.text),))
    await _write(sky, incident.id, again)
    assert len(incident.comments) == 2


async def test_a_write_that_was_applied_before_the_cut_is_marked(sky: Sky) -> None:
    incident = sky.cloud.add_graph_incident(title="Token theft")
    sky.cloud.faults.add("incidents/", "PATCH", "reset_after_apply")
    failed = await _write(sky, incident.id, ACK)
    assert isinstance(failed, Failed)
    assert failed.maybe_applied
    assert failed.kind is FailureKind.TEMPORARY
    assert isinstance(await _write(sky, incident.id, ACK), Wrote)
    assert len(sky.cloud.requests.of("PATCH")) == 1


async def test_a_merged_incident_names_its_target_and_writes_go_there(sky: Sky) -> None:
    target = sky.cloud.add_graph_incident(title="Token theft")
    merged = sky.cloud.add_graph_incident(title="Odd sign-in")
    merged.status, merged.redirect_id = "redirected", target.id
    remotes = {remote.key: remote for remote in await sky.poll()}
    assert remotes[merged.id].merged_into == target.id
    assert remotes[merged.id].status is RemoteStatus.CLOSED
    wrote = await _write(sky, merged.id, ACK)
    assert isinstance(wrote, Wrote)
    assert wrote.remote.key == target.id
    assert target.status == "inProgress"


async def test_the_unit_alert_pages_per_alert_from_its_own_budget(sky: Sky) -> None:
    await sky.anew(unit="alert")
    alert = sky.cloud.add_graph_alert(title="Suspicious inbox rule")
    (remote,) = await sky.poll()
    assert (remote.key, remote.status) == (alert.id, RemoteStatus.NEW)
    wrote = await _write(sky, alert.id, ACK)
    assert isinstance(wrote, Wrote), wrote
    assert (alert.status, alert.assigned_to) == ("inProgress", MARA)
    assert len(alert.comments) == 1
    assert isinstance(await _write(sky, alert.id, CLOSE), Wrote)
    assert alert.status == "resolved"
    assert set(sky.budget.taken) == {"graph-alerts", "graph-alerts-write"}


async def test_details_name_what_the_evidence_tells_of(sky: Sky) -> None:
    incident = sky.cloud.add_graph_incident(title="Token theft", alerts=2)
    details = await sky.source.details(incident.id, sky.lease(), sky.budget)
    assert not isinstance(details, Failed)
    assert len(items(details["alerts"])) == 2
    assert details["accounts"]


async def test_a_token_that_ends_between_two_pages_is_renewed(sky: Sky) -> None:
    for number in range(120):
        sky.cloud.add_graph_incident(title=f"Incident {number}")
    sky.cloud.faults.add(r"skip", "GET", 401)
    assert len({remote.key for remote in await sky.poll()}) == 120
    assert len(sky.cloud.requests.of("POST", "oauth2")) == 2


async def test_a_late_reader_sees_only_what_changed_since(sky: Sky) -> None:
    sky.cloud.add_graph_incident(title="before")
    sky.clock.move(timedelta(hours=1))
    since = sky.clock.now()
    sky.cloud.add_graph_incident(title="after")
    assert [remote.title for remote in await sky.poll(since)] == ["after"]
