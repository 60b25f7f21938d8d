"""Heartbeats: what senders meet, and the alert when one stays away, fails or comes back."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.web.stage import SENDERS, Stage, stage
from tocsin.actions.heartbeat import heartbeats_due
from tocsin.inlets.heartbeat import HeartbeatInlet
from tocsin.inlets.signl4 import Signl4Inlet
from tocsin.ports import Inlet
from tocsin.store.db import Row
from tocsin.testing.inlets import check_inlet

SECRET = "nightly-secret-0001"
PING = f"/heartbeat/{SECRET}"


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    """With the integration `nightly`: every 60 s, 30 s of grace."""
    inlets: dict[str, type[Inlet]] = {"signl4": Signl4Inlet, "heartbeat": HeartbeatInlet}
    async with stage(database, inlets) as made:
        await made.sql(
            "INSERT INTO integration (team_id, id, name, inlet, sealed_secret, body)"
            " OVERRIDING SYSTEM VALUE VALUES (1, 50, 'nightly', 'heartbeat', 'x',"
            """ '{"inlet": "heartbeat", "settings": {"every": "60s", "grace": "30s"}}')"""
        )
        await made.sql(
            "INSERT INTO address (hash, kind, team_id, row_id) VALUES ($1, 'integration', 1, 50)",
            made.world.keys.hash(SECRET),
        )
        yield made


async def ping(doors: Stage, signal: str = "", method: str = "GET") -> None:
    async with doors.client() as web:
        answer = await web.request(method, PING + signal)
    assert (answer.status_code, answer.text) == (200, "" if method == "HEAD" else "OK")


async def passes(doors: Stage, seconds: float) -> int:
    """Time goes on as the worker sees it: it looks every second."""
    found = 0
    while seconds > 0:
        step = min(1.0, seconds)
        await doors.clock.move(timedelta(seconds=step))
        found += await heartbeats_due(doors.world)
        seconds -= step
    return found


async def alerts(doors: Stage) -> list[Row]:
    return await doors.rows(
        "SELECT title, text, status, severity, source_kind, source_name, external_id, seen_count,"
        " integration_id FROM alert ORDER BY number"
    )


def test_it_bears_what_every_inlet_must() -> None:
    check_inlet(HeartbeatInlet, {}, "/heartbeat/…")


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
async def test_a_ping_is_noted_with_the_moment_at_which_the_next_is_missed(
    doors: Stage, method: str
) -> None:
    await ping(doors, method=method)
    now = doors.clock.now()
    found = await doors.rows("SELECT heard_at, due_at, missed FROM heartbeat")
    assert [dict(row) for row in found] == [
        {"heard_at": now, "due_at": now + timedelta(seconds=90), "missed": False}
    ]
    assert await doors.rows("SELECT 1 FROM event") == []


async def test_until_the_first_ping_nothing_is_expected(doors: Stage) -> None:
    assert await passes(doors, 300) == 0
    assert await alerts(doors) == []


async def test_a_missed_heartbeat_is_an_alert_to_the_second_and_pages(doors: Stage) -> None:
    await ping(doors)
    assert await passes(doors, 89) == 0
    assert await passes(doors, 1) == 1
    (alert,) = await alerts(doors)
    assert alert["title"] == "No heartbeat from nightly"
    assert alert["text"] == (
        "Last heard 2026-11-24 07:00:00 UTC; expected every 60 s, at most 30 s late."
    )
    assert (alert["severity"], alert["source_kind"]) == ("high", "heartbeat")
    assert (alert["external_id"], alert["integration_id"]) == ("heartbeat:nightly", 50)
    assert await doors.rows("SELECT 1 FROM notification WHERE state = 'planned'") != []
    assert await passes(doors, 600) == 0  # said once
    assert len(await alerts(doors)) == 1


async def test_the_next_ping_closes_the_alert(doors: Stage) -> None:
    await ping(doors)
    await passes(doors, 91)
    await ping(doors, method="POST")
    (alert,) = await alerts(doors)
    assert alert["status"] == "closed"
    waiting = "SELECT 1 FROM notification WHERE state = 'planned' AND purpose = 'escalation'"
    assert await doors.rows(waiting) == []
    assert await passes(doors, 91) == 1
    assert [row["status"] for row in await alerts(doors)] == ["closed", "open"]


async def test_a_failure_is_an_alert_at_once_and_the_next_success_closes_it(doors: Stage) -> None:
    await ping(doors, "/fail")
    await ping(doors, "/fail")
    (alert,) = await alerts(doors)
    assert (alert["title"], alert["status"]) == ("nightly reports a failure", "open")
    assert alert["seen_count"] == 2
    await ping(doors)
    assert (await alerts(doors))[0]["status"] == "closed"


async def test_silence_after_a_failure_that_was_closed_by_hand_is_an_alert(doors: Stage) -> None:
    await ping(doors, "/fail")
    await doors.sql("UPDATE alert SET status = 'closed', next_step_at = NULL")
    assert await passes(doors, 90) == 1
    assert [row["title"] for row in await alerts(doors)] == [
        "nightly reports a failure",
        "No heartbeat from nightly",
    ]


async def test_a_run_that_begins_again_and_again_and_never_ends_is_found(doors: Stage) -> None:
    await ping(doors, "/start")
    assert await passes(doors, 60) == 0
    await ping(doors, "/start")
    assert await passes(doors, 30) == 1
    assert (await alerts(doors))[0]["text"].startswith("A run began and did not end;")
    await ping(doors, "/start")
    assert (await alerts(doors))[0]["status"] == "open"
    await ping(doors)
    assert (await alerts(doors))[0]["status"] == "closed"


async def test_a_paused_or_removed_integration_is_not_waited_for(doors: Stage) -> None:
    await ping(doors)
    await doors.sql(
        """UPDATE integration SET body = body || '{"enabled": false}' WHERE name = 'nightly'"""
    )
    assert await passes(doors, 200) == 0
    async with doors.client() as web:
        assert (await web.get(PING)).status_code == 404
    await doors.sql("UPDATE heartbeat SET due_at = $1", doors.clock.now())
    await doors.sql("DELETE FROM integration WHERE name = 'nightly'")
    assert await passes(doors, 2) == 0
    assert await alerts(doors) == []


async def test_after_tocsin_was_away_each_sender_has_its_whole_time_again(doors: Stage) -> None:
    await ping(doors)
    await passes(doors, 60)
    await doors.clock.move(timedelta(minutes=20))  # nobody looked, nobody listened
    assert await heartbeats_due(doors.world) == 0
    assert await passes(doors, 89) == 0
    assert await passes(doors, 1) == 1


async def test_two_processes_raise_one_alert(doors: Stage) -> None:
    await ping(doors)
    await passes(doors, 89)
    await doors.clock.move(timedelta(seconds=1))
    found = [await heartbeats_due(doors.world), await heartbeats_due(doors.world)]
    assert sorted(found) == [0, 1]
    assert [row["seen_count"] for row in await alerts(doors)] == [1]


async def test_what_is_no_signal_or_no_secret_is_refused(doors: Stage) -> None:
    async with doors.client() as web:
        strange = await web.post(f"{PING}/log")
        unknown = await web.post("/heartbeat/nobody-knows/fail")
        other = await web.get(f"/heartbeat/{SENDERS[0][2]}")
        assert (await web.put(PING)).status_code == 405
    assert (strange.status_code, unknown.status_code, other.status_code) == (404, 404, 404)
    assert "/start or /fail" in strange.text
    assert await doors.rows("SELECT 1 FROM heartbeat") == []
