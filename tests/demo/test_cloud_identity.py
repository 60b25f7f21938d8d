"""Entra's part of the simulated cloud, spoken to over real HTTPS."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import ClientSecretCredential

from tests.demo.clouds import ARM, CLIENT, GRAPH, LOGS, SECRET, TENANT, Sky, open_sky


def _credential(sky: Sky, *, tenant: str = TENANT, secret: str = SECRET) -> ClientSecretCredential:
    return ClientSecretCredential(
        tenant,
        CLIENT,
        secret,
        authority=sky.server.base_url,
        disable_instance_discovery=True,
        connection_verify=str(sky.server.ca_file),
    )


async def test_the_unmodified_azure_client_gets_a_token_that_opens_graph(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky, _credential(sky) as credential:
        sky.cloud.add_graph_incident(title="Seen with a real token")
        token = await credential.get_token(GRAPH)
        answer = await sky.client.get(
            "/v1.0/security/incidents", headers={"Authorization": f"Bearer {token.token}"}
        )
        assert [item["displayName"] for item in answer.json()["value"]] == [
            "Seen with a real token"
        ]


async def test_the_azure_client_shows_the_number_of_a_wrong_secret(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky, _credential(sky, secret="wrong") as credential:
        with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
            await credential.get_token(GRAPH)


@pytest.mark.parametrize(
    ("change", "status", "number"),
    [
        ({"client_secret": "wrong"}, 401, 7000215),
        ({"client_id": "9b1f0000-0000-4000-8000-000000000000"}, 400, 700016),
        ({"scope": "https://graph.microsoft.com/User.Read"}, 400, 70011),
        ({"scope": "https://example.org/.default"}, 400, 500011),
        ({"grant_type": "password"}, 400, 70003),
    ],
)
async def test_each_fault_of_a_token_request_has_its_number(
    tmp_path: Path, change: dict[str, str], status: int, number: int
) -> None:
    async with open_sky(tmp_path) as sky:
        answer = await sky.token(change.pop("scope", GRAPH), **change)
        body = answer.json()
        assert (answer.status_code, body["error_codes"]) == (status, [number])
        assert body["error_description"].startswith(f"AADSTS{number}: ")


async def test_another_tenant_is_unknown_at_both_addresses(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        other = "11111111-2222-4333-8444-555555555555"
        token = await sky.client.post(f"/{other}/oauth2/v2.0/token", data={})
        metadata = await sky.client.get(f"/{other}/v2.0/.well-known/openid-configuration")
        assert [token.json()["error_codes"], metadata.json()["error_codes"]] == [[90002], [90002]]


async def test_an_expired_secret_has_its_own_number(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        sky.cloud.identity.secret_expires = sky.clock() + timedelta(days=1)
        assert (await sky.token(GRAPH)).status_code == 200
        sky.clock.move(days=1)
        assert (await sky.token(GRAPH)).json()["error_codes"] == [7000222]


async def test_the_metadata_names_the_token_endpoint(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        answer = await sky.client.get(f"/{TENANT}/v2.0/.well-known/openid-configuration")
        expected = f"{sky.server.base_url}/{TENANT}/oauth2/v2.0/token"
        assert answer.json()["token_endpoint"] == expected


async def test_every_service_refuses_a_token_that_is_missing_foreign_or_over(
    tmp_path: Path,
) -> None:
    async with open_sky(tmp_path) as sky:

        async def statuses() -> list[int]:
            calls = [
                await sky.client.get("/v1.0/security/alerts_v2"),
                await sky.arm("GET"),
                await sky.client.post(
                    f"/v1/workspaces/{sky.cloud.workspace_id}/query", json={"query": "T"}
                ),
            ]
            return [answer.status_code for answer in calls]

        assert await statuses() == [401, 401, 401]
        for scope, expected in (
            (GRAPH, [200, 401, 401]),
            (ARM, [401, 200, 401]),
            (LOGS, [401, 401, 200]),
        ):
            await sky.sign_in(scope)
            assert await statuses() == expected
        sky.clock.move(hours=1)
        assert await statuses() == [401, 401, 401]


async def test_graph_names_the_missing_role_and_a_new_token_carries_the_grant(
    tmp_path: Path,
) -> None:
    async with open_sky(tmp_path) as sky:
        alert = sky.cloud.add_graph_alert(title="Guarded")
        sky.cloud.identity.graph_roles = {"SecurityAlert.Read.All"}
        await sky.sign_in(GRAPH)
        path = f"/v1.0/security/alerts_v2/{alert.id}"
        assert (await sky.client.get(path)).status_code == 200
        refused = await sky.client.patch(path, json={"status": "resolved"})
        assert refused.status_code == 403
        assert "required roles: SecurityAlert.ReadWrite.All" in refused.json()["error"]["message"]

        sky.cloud.identity.graph_roles.add("SecurityAlert.ReadWrite.All")
        still = await sky.client.patch(path, json={"status": "resolved"})
        await sky.sign_in(GRAPH)
        then = await sky.client.patch(path, json={"status": "resolved"})
        assert [still.status_code, then.status_code] == [403, 200]


async def test_azure_names_the_missing_action_and_looks_roles_up_at_once(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        sky.cloud.identity.azure_roles = {"Microsoft Sentinel Reader"}
        await sky.sign_in(ARM)
        incident = "/6a1c2f00-0000-4000-8000-000000000001"
        body = {"properties": {"title": "T", "severity": "Low", "status": "New"}}
        refused = await sky.arm("PUT", incident, body)
        assert refused.status_code == 403
        assert "Microsoft.SecurityInsights/incidents/write" in refused.json()["error"]["message"]
        sky.cloud.identity.azure_roles.add("Microsoft Sentinel Responder")
        assert (await sky.arm("PUT", incident, body)).status_code == 201


async def test_the_request_log_hides_the_secret_and_the_token(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(GRAPH)
        await sky.client.get("/v1.0/security/incidents")
        token, listing = list(sky.cloud.requests)
        assert (token.method, token.status, listing.status) == ("POST", 200, 200)
        assert SECRET not in repr(token.body)
        assert listing.headers["authorization"] == "(hidden)"


async def test_a_client_that_does_not_know_the_authority_is_turned_away(tmp_path: Path) -> None:
    async with open_sky(tmp_path) as sky, httpx.AsyncClient() as stranger:
        with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
            await stranger.get(sky.server.base_url)
