"""Each way in which Microsoft can fail is told with its cause, its remedy, and no secret."""

import json
import re
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.microsoft.oddities import Odd, odd_server
from tests.microsoft.skies import (
    LONG_AGO,
    SECRET,
    Sky,
    SkyClock,
    TestBudget,
    TestLease,
    connector_block,
    made,
    open_sky,
)
from tocsin.core.reconcile import Remote, RemoteStatus, Wanted
from tocsin.microsoft.connector import MicrosoftSource
from tocsin.ports import Failed, FailureKind, ReadPlan, SourceError, WaitUntil

KINDS = FailureKind
INCIDENTS = r"incidents$"


@pytest.fixture(params=["sentinel", "graph"])
async def sky(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncGenerator[Sky]:
    async with open_sky(tmp_path, mode=request.param) as opened:
        yield opened


@pytest.fixture
async def odd(tmp_path: Path) -> AsyncGenerator[Odd]:
    async with odd_server(tmp_path) as opened:
        yield opened


async def _failed_poll(sky: Sky) -> Failed:
    with pytest.raises(SourceError) as caught:
        await sky.poll()
    assert SECRET not in caught.value.failed.reason
    return caught.value.failed


async def _odd_poll(
    odd: Odd, seconds: float = 300, allow: tuple[str, ...] = ("127.0.0.0/8",), **changes: object
) -> list[Remote] | Failed:
    clock = SkyClock()
    block = connector_block(odd.block, **changes)
    source: MicrosoftSource = made(block, clock, {"TOCSIN_SENTINEL_SECRET": SECRET}, allow)
    lease = TestLease(clock, clock.now() + timedelta(seconds=seconds))
    try:
        pages = source.pages(ReadPlan(since=LONG_AGO), lease, TestBudget())
        return [remote async for page in pages for remote in page]
    except SourceError as error:
        return error.failed
    finally:
        await source.close()


@pytest.mark.parametrize(
    ("status", "kind", "tries", "words"),
    [
        (400, KINDS.PERMANENT, 1, ["400"]),
        (401, KINDS.CONFIGURATION, 2, ["token was refused", "client_id|credential"]),
        (403, KINDS.CONFIGURATION, 1, ["permission", "Sentinel Responder|SecurityIncident"]),
        (404, KINDS.CONFIGURATION, 1, ["not found", "workspace_name|Defender"]),
        (500, KINDS.TEMPORARY, 4, ["Microsoft has a problem", "tried again"]),
        (503, KINDS.TEMPORARY, 4, ["Microsoft has a problem", "tried again"]),
        (429, KINDS.TEMPORARY, 4, ["too many requests"]),
    ],
)
async def test_a_refused_read_names_cause_and_remedy(
    sky: Sky, status: int, kind: FailureKind, tries: int, words: list[str]
) -> None:
    sky.cloud.faults.add(INCIDENTS, "GET", status, times=None)
    failed = await _failed_poll(sky)
    assert failed.kind is kind
    assert not failed.maybe_applied
    for word in words:
        assert re.search(word, failed.reason), failed.reason
    assert len(sky.cloud.requests.of("GET", INCIDENTS)) == tries


@pytest.mark.parametrize("mishap", [500, 429, "reset"])
async def test_one_failure_of_a_read_is_ridden_out(sky: Sky, mishap: object) -> None:
    sky.cloud.add_sentinel_incident(title="Impossible travel", onboarded=True)
    if isinstance(mishap, int):
        sky.cloud.faults.add(INCIDENTS, "GET", mishap)
    else:
        sky.cloud.faults.add(INCIDENTS, "GET", "reset")
    assert len(await sky.poll()) == 1


async def test_a_short_retry_after_is_waited_for_a_long_one_handed_back(sky: Sky) -> None:
    sky.cloud.faults.add(INCIDENTS, "GET", 429, retry_after=7)
    await sky.poll()
    assert sky.clock.slept == [timedelta(seconds=7)]
    sky.cloud.faults.add(INCIDENTS, "GET", 429, retry_after=90)
    failed = await _failed_poll(sky)
    assert failed.retry_after == timedelta(seconds=90)


async def test_a_granted_role_that_is_missing_is_named_and_recovers(sky: Sky) -> None:
    sky.cloud.identity.graph_roles = set()
    sky.cloud.identity.azure_roles = set()
    failed = await _failed_poll(sky)
    assert failed.kind is FailureKind.CONFIGURATION
    assert re.search("Microsoft Sentinel Responder|SecurityIncident.ReadWrite.All", failed.reason)
    sky.cloud.identity.graph_roles = {"SecurityIncident.ReadWrite.All"}
    sky.cloud.identity.azure_roles = {"Microsoft Sentinel Responder"}
    sky.clock.move(timedelta(hours=2))
    assert await sky.poll() == []


async def test_a_hanging_read_ends_with_the_lease(sky: Sky) -> None:
    sky.cloud.faults.add(INCIDENTS, "GET", "hang", times=None)
    plan = ReadPlan(since=LONG_AGO)
    with pytest.raises(SourceError) as caught:
        async for _ in sky.source.pages(plan, sky.lease(2.4), sky.budget):
            pass
    assert caught.value.failed.kind is FailureKind.TEMPORARY


async def test_a_hanging_write_is_marked_as_maybe_applied(sky: Sky) -> None:
    incident = sky.cloud.add_sentinel_incident(title="Impossible travel", onboarded=True)
    sky.cloud.faults.add("incidents/", "PUT", "hang", after_apply=True)
    sky.cloud.faults.add("incidents/", "PATCH", "hang", after_apply=True)
    key = {remote.title: remote.key for remote in await sky.poll()}[incident.title]
    wanted = Wanted(status=RemoteStatus.ACTIVE)
    failed = await sky.source.write(key, lambda _: wanted, sky.lease(2.6), sky.budget)
    assert isinstance(failed, Failed)
    assert failed.maybe_applied
    assert "no answer in time" in failed.reason


async def test_nothing_is_called_when_the_lease_is_used_up(sky: Sky) -> None:
    with pytest.raises(SourceError):
        async for _ in sky.source.pages(ReadPlan(since=LONG_AGO), sky.lease(1), sky.budget):
            pass
    assert len(sky.cloud.requests) == 0


async def test_a_budget_is_waited_for_within_the_lease_else_handed_back(sky: Sky) -> None:
    sky.budget.waits = [WaitUntil(sky.clock.now() + timedelta(seconds=3))]
    assert await sky.poll() == []
    assert sky.clock.slept == [timedelta(seconds=3)]
    sky.budget.waits = [WaitUntil(sky.clock.now() + timedelta(seconds=60))]
    failed = await _failed_poll(sky)
    assert failed.kind is FailureKind.TEMPORARY
    assert failed.retry_after == timedelta(seconds=60)


@pytest.mark.parametrize("mode", ["sentinel", "graph"])
@pytest.mark.parametrize(
    ("body", "kind", "word"),
    [
        (b"<html>Sign in</html>", "text/html", "text/html that is not JSON"),
        (b"[" * 20_000, "application/json", "not JSON"),
        (b"[]", "application/json", "JSON that is no object"),
        (b'{"error": {"code": "Odd"}}', "application/json", "where a list was due"),
        (b"", "application/json", "where a list was due"),
        (b'{"value": [], "x": "' + b"x" * (33 << 20) + b'"}', "application/json", "too much data"),
    ],
    ids=["html", "deep", "list", "error inside", "empty", "huge"],
)
async def test_an_answer_that_is_not_what_was_asked_for_fails_for_now(
    odd: Odd, mode: str, body: bytes, kind: str, word: str
) -> None:
    odd.says(body, kind)
    failed = await _odd_poll(odd, mode=mode)
    assert isinstance(failed, Failed)
    assert failed.kind is FailureKind.TEMPORARY
    assert word in failed.reason
    assert len(failed.reason) < 500


async def test_the_request_id_stands_in_the_reason(odd: Odd) -> None:
    odd.says(b"{}", status="404 Not Found")
    failed = await _odd_poll(odd)
    assert isinstance(failed, Failed)
    assert "request id request-77" in failed.reason


@pytest.mark.parametrize("mode", ["sentinel", "graph"])
@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/next",
        "http://{host}/next",
        "https://{host}@evil.example/next",
        "https://{host}.evil.example/next",
        "https://localhost/next",
        "https://{host}\\@evil.example/next",
        "//evil.example/next",
    ],
)
async def test_a_link_that_leads_away_is_not_followed(odd: Odd, mode: str, link: str) -> None:
    host = odd.base_url.removeprefix("https://")
    name = "nextLink" if mode == "sentinel" else "@odata.nextLink"
    odd.says(json.dumps({"value": [], name: link.format(host=host)}).encode())
    failed = await _odd_poll(odd, mode=mode)
    assert isinstance(failed, Failed)
    assert failed.kind is FailureKind.CONFIGURATION
    assert "leads away" in failed.reason
    assert len(odd.asked) == 1


