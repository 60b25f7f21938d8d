"""A simulated cloud with a Microsoft source that reads it, for the tests beside it."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tocsin.core.reconcile import Remote
from tocsin.demo.cloud import Cloud, CloudServer
from tocsin.microsoft.connector import MicrosoftSource
from tocsin.ports import Granted, ReadPlan, SecretMissingError, SourceContext, WaitUntil

TENANT = "7f1d9c52-5b7e-4f0a-9f37-0d6c1f0a4a01"
CLIENT = "0c5f4a3e-1d55-4a8e-8a0f-2f5f3f8f9b02"
SECRET = "a secret of the simulated tenant"
SUBSCRIPTION = "5e0e8c1c-7b3d-4c1f-9f8a-6d2b7c9a1e03"
WORKSPACE_ID = "b2a4d6f8-0c1e-4a3b-8d5f-7e9c1b3d5f04"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
LOOPBACK = ("127.0.0.0/8",)


class SkyClock:
    """Stands still until it is moved; whoever sleeps on it moves it."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
        self.slept: list[timedelta] = []

    def now(self) -> datetime:
        return self.moment

    async def sleep(self, duration: timedelta) -> None:
        self.slept.append(duration)
        self.move(duration)
        await asyncio.sleep(0)

    def move(self, by: timedelta) -> None:
        self.moment += by


@dataclass
class TestLease:
    """Runs out at a moment of the clock."""

    __test__ = False

    clock: SkyClock
    ends: datetime
    number: int = 1

    def remaining(self) -> timedelta:
        return self.ends - self.clock.now()


@dataclass
class TestBudget:
    """Grants everything, writes down what was booked; `waits` are handed out first."""

    __test__ = False

    taken: list[str] = field(default_factory=list[str])
    waits: list[WaitUntil] = field(default_factory=list[WaitUntil])

    async def take(self, kind: str, n: int = 1) -> Granted | WaitUntil:
        if self.waits:
            return self.waits.pop()
        self.taken += [kind] * n
        return Granted()


@dataclass
class Sky:
    """A cloud, its clock, a source that is configured for it."""

    cloud: Cloud
    clock: SkyClock
    source: MicrosoftSource
    budget: TestBudget
    block: dict[str, Any]
    secrets: dict[str, str]

    def lease(self, seconds: float = 300) -> TestLease:
        return TestLease(self.clock, self.clock.now() + timedelta(seconds=seconds))

    async def poll(self, since: datetime = LONG_AGO) -> list[Remote]:
        """Everything that one complete scan yields."""
        plan = ReadPlan(since=since)
        return [
            remote
            async for page in self.source.pages(plan, self.lease(), self.budget)
            for remote in page
        ]

    async def anew(self, **changes: object) -> None:
        """Another source with a changed block."""
        await self.source.close()
        self.block |= changes
        self.source = self._made()

    def _made(self) -> MicrosoftSource:
        return made(self.block, self.clock, self.secrets)


def made(
    block: Mapping[str, Any],
    clock: SkyClock,
    secrets: Mapping[str, str],
    allow_private: tuple[str, ...] = LOOPBACK,
) -> MicrosoftSource:
    """A source by its block, with secrets from a dictionary."""

    def secret(reference: Mapping[str, Any]) -> str:
        name = str(reference.get("secret_env"))
        if name not in secrets:
            raise SecretMissingError(f"{name} is not set: set it for the process that runs Tocsin")
        return secrets[name]

    return MicrosoftSource(
        SourceContext(
            name="sentinel", settings=block, secret=secret, clock=clock, allow_private=allow_private
        )
    )


def connector_block(cloud: Mapping[str, object], /, **changes: object) -> dict[str, Any]:
    """The block of examples/soc.yaml with the simulated tenant's names."""
    return {
        "source": "microsoft",
        "mode": "auto",
        "tenant_id": TENANT,
        "subscription_id": SUBSCRIPTION,
        "resource_group": "rg-night",
        "workspace_name": "law-night",
        "workspace_id": WORKSPACE_ID,
        "client_id": CLIENT,
        "credential": {"secret_env": "TOCSIN_SENTINEL_SECRET"},
        "cloud": dict(cloud),
        "poll_every": "30s",
        "severities": ["high", "medium"],
        "states": ["new", "active"],
        "augment": {"max_rows": 20},
        "write_back": {"label": "Tocsin", "close": {"classification": "truePositive"}},
        **changes,
    }


@asynccontextmanager
async def open_sky(folder: Path, **changes: object) -> AsyncGenerator[Sky]:
    """Serves a fresh cloud, read by a source, as long as the block lasts."""
    clock = SkyClock()
    cloud = Cloud(
        clock.now,
        tenant_id=TENANT,
        client_id=CLIENT,
        client_secret=SECRET,
        subscription_id=SUBSCRIPTION,
        resource_group="rg-night",
        workspace_name="law-night",
        workspace_id=WORKSPACE_ID,
    )
    async with CloudServer(cloud, folder) as server:
        block = connector_block(server.settings_block(), **changes)
        secrets = {"TOCSIN_SENTINEL_SECRET": SECRET}
        sky = Sky(cloud, clock, made(block, clock, secrets), TestBudget(), block, secrets)
        try:
            yield sky
        finally:
            await sky.source.close()
