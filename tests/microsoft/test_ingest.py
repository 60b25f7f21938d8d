"""Rows reach the custom table: batched, in their size, again after trouble, never twice by id."""

import json
from collections import Counter
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.microsoft.skies import Sky, connector_block, open_sky
from tocsin.core.effects import EntryKind
from tocsin.core.kinds import Severity
from tocsin.microsoft.clouds import Api
from tocsin.microsoft.fields import Record
from tocsin.microsoft.ingest import LARGEST_CALL, batches
from tocsin.microsoft.settings import read_settings
from tocsin.microsoft.table import stream_columns
from tocsin.ports import Failed, FailureKind, Published, Sent, WaitUntil

RULE = "dcr-0a1b2c3d4e5f60718293a4b5c6d7e8f9"
POSTS = "/dataCollectionRules/"
AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


@pytest.fixture
async def sky(tmp_path: Path) -> AsyncGenerator[Sky]:
    async with open_sky(tmp_path, table={"rule": RULE}) as opened:
        opened.cloud.identity.azure_roles.add("Monitoring Metrics Publisher")
        opened.cloud.resources["rule"] = {
            "id": "rule",
            "properties": {
                "immutableId": RULE,
                "streamDeclarations": {"Custom-SIGNL4_CL": {"columns": stream_columns()}},
            },
        }
        yield opened


def _events(count: int, text: str = "") -> list[Published]:
    return [
        Published(
            id=f"evt_{number}",
            kind=EntryKind.RAISED,
            at=AT + timedelta(seconds=number),
            team="SOC",
            severity=Severity.HIGH,
            alert={"id": f"alr_{number}", "title": "Odd sign-in", "status": "open"},
            detail={"text": text},
        )
        for number in range(count)
    ]


async def _publish(sky: Sky, events: list[Published], seconds: float = 300) -> Sent | Failed:
    return await sky.source.publish(events, sky.lease(seconds), sky.budget)


def _arrived(sky: Sky) -> Counter[str]:
    return Counter(row["EventId"] for row in sky.cloud.ingested)


def _posts(sky: Sky) -> int:
    return sum(seen.path.startswith(POSTS) for seen in sky.cloud.requests)


async def test_what_happened_arrives_in_one_call(sky: Sky) -> None:
    assert isinstance(await _publish(sky, _events(500)), Sent)
    assert _posts(sky) == 1
    assert sky.budget.taken == ["table-write"]
    declared = {column["name"] for column in stream_columns()}
    assert {name for row in sky.cloud.ingested for name in row} <= declared
    assert _arrived(sky) == {f"evt_{number}": 1 for number in range(500)}


async def test_events_that_the_table_leaves_out_cost_no_call(sky: Sky) -> None:
    silent = [
        Published(
            id="evt", kind=EntryKind.DETAILS, at=AT, team="SOC", severity=Severity.LOW, alert={}
        )
    ]
    assert isinstance(await _publish(sky, silent), Sent)
    assert _posts(sky) == 0


async def test_no_call_is_larger_than_the_service_takes(sky: Sky) -> None:
    events = _events(200, "ä" * 4_500)  # 27 KB each when it is written in ASCII
    assert isinstance(await _publish(sky, events), Sent)
    assert _posts(sky) == 6
    assert _arrived(sky) == {event.id: 1 for event in events}


async def test_a_service_that_takes_less_is_given_less(sky: Sky) -> None:
    sky.cloud.faults.add(POSTS, "POST", 413, times=2)
    assert isinstance(await _publish(sky, _events(8)), Sent)
    assert _arrived(sky) == {f"evt_{number}": 1 for number in range(8)}
    # 8 refused, 4 refused, then 2, 2, 4
    assert _posts(sky) == 5


async def test_one_row_that_is_too_large_does_not_hold_up_the_others(sky: Sky) -> None:
    sky.cloud.faults.add(POSTS, "POST", 413, times=2)
    outcome = await _publish(sky, _events(2))
    assert outcome == Sent(detail="left out because they are too large: 1")
    assert _arrived(sky) == {"evt_1": 1}


async def test_too_many_requests_are_waited_for_as_long_as_asked(sky: Sky) -> None:
    sky.cloud.faults.add(POSTS, "POST", 429, retry_after=7)
    assert isinstance(await _publish(sky, _events(1)), Sent)
    assert sky.clock.slept == [timedelta(seconds=7)]
    assert _arrived(sky) == {"evt_0": 1}


async def test_a_long_wait_is_left_to_the_next_attempt(sky: Sky) -> None:
    sky.cloud.faults.add(POSTS, "POST", 429, retry_after=120)
    outcome = await _publish(sky, _events(1))
    assert isinstance(outcome, Failed)
    assert (outcome.kind, outcome.retry_after) == (FailureKind.TEMPORARY, timedelta(seconds=120))
    assert sky.clock.slept == []


async def test_a_token_that_expired_is_renewed(sky: Sky) -> None:
    await _publish(sky, _events(1))
    sky.cloud.identity.forget_tokens()
    assert isinstance(await _publish(sky, _events(2)[1:]), Sent)
    assert _arrived(sky) == {"evt_0": 1, "evt_1": 1}