async def test_a_link_that_leads_back_ends_the_scan(odd: Odd) -> None:
    odd.says(json.dumps({"value": [], "nextLink": f"{odd.base_url}/next"}).encode())
    failed = await _odd_poll(odd)
    assert isinstance(failed, Failed)
    assert "leads back" in failed.reason
    assert len(odd.asked) == 2


async def test_a_redirect_is_not_followed(odd: Odd) -> None:
    odd.answer = (
        b"HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n"
    )
    failed = await _odd_poll(odd)
    assert isinstance(failed, Failed)
    assert failed.kind is FailureKind.CONFIGURATION
    assert len(odd.asked) == 1


async def test_a_private_address_is_refused_unless_it_is_allowed(odd: Odd) -> None:
    failed = await _odd_poll(odd, allow=())
    assert isinstance(failed, Failed)
    assert "TOCSIN_ALLOW_PRIVATE_TARGETS" in failed.reason
    assert odd.asked == []


async def test_a_broken_object_loses_no_other_one(odd: Odd) -> None:
    good = {"name": "11111111-1111-1111-1111-111111111111", "properties": {"title": "Good"}}
    worse = {"name": "A-B", "properties": {"title": 7, "severity": None, "owner": "x", "labels": 3}}
    odd.says(json.dumps({"value": [{}, 5, None, {"properties": {}}, worse, good]}).encode())
    remotes = await _odd_poll(odd)
    assert isinstance(remotes, list)
    assert [(remote.key, remote.title) for remote in remotes] == [
        ("a-b", "7"),
        (good["name"], "Good"),
    ]
    assert {remote.modified_at for remote in remotes} == {LONG_AGO}


async def test_a_host_that_does_not_answer_is_told_with_what_to_check(odd: Odd) -> None:
    clouds = {**odd.block, "arm": "https://localhost:1"}
    clock = SkyClock()
    source = made(connector_block(clouds), clock, {"TOCSIN_SENTINEL_SECRET": SECRET})
    wrote = await source.write(
        "x", lambda _: Wanted(), TestLease(clock, clock.now() + timedelta(minutes=5)), TestBudget()
    )
    await source.close()
    assert isinstance(wrote, Failed)
    assert wrote.kind is FailureKind.TEMPORARY
    assert not wrote.maybe_applied
    assert "no connection" in wrote.reason
    assert "firewall" in wrote.reason
