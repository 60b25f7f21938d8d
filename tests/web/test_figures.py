"""What monitoring reads."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.web.stage import SECRET, Stage, stage


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    async with stage(database) as made:
        yield made


async def test_liveness_asks_nobody(doors: Stage) -> None:
    async with doors.client() as web:
        assert (await web.get("/healthz")).json() == {"status": "ok"}


async def test_readiness_names_what_is_wrong(doors: Stage) -> None:
    async with doors.client() as web:
        assert (await web.get("/readyz")).status_code == 200
        doors.ready["worker"] = "stalled: page"
        answer = await web.get("/readyz")
    assert answer.status_code == 503
    assert "stalled: page" in answer.json()["detail"]


async def test_the_figures_count_and_hold_no_secret(doors: Stage) -> None:
    async with doors.client() as web:
        await web.post(f"/webhook/{SECRET}", json={"Title": "Confidential words"})
        await web.post("/webhook/unknown-secret", json={"Title": "x"})
        answer = await web.get("/metrics")
    assert answer.status_code == 200
    assert 'tocsin_alerts{severity="high",status="open"} 1.0' in answer.text
    assert 'tocsin_events_total{inlet="signl4",outcome="accepted"}' in answer.text
    assert 'tocsin_notifications{state="planned"} 5.0' in answer.text
    assert "tocsin_page_lateness_seconds 0.0" in answer.text
    for name in ("pages_late", "pages_failing", "timers_late", "watchdog_last_ok_timestamp"):
        assert f"tocsin_{name} 0.0" in answer.text
    for secret in (SECRET, "unknown-secret", "Confidential", doors.tokens["mara"]):
        assert secret not in answer.text


async def test_duty_is_counted_by_team_and_tier_with_its_next_gap_and_no_name(
    doors: Stage,
) -> None:
    days = {
        "name": "days",
        "participants": ["mara"],
        "start": "2026-11-02T09:00",
        "unit": "day",
        "active_until": "2026-12-09T08:00",
    }
    async with doors.client("sam") as sam:
        done = await sam.patch("/api/v1/schedules/primary", json={"rotations": [days]})
        assert done.status_code == 200, done.text
    async with doors.client("jonas") as jonas:
        body = {"team": "soc", "tier": "2", "until": "2026-11-24T08:00:00Z"}
        assert (await jonas.post("/api/v1/duty/punch-in", json=body)).status_code == 200
    async with doors.client() as web:
        text = (await web.get("/metrics")).text
        await doors.sql("UPDATE app_user SET active = false WHERE name = 'mara'")
        assert (await web.get("/metrics")).text == text  # remembered for a minute
        await doors.clock.move(timedelta(seconds=61))
        later = (await web.get("/metrics")).text
    for line in (
        'tocsin_on_duty{team="soc",tier="1"} 1.0',
        'tocsin_on_duty{team="soc",tier="2"} 1.0',
        'tocsin_on_duty{team="noc",tier="1"} 0.0',
        'tocsin_next_gap_seconds{team="soc",tier="1"} 1.296e+06',  # 15 days
        'tocsin_next_gap_seconds{team="soc",tier="2"} 3600.0',
        'tocsin_next_gap_seconds{team="noc",tier="1"} 0.0',
        'tocsin_coverage_next_30_days{team="soc",tier="1"} 0.5',
    ):
        assert f"{line}\n" in text
    assert 'tocsin_on_duty{team="soc",tier="1"} 0.0\n' in later
    assert "mara" not in text
    assert "jonas" not in text


async def test_a_tier_that_is_covered_as_far_as_can_be_seen_says_so(doors: Stage) -> None:
    always = {"participants": ["mara"], "start": "2026-11-02T09:00", "unit": "week"}
    async with doors.client("sam") as sam:
        await sam.patch("/api/v1/schedules/primary", json={"rotations": [always]})
    async with doors.client() as web:
        text = (await web.get("/metrics")).text
    assert 'tocsin_next_gap_seconds{team="soc",tier="1"} 7.6896e+06\n' in text  # 89 days
    assert 'tocsin_coverage_next_30_days{team="soc",tier="1"} 1.0\n' in text
