"""What goes wrong in the simulated cloud when a test asks for it, and what it writes down."""

import asyncio
import uuid
from pathlib import Path

import httpx
import pytest

from tests.demo.clouds import ARM, GRAPH, INCIDENTS, LOGS, VERSION, WORKSPACE_ID, open_sky
from tocsin.demo.cloud import CloudServer

LIST = "/v1.0/security/incidents"


async def test_a_fault_happens_as_often_as_it_was_asked_for(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(GRAPH)
        sky.cloud.faults.add("/incidents$", "GET", 429, times=2, retry_after=7)
        answers = [await sky.client.get(LIST) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [429, 429, 200]
        assert [answer.headers.get("retry-after") for answer in answers] == ["7", "7", None]


@pytest.mark.parametrize("status", [401, 403, 404, 409, 429, 500, 503, 504])
async def test_any_status_can_be_answered_with_any_body(tmp_path: Path, status: int) -> None:
    async with open_sky(tmp_path) as sky:
        sky.cloud.faults.add("/incidents", None, status, body={"error": {"code": "Mine"}})
        answer = await sky.client.get(LIST)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, "Mine")
        assert "retry-after" not in answer.headers


async def test_a_fault_can_be_aimed_at_one_page(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(GRAPH)
        for number in range(3):
            sky.cloud.add_graph_incident(title=str(number))
        fault = sky.cloud.faults.add(r"skip=2\b", "GET", 500, times=None)
        first = await sky.client.get(LIST, params={"$top": 1})
        second = await sky.client.get(first.json()["@odata.nextLink"])
        third = second.json()["@odata.nextLink"]
        assert [(await sky.client.get(third)).status_code for _ in range(3)] == [500, 500, 500]
        sky.cloud.faults.remove(fault)
        assert (await sky.client.get(third)).status_code == 200


async def test_a_hang_gives_no_answer_until_the_caller_leaves(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(GRAPH)
        sky.cloud.faults.add("/incidents", "GET", "hang")
        with pytest.raises(httpx.ReadTimeout):
            await sky.client.get(LIST, timeout=0.2)
        assert list(sky.cloud.requests)[-1].status is None
        assert (await sky.client.get(LIST)).status_code == 200


async def test_a_server_that_hangs_can_be_left_at_once(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        sky.cloud.faults.add("/incidents", "GET", "hang")
        waiting = asyncio.create_task(sky.client.get(LIST, timeout=30))
        answered, _ = await asyncio.wait({waiting}, timeout=0.2)
        assert not answered
        await sky.server.__aexit__(None, None, None)
        with pytest.raises(httpx.TransportError):
            await waiting
        await sky.server.__aenter__()


async def test_a_reset_cuts_the_connection_before_anything_is_done(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        incident = sky.cloud.add_sentinel_incident(title="I")
        sky.cloud.faults.add("/incidents/", "PUT", "reset")
        body = {"properties": {"title": "I", "severity": "High", "status": "Active"}}
        with pytest.raises(httpx.TransportError):
            await sky.arm("PUT", f"/{incident.id}", body)
        assert (incident.status, list(sky.cloud.requests)[-1].applied) == ("New", False)


async def test_a_write_can_be_applied_though_the_caller_never_hears_of_it(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        incident = sky.cloud.add_sentinel_incident(title="I")
        sky.cloud.faults.add("/incidents/", "PUT", "reset_after_apply")
        body = {"properties": {"title": "I", "severity": "High", "status": "Active"}}
        with pytest.raises(httpx.TransportError):
            await sky.arm("PUT", f"/{incident.id}", body)
        last = list(sky.cloud.requests)[-1]
        assert (incident.status, last.status, last.applied) == ("Active", None, True)


async def test_a_server_error_can_follow_a_write_that_was_applied(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        incident = sky.cloud.add_sentinel_incident(title="I")
        sky.cloud.faults.add("/comments/", "PUT", 503, after_apply=True)
        path = f"/{incident.id}/comments/{uuid.uuid4()}"
        body = {"properties": {"message": "once"}}
        statuses = [(await sky.arm("PUT", path, body)).status_code for _ in range(2)]
        assert statuses == [503, 200]
        assert [comment.message for comment in incident.comments] == ["once"]


async def test_the_log_tells_method_path_status_and_body(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        body = {"properties": {"title": "I", "severity": "High", "status": "New"}}
        await sky.arm("PUT", f"/{uuid.uuid4()}", body)
        await sky.arm("GET")
        (put,) = sky.cloud.requests.of("PUT", "/incidents/")
        assert (put.status, put.body, put.applied) == (201, body, True)
        (get,) = sky.cloud.requests.of("GET")
        assert (get.path, get.query, get.body) == (INCIDENTS, "api-version=2025-09-01", None)


async def test_queries_are_answered_by_a_part_of_their_text(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(LOGS)
        columns = [("SystemAlertId", "string"), ("Entities", "dynamic")]
        sky.cloud.tables.answer("SecurityAlert", columns, [["a", '[{"Type":"host"}]']])
        path = f"/v1/workspaces/{WORKSPACE_ID}/query"
        body = {"query": "SecurityAlert | take 5", "timespan": "2026-11-24T00:00:00Z/P1D"}
        answer = await sky.client.post(path, json=body)
        (table,) = answer.json()["tables"]
        assert (table["name"], table["rows"]) == ("PrimaryResult", [["a", '[{"Type":"host"}]']])
        assert "error" not in answer.json()

        sky.cloud.tables.answer("take 5", columns, [["b", None]], partial_error=True)
        partial = await sky.client.post(path, json=body)
        assert (partial.status_code, partial.json()["error"]["code"]) == (200, "PartialError")
        other = await sky.client.post(path, json={"query": "Heartbeat", "timespan": "PT1H"})
        assert other.json()["tables"][0]["rows"] == []


@pytest.mark.parametrize(
    "body",
    [{}, {"query": " "}, {"query": "T", "timespan": "yesterday"}, {"query": "T", "timespan": "P"}],
)
async def test_a_query_that_cannot_be_read_is_a_bad_argument(
    tmp_path: Path, body: dict[str, str]
) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(LOGS)
        answer = await sky.client.post(f"/v1/workspaces/{WORKSPACE_ID}/query", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadArgumentError")


async def test_queries_need_the_workspace_and_a_role(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(LOGS)
        elsewhere = await sky.client.post(f"/v1/workspaces/{uuid.uuid4()}/query", json={})
        sky.cloud.identity.azure_roles.clear()
        refused = await sky.client.post(f"/v1/workspaces/{WORKSPACE_ID}/query", json={})
        assert [elsewhere.status_code, refused.status_code] == [404, 403]


async def test_the_settings_name_one_address_for_everything(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        block = sky.server.settings_block(time_scale=60)
        hosts = {block[name] for name in ("authority", "graph", "arm", "logs", "ingestion")}
        assert hosts == {sky.server.base_url}
        assert (block["ca_file"], block["time_scale"]) == (str(tmp_path / "cloud-ca.pem"), 60)
        assert VERSION["api-version"] not in str(block)


async def test_a_taken_port_is_an_error_and_leaves_nothing_open(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        port = int(sky.server.base_url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            await CloudServer(sky.cloud, tmp_path, port).__aenter__()


async def test_a_fault_lets_so_many_pass_first(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        sky.cloud.faults.add("incidents", "GET", 500, skip=2)
        await sky.sign_in(GRAPH)
        statuses = [
            (await sky.client.get("/v1.0/security/incidents")).status_code for _ in range(4)
        ]
        assert statuses == [200, 200, 500, 200]
