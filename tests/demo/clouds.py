"""A simulated cloud on a loopback port, with a clock that tests move, for the tests beside it."""

import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from tocsin.demo.cloud import Cloud, CloudServer

TENANT = "7f1d9c52-5b7e-4f0a-9f37-0d6c1f0a4a01"
CLIENT = "0c5f4a3e-1d55-4a8e-8a0f-2f5f3f8f9b02"
SECRET = "a secret of the simulated tenant"
SUBSCRIPTION = "5e0e8c1c-7b3d-4c1f-9f8a-6d2b7c9a1e03"
WORKSPACE_ID = "b2a4d6f8-0c1e-4a3b-8d5f-7e9c1b3d5f04"
GRAPH = "https://graph.microsoft.com/.default"
ARM = "https://management.azure.com/.default"
LOGS = "https://api.loganalytics.io/.default"
INCIDENTS = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-night/providers/"
    "Microsoft.OperationalInsights/workspaces/law-night/providers/Microsoft.SecurityInsights/"
    "incidents"
)
VERSION = {"api-version": "2025-09-01"}


class MovableClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def move(self, **by: float) -> None:
        self.moment += timedelta(**by)


@dataclass
class Sky:
    """A served cloud with a client that trusts its authority."""

    cloud: Cloud
    clock: MovableClock
    server: CloudServer
    client: httpx.AsyncClient

    async def token(self, scope: str, **form: str) -> httpx.Response:
        """The token endpoint's answer to client credentials, of which `form` replaces parts."""
        filled = {
            "grant_type": "client_credentials",
            "client_id": CLIENT,
            "client_secret": SECRET,
            "scope": scope,
            **form,
        }
        return await self.client.post(f"/{TENANT}/oauth2/v2.0/token", data=filled)

    async def sign_in(self, scope: str) -> None:
        """The client sends a token for `scope` from now on."""
        answer = await self.token(scope)
        self.client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    async def arm(
        self, method: str, path: str = "", body: object = None, **query: str | int
    ) -> httpx.Response:
        """A call below the incidents of the workspace; `query` names options without the `$`."""
        options = {f"${name}": value for name, value in query.items()}
        return await self.client.request(
            method, INCIDENTS + path, params={**VERSION, **options}, json=body
        )


@asynccontextmanager
async def open_sky(folder: Path) -> AsyncGenerator[Sky]:
    """Serves a fresh cloud as long as the block lasts."""
    clock = MovableClock()
    cloud = Cloud(
        clock,
        tenant_id=TENANT,
        client_id=CLIENT,
        client_secret=SECRET,
        subscription_id=SUBSCRIPTION,
        resource_group="rg-night",
        workspace_name="law-night",
        workspace_id=WORKSPACE_ID,
    )
    async with CloudServer(cloud, folder) as server:
        trust = ssl.create_default_context(cafile=str(server.ca_file))
        async with httpx.AsyncClient(base_url=server.base_url, verify=trust) as client:
            yield Sky(cloud, clock, server, client)


def titles(answer: httpx.Response, name: str) -> list[Any]:
    """One property of each item of a list answer; Sentinel's are below `properties`."""
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["value"]
    return [item.get("properties", item)[name] for item in items]
