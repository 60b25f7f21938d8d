"""The source keeps the manners of its port, whichever door it uses."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from tests.microsoft.skies import Sky, open_sky
from tocsin.core.reconcile import (
    Comment,
    Intent,
    IntentKind,
    RemoteStatus,
    Wanted,
    WriteBack,
    news,
    seen_after,
    wanted,
)
from tocsin.ports import Failed, Source, WaitUntil, Wrote

MARA = "mara@example.org"
RULES = WriteBack(label="Tocsin", close_classification="truePositive", close_comment="Done")


@pytest.fixture(params=["sentinel", "graph"])
async def sky(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncGenerator[Sky]:
    async with open_sky(tmp_path, mode=request.param) as opened:
        opened.cloud.add_person(MARA, "Mara Ilves")
        yield opened


async def test_it_is_a_source(sky: Sky) -> None:
    source: Source = sky.source
    cadence = source.cadence
    assert cadence.poll_every == timedelta(seconds=30)
    assert cadence.first_run == timedelta(hours=24)
    assert cadence.deep_lookback > cadence.deep_every + timedelta(hours=1)


async def test_time_scale_divides_overlaps_and_budget_windows_only(sky: Sky) -> None:
    usual, allowed = sky.source.cadence, sky.source.allowances
    await sky.anew(cloud={**sky.block["cloud"], "time_scale": 60})
    scaled = sky.source.cadence
    assert scaled.poll_every == usual.poll_every
    assert scaled.first_run == usual.first_run
    assert scaled.overlap == usual.overlap / 60
    assert scaled.deep_every == usual.deep_every / 60
    assert scaled.deep_lookback == usual.deep_lookback / 60
    for kind, allowance in sky.source.allowances.items():
        assert allowance.window == allowed[kind].window / 60
        assert allowance.calls == allowed[kind].calls


async def test_each_call_is_booked_from_a_documented_budget(sky: Sky) -> None:
    sky.cloud.add_sentinel_incident(title="Token theft", onboarded=True)
    (remote,) = await sky.poll()
    await sky.source.details(remote.key, sky.lease(), sky.budget)
    assert set(sky.budget.taken) <= set(sky.source.allowances)
    asked = [request for request in sky.cloud.requests if "oauth2" not in request.path]
    assert len(asked) == len(sky.budget.taken)


async def test_a_write_is_booked_before_its_read_and_leaves_the_polls_their_budget(
    sky: Sky,
) -> None:
    sky.cloud.add_sentinel_incident(title="Token theft", onboarded=True)
    (remote,) = await sky.poll()
    polls, read = set(sky.budget.taken), len(sky.cloud.requests)
    sky.budget.waits = [WaitUntil(sky.clock.now() + timedelta(seconds=60))]
    ask = Wanted(status=RemoteStatus.ACTIVE, comments=(Comment(id="e-1", text="on it"),))
    failed = await sky.source.write(remote.key, lambda _: ask, sky.lease(), sky.budget)
    assert isinstance(failed, Failed)
    assert (failed.retry_after, failed.maybe_applied) == (timedelta(seconds=60), False)
    assert len(sky.cloud.requests) == read, "nothing was read for a write that cannot be made"
    sky.budget.taken.clear()
    assert isinstance(
        await sky.source.write(remote.key, lambda _: ask, sky.lease(), sky.budget), Wrote
    )
    assert not polls & set(sky.budget.taken)
    assert len(sky.cloud.requests) - read == len(sky.budget.taken), "each call is booked once"
    assert set(sky.budget.taken) <= set(sky.source.allowances)


async def test_one_acknowledgement_and_close_is_one_change_each_and_no_news(sky: Sky) -> None:
    """From new to closed, with polls in between, as the action above will do it."""
    incident = sky.cloud.add_sentinel_incident(title="Token theft", onboarded=True)
    (remote,) = await sky.poll()
    seen = seen_after(remote, None)
    for kind in (IntentKind.ACKNOWLEDGED, IntentKind.CLOSED):
        intents = (Intent(id=f"e-{kind}", kind=kind, by="Mara", at=sky.clock.now(), owner=MARA),)
        asked = wanted(remote, intents, RULES, seen)
        sky.clock.move(timedelta(minutes=1))
        wrote = await sky.source.write(
            remote.key, partial(wanted, intents=intents, rules=RULES), sky.lease(), sky.budget
        )
        assert isinstance(wrote, Wrote), wrote
        assert wrote.changed
        seen = seen_after(wrote.remote, seen, asked)
        for _ in range(3):
            sky.clock.move(timedelta(minutes=1))
            (remote,) = await sky.poll()
            assert news(remote, seen) == ()
            seen = seen_after(remote, seen)
    changes = [*sky.cloud.requests.of("PATCH"), *sky.cloud.requests.of("PUT", "incidents/[^/]+$")]
    assert len(changes) == 2
    assert remote.status is RemoteStatus.CLOSED
    assert remote.classification == "truePositive"
    assert incident.status == "Closed"