async def test_after_a_reset_a_row_may_come_twice_but_has_one_id(sky: Sky) -> None:
    sky.cloud.faults.add(POSTS, "POST", "reset_after_apply")
    assert isinstance(await _publish(sky, _events(3)), Sent)
    assert _arrived(sky) == {"evt_0": 2, "evt_1": 2, "evt_2": 2}
    doubled = [row for row in sky.cloud.ingested if row["EventId"] == "evt_1"]
    assert doubled[0] == doubled[1]


async def test_server_trouble_is_tried_again_and_then_told(sky: Sky) -> None:
    sky.cloud.faults.add(POSTS, "POST", 503, times=None)
    outcome = await _publish(sky, _events(1))
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.TEMPORARY
    assert "write to the table SIGNL4_CL" in outcome.reason
    assert _posts(sky) == 4


async def test_a_lease_that_runs_out_ends_the_attempt(sky: Sky) -> None:
    outcome = await _publish(sky, _events(1), seconds=1)
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.TEMPORARY
    assert _posts(sky) == 0


async def test_a_budget_that_is_used_up_ends_the_attempt(sky: Sky) -> None:
    until = sky.clock.now() + timedelta(seconds=50)
    sky.budget.waits.append(WaitUntil(until))
    outcome = await _publish(sky, _events(1))
    assert isinstance(outcome, Failed)
    assert outcome.retry_after == timedelta(seconds=50)
    assert _posts(sky) == 0


async def test_a_missing_role_is_named(sky: Sky) -> None:
    sky.cloud.identity.azure_roles.discard("Monitoring Metrics Publisher")
    outcome = await _publish(sky, _events(1))
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.CONFIGURATION
    assert "Monitoring Metrics Publisher" in outcome.reason


async def test_a_rule_that_is_gone_is_named(sky: Sky) -> None:
    sky.cloud.resources.clear()
    outcome = await _publish(sky, _events(1))
    assert isinstance(outcome, Failed)
    assert "check table.rule" in outcome.reason


async def test_without_a_table_nothing_is_written(sky: Sky) -> None:
    with_table = sky.source.publishes
    await sky.anew(table=None)
    assert (with_table, sky.source.publishes) == (True, False)
    outcome = await _publish(sky, _events(1))
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.CONFIGURATION


def test_batches_keep_order_and_size() -> None:
    rows: list[Record] = [{"EventId": str(number), "Text": "ä" * number} for number in range(300)]
    found = list(batches(rows, 5_000))
    assert [row for batch in found for row in batch] == rows
    assert max(len(json.dumps(batch)) for batch in found) <= 5_000
    assert list(batches([{"Text": "x" * 9_000}], 5_000)) == [[{"Text": "x" * 9_000}]]
    assert list(batches([])) == []
    assert LARGEST_CALL < 1_000_000


ENDPOINT = "https://dcr-night-x1y2.westeurope-1.ingest.monitor.azure.com"


def _block(table: object) -> dict[str, object]:
    return connector_block({}, cloud="public", table=table)


def test_the_rows_of_a_public_cloud_go_to_the_host_of_the_rule() -> None:
    settings = read_settings(_block({"rule": RULE, "endpoint": f"{ENDPOINT}/"}))
    assert settings.table is not None
    path = f"/dataCollectionRules/{RULE}/streams/Custom-SIGNL4_CL?api-version=2023-01-01"
    assert settings.table.url == ENDPOINT + path
    assert settings.cloud.allows(settings.table.url, Api.INGESTION)
    assert not settings.cloud.allows(settings.table.url.replace("night", "other"), Api.INGESTION)


def test_table_and_stream_may_have_other_names() -> None:
    table = {"rule": RULE, "endpoint": ENDPOINT, "name": "PAGES_CL", "stream": "Custom-Tocsin"}
    found = read_settings(_block(table)).table
    assert found is not None
    assert (found.table, found.stream) == ("PAGES_CL", "Custom-Tocsin")


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (True, "table: give rule and endpoint"),
        ({"endpoint": ENDPOINT}, "table.rule: is missing"),
        ({"rule": "my-rule", "endpoint": ENDPOINT}, "table.rule: 'my-rule' cannot be one"),
        ({"rule": RULE}, "table.endpoint: is missing"),
        ({"rule": RULE, "endpoint": "https://evil.example"}, "is no host of this cloud"),
        ({"rule": RULE, "endpoint": f"{ENDPOINT}.evil.example"}, "is no host of this cloud"),
        ({"rule": RULE, "endpoint": ENDPOINT.replace("https", "http")}, "is no host of this"),
        ({"rule": RULE, "endpoint": ENDPOINT.replace(".com", ".cn")}, "is no host of this cloud"),
        ({"rule": RULE, "endpoint": ENDPOINT, "name": "pages"}, "named like SIGNL4_CL"),
        ({"rule": RULE, "endpoint": ENDPOINT, "stream": "x"}, "table.stream: 'x' cannot be one"),
        ({"rules": RULE, "endpoint": ENDPOINT}, "table.rules is not known; did you mean rule?"),
    ],
)
def test_each_fault_of_the_block_is_told(table: object, told: str) -> None:
    with pytest.raises(ValueError, match=told.replace("?", r"\?")):
        read_settings(_block(table))
