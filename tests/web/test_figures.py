"""What monitoring reads."""

from collections.abc import AsyncIterator

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
