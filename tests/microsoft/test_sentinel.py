"""Sentinel's incidents are read, written, commented as the source promises."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.microsoft.skies import LONG_AGO, Sky, open_sky
from tocsin.core.kinds import Severity
from tocsin.core.reconcile import Comment, Remote, RemoteStatus, Wanted
from tocsin.microsoft.fields import items
from tocsin.ports import Failed, FailureKind, ReadPlan, SourceError, Wrote

MARA = "mara@example.org"
ACK = Wanted(
    status=RemoteStatus.ACTIVE,
    owner=MARA,
    label="Tocsin",
    comments=(Comment(id="event-1", text="Acknowledged in Tocsin by Mara Ilves"),),
)


@pytest.fixture
async def sky(tmp_path: Path) -> AsyncGenerator[Sky]:
    async with open_sky(tmp_path) as opened:
        opened.cloud.add_person(MARA, "Mara Ilves")
        yield opened


async def _write(sky: Sky, key: str, wanted: Wanted) -> Wrote | Failed:
    return await sky.source.write(key, lambda _: wanted, sky.lease(), sky.budget)


async def test_an_incident_is_read_in_our_words(sky: Sky) -> None:
    incident = sky.cloud.add_sentinel_incident(title="Impossible travel", description="From afar")
    (remote,) = await sky.poll()
    assert remote.key == incident.id
    assert (remote.title, remote.text) == ("Impossible travel", "From afar")
    assert (remote.status, remote.severity) == (RemoteStatus.NEW, Severity.HIGH)
    assert remote.version == incident.etag
    assert remote.modified_at == incident.modified
    assert remote.details["incident_number"] == str(incident.number)
    assert not remote.excluded
    assert sky.budget.taken == ["sentinel-incidents"]


async def test_more_incidents_than_a_page_are_all_read_newest_first(sky: Sky) -> None:
    for number in range(250):
        sky.cloud.add_sentinel_incident(title=f"Incident {number}")
    remotes = await sky.poll()
    assert len({remote.key for remote in remotes}) == 250
    sky.clock.move(timedelta(minutes=1))
    sky.cloud.add_sentinel_incident(title="the newest")
    assert (await sky.poll())[0].title == "the newest"


async def test_only_what_changed_since_is_read_the_bound_included(sky: Sky) -> None:
    sky.cloud.add_sentinel_incident(title="before")
    sky.clock.move(timedelta(hours=1))
    since = sky.clock.now()
    sky.cloud.add_sentinel_incident(title="at that moment")
    assert [remote.title for remote in await sky.poll(since)] == ["at that moment"]


async def test_filters_are_applied_here_and_mark_what_they_leave_out(sky: Sky) -> None:
    sky.cloud.add_sentinel_incident(title="low", severity="Low")
    sky.cloud.add_sentinel_incident(title="closed", status="Closed")
    sky.cloud.add_sentinel_incident(title="medium", severity="Medium")
    marked = {remote.title: remote.excluded for remote in await sky.poll()}
    assert marked == {"low": True, "closed": False, "medium": False}
    await sky.anew(states=["active"])
    assert {r.title for r in await sky.poll() if r.excluded} == {"low", "medium"}


async def test_a_failing_page_ends_the_scan_as_incomplete(sky: Sky) -> None:
    for number in range(150):
        sky.cloud.add_sentinel_incident(title=f"Incident {number}")
    sky.cloud.faults.add("skipToken", "GET", 503, times=None)
    pages: list[tuple[Remote, ...]] = []

    async def scan() -> None:
        async for page in sky.source.pages(ReadPlan(since=LONG_AGO), sky.lease(), sky.budget):
            pages.append(page)  # noqa: PERF401 - what came before the fault is looked at

    with pytest.raises(SourceError) as caught:
        await scan()
    assert len(pages) == 1
    assert caught.value.failed.kind is FailureKind.TEMPORARY


async def test_acknowledging_writes_status_owner_label_and_comment(sky: Sky) -> None:
    incident = sky.cloud.add_sentinel_incident(title="Impossible travel")
    wrote = await _write(sky, incident.id, ACK)
    assert isinstance(wrote, Wrote)
    assert wrote.changed
    assert (wrote.remote.status, wrote.remote.owner) == (RemoteStatus.ACTIVE, MARA)
    assert wrote.remote.labels == ("Tocsin",)
    assert (incident.status, incident.labels) == ("Active", {"Tocsin": "User"})
    assert incident.owner == sky.cloud.person(MARA)
    assert [comment.message for comment in incident.comments] == [ACK.comments[0].text]


async def test_writing_what_is_already_true_writes_nothing(sky: Sky) -> None:
    incident = sky.cloud.add_sentinel_incident(title="Impossible travel")
    await _write(sky, incident.id, ACK)
    etag = incident.etag
    wrote = await _write(sky, incident.id, ACK)
    assert isinstance(wrote, Wrote)
    assert not wrote.changed
    assert incident.etag == etag
    assert len(incident.comments) == 1


@pytest.mark.parametrize(
    ("configured", "classification", "reason"),
    [
        ("truePositive", "TruePositive", "SuspiciousActivity"),
        ("falsePositive", "FalsePositive", "IncorrectAlertLogic"),
        ("inaccurateData", "FalsePositive", "InaccurateData"),
        ("informationalExpectedActivity", "BenignPositive", "SuspiciousButExpected"),
        ("BenignPositive", "BenignPositive", "SuspiciousButExpected"),
        ("unknown", "Undetermined", None),
        (None, "Undetermined", None),
        ("something new", "Undetermined", None),
    ],
)
async def test_closing_sends_a_classification_with_the_reason_it_needs(
    sky: Sky, configured: str | None, classification: str, reason: str | None
) -> None:
    incident = sky.cloud.add_sentinel_incident(title="Impossible travel", status="Active")
    closing = Wanted(
        status=RemoteStatus.CLOSED, classification=configured, close_comment="Closed in Tocsin"
    )
    wrote = await _write(sky, incident.id, closing)
    assert isinstance(wrote, Wrote), wrote
    assert wrote.remote.status is RemoteStatus.CLOSED
    assert incident.classification == classification
    assert incident.classification_reason == reason
    assert incident.classification_comment == "Closed in Tocsin"


async def test_an_analyst_who_is_faster_keeps_every_field(sky: Sky) -> None:
    incident = sky.cloud.add_sentinel_incident(title="Impossible travel", description="From afar")
    incident.labels = {"vip": "AutoAssigned"}

    def decide(remote: Remote) -> Wanted:
        if remote.title == "Impossible travel":
            sky.cloud.analyst_changes_sentinel(
                incident.id, title="Token theft", severity="Medium", labels=["vip", "case-7"]
            )
        return ACK

    wrote = await sky.source.write(incident.id, decide, sky.lease(), sky.budget)
    assert isinstance(wrote, Wrote)
    assert (incident.title, incident.severity) == ("Token theft", "Medium")
    assert incident.description == "From afar"
    assert incident.labels == {"vip": "AutoAssigned", "case-7": "User", "Tocsin": "User"}
    assert incident.status == "Active"
    assert [request.status for request in sky.cloud.requests.of("PUT", "incidents/[^/]+$")] == [
        409,
        200,
    ]


async def test_an_analyst_who_closes_meanwhile_is_asked_about_again(sky: Sky) -> None:
    incident = sky.cloud.add_sentinel_incident(title="Impossible travel")
    seen: list[RemoteStatus] = []

    def decide(remote: Remote) -> Wanted:
        seen.append(remote.status)
        if remote.status is RemoteStatus.CLOSED:
            return Wanted()
        sky.cloud.analyst_changes_sentinel(incident.id, status="Closed")
        return ACK

    wrote = await sky.source.write(incident.id, decide, sky.lease(), sky.budget)
    assert isinstance(wrote, Wrote)
    assert not wrote.changed
    assert seen == [RemoteStatus.NEW, RemoteStatus.CLOSED]
    assert incident.status == "Closed"


async def test_conflicts_without_end_are_given_up_after_five_rounds(sky: Sky) -> None:
    incident = sky.cloud.add_sentinel_incident(title="Impossible travel")
    sky.cloud.faults.add("ncidents/", "PUT", 409, times=None)
    failed = await _write(sky, incident.id, ACK)
    assert isinstance(failed, Failed)
    assert failed.kind is FailureKind.TEMPORARY
    assert "somebody else changed it" in failed.reason
    assert not failed.maybe_applied
    assert len(sky.cloud.requests.of("PUT")) == 5


async def test_an_ambiguous_write_is_marked_and_the_next_attempt_finds_it_done(sky: Sky) -> None:
    incident = sky.cloud.add_sentinel_incident(title="Impossible travel")
    sky.cloud.faults.add(f"{incident.id}$", "PUT", 503, after_apply=True)
    failed = await _write(sky, incident.id, ACK)
    assert isinstance(failed, Failed)
    assert failed.maybe_applied
    assert incident.status == "Active"
    assert isinstance(await _write(sky, incident.id, ACK), Wrote)
    assert len(sky.cloud.requests.of("PUT", f"{incident.id}$")) == 1
    assert len(incident.comments) == 1


async def test_a_connection_that_is_cut_after_the_write_leads_to_one_change(sky: Sky) -> None:
    incident = sky.cloud.add_sentinel_incident(title="Impossible travel")
    sky.cloud.faults.add(f"{incident.id}$", "PUT", "reset_after_apply")
    outcome = await _write(sky, incident.id, ACK)
    if isinstance(outcome, Failed):
        assert outcome.maybe_applied
        outcome = await _write(sky, incident.id, ACK)
    assert isinstance(outcome, Wrote)
    puts = sky.cloud.requests.of("PUT", f"{incident.id}$")
    assert len([put for put in puts if put.status != 409]) == 1
    assert len(incident.comments) == 1


async def test_a_comment_whose_answer_was_lost_is_there_once(sky: Sky) -> None:
    incident = sky.cloud.add_sentinel_incident(title="Impossible travel", onboarded=True)
    sky.cloud.faults.add("/comments/", "PUT", 502, after_apply=True)
    failed = await _write(sky, incident.id, ACK)
    assert isinstance(failed, Failed)
    assert failed.maybe_applied
    assert isinstance(await _write(sky, incident.id, ACK), Wrote)
    assert len(incident.comments) == 1


async def test_a_comment_that_may_not_be_edited_counts_as_written(sky: Sky) -> None:
    incident = sky.cloud.add_sentinel_incident(title="Impossible travel", onboarded=True)
    await _write(sky, incident.id, ACK)
    reworded = Wanted(comments=(Comment(id="event-1", text="the same event in other words"),))
    wrote = await _write(sky, incident.id, reworded)
    assert isinstance(wrote, Wrote)
    assert not wrote.changed


async def test_a_failure_after_the_first_part_is_marked_as_maybe_applied(sky: Sky) -> None:
    incident = sky.cloud.add_sentinel_incident(title="Impossible travel")
    sky.cloud.faults.add("/comments/", "PUT", 429, retry_after=600)
    failed = await _write(sky, incident.id, ACK)
    assert isinstance(failed, Failed)
    assert failed.maybe_applied
    assert failed.retry_after == timedelta(seconds=600)
    assert incident.status == "Active"


async def test_comments_stop_below_the_limit_and_long_ones_are_cut(sky: Sky) -> None:
    incident = sky.cloud.add_sentinel_incident(title="Impossible travel")
    long = Wanted(comments=(Comment(id="long", text="x" * 40_000),))
    assert isinstance(await _write(sky, incident.id, long), Wrote)
    assert len(incident.comments[0].message) == 30_000
    for number in range(89):
        sky.cloud.analyst_comments(incident.id, f"note {number}", MARA)
    wrote = await _write(sky, incident.id, ACK)
    assert isinstance(wrote, Wrote)
    assert len(incident.comments) == 90


async def test_an_incident_of_defender_keeps_sentinels_id_and_names_the_other(sky: Sky) -> None:
    incident = sky.cloud.add_sentinel_incident(title="Token theft", onboarded=True)
    (remote,) = await sky.poll()
    assert remote.key == incident.id
    assert remote.also == (incident.provider_incident_id,)
    assert remote.url is not None
    assert "security.microsoft.com" in remote.url


async def test_details_name_alerts_accounts_and_hosts(sky: Sky) -> None:
    incident = sky.cloud.add_sentinel_incident(title="Impossible travel", alerts=2)
    details = await sky.source.details(incident.id, sky.lease(), sky.budget)
    assert not isinstance(details, Failed)
    assert len(items(details["alerts"])) == 2
    assert details["accounts"]
    assert details["hosts"]
    assert details["tactics"]


async def test_a_gone_incident_is_told_as_final(sky: Sky) -> None:
    failed = await _write(sky, "00000000-0000-0000-0000-000000000000", ACK)
    assert isinstance(failed, Failed)
    assert failed.kind is FailureKind.PERMANENT
    assert "gone (404)" in failed.reason
