"""The events behind alerts are read capped, in their own time, and never stand in the way."""

import json
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path

import pytest

from tests.microsoft.skies import Sky, open_sky
from tocsin.core.reconcile import Remote
from tocsin.demo.cloud import SentinelIncident
from tocsin.microsoft.fields import records, text
from tocsin.ports import Failed

QUERY = "SigninLogs\n| where Result == 'odd' // the rule's own words;"
COLUMNS = [("User", "string"), ("Where", "dynamic")]


@pytest.fixture
async def sky(tmp_path: Path) -> AsyncGenerator[Sky]:
    async with open_sky(tmp_path) as opened:
        yield opened


def _stored(sky: Sky, incident: SentinelIncident) -> None:
    properties = {
        "Query": QUERY,
        "Query Start Time UTC": "2026-11-23 15:23:59Z",
        "Query End Time UTC": "2026-11-23 20:24:00Z",
    }
    columns = [("SystemAlertId", "string"), ("AlertName", "string")]
    row = (incident.alerts[0].system_alert_id, "Odd sign-in", json.dumps(properties))
    sky.cloud.tables.answer("SecurityAlert", [*columns, ("ExtendedProperties", "string")], [row])


async def _details(sky: Sky, key: str) -> Mapping[str, object]:
    details = await sky.source.details(key, sky.lease(), sky.budget)
    assert not isinstance(details, Failed)
    return details


async def test_the_search_of_the_rule_is_run_with_its_time_and_a_row_limit(sky: Sky) -> None:
    incident = sky.cloud.add_sentinel_incident(title="Odd sign-in")
    _stored(sky, incident)
    found = [(f"user{number}", '{"city":"Oslo"}') for number in range(30)]
    sky.cloud.tables.answer("SigninLogs", COLUMNS, found)
    (events,) = records((await _details(sky, incident.id))["events"])
    assert events["alert"] == "Odd sign-in"
    shown = records(events["rows"])
    assert shown[0] == {"User": "user0", "Where": '{"city":"Oslo"}'}
    assert len(shown) == 20
    assert events["note"] == "the first 20 events"
    query = sky.cloud.requests.of("POST", "/query")[-1].body
    assert query == {
        "query": f"{QUERY.rstrip(';')}\n| take 20",
        "timespan": "2026-11-23T15:23:59Z/2026-11-23T20:24:01Z",
    }
    assert sky.budget.taken.count("logs-query") == 2


async def test_an_incomplete_result_says_so(sky: Sky) -> None:
    incident = sky.cloud.add_sentinel_incident(title="Odd sign-in")
    _stored(sky, incident)
    sky.cloud.tables.answer("SigninLogs", COLUMNS, [("mara", "{}")], partial_error=True)
    (events,) = records((await _details(sky, incident.id))["events"])
    assert text(events, "note").startswith("incomplete: ")
    assert len(records(events["rows"])) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 429, 504])
async def test_a_failing_query_leaves_a_note_beside_the_alerts(sky: Sky, status: int) -> None:
    incident = sky.cloud.add_sentinel_incident(title="Odd sign-in")
    _stored(sky, incident)
    sky.cloud.faults.add("/query", "POST", status, times=None)
    details = await _details(sky, incident.id)
    assert details["alerts"]
    (events,) = records(details["events"])
    assert str(status) in text(events, "note")
    assert len(sky.cloud.requests.of("POST", "/query")) == 1


async def test_only_ids_stand_in_a_query_of_ours(sky: Sky) -> None:
    incident = sky.cloud.add_sentinel_incident(title="Odd sign-in")
    incident.alerts[0].system_alert_id = "x') | union (Secrets"
    assert "events" not in await _details(sky, incident.id)
    assert sky.cloud.requests.of("POST", "/query") == []


async def test_without_workspace_id_or_rows_nothing_is_queried(sky: Sky) -> None:
    incident = sky.cloud.add_sentinel_incident(title="Odd sign-in")
    for changes in ({"augment": {"max_rows": 0}}, {"augment": False}, {"workspace_id": None}):
        await sky.anew(**changes)
        assert "events" not in await _details(sky, incident.id)
    assert sky.cloud.requests.of("POST", "/query") == []


async def test_reading_the_list_costs_no_reads_of_parts(sky: Sky) -> None:
    sky.cloud.add_sentinel_incident(title="Odd sign-in")
    remotes: list[Remote] = await sky.poll()
    assert len(remotes) == 1
    assert sky.budget.taken == ["sentinel-incidents"]
