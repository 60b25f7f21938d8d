"""A simulated tenant with an operator who deploys Tocsin in it, for the tests beside it."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.microsoft.skies import LOOPBACK, SUBSCRIPTION, TENANT, WORKSPACE_ID, SkyClock
from tocsin.demo.cloud import Cloud, CloudServer
from tocsin.microsoft.azure import perform
from tocsin.ports import CommandContext, SecretMissingError

OPERATOR = "3f0a1b2c-4d5e-4f60-8a9b-0c1d2e3f4a5b"
LOGIN_SECRET = "what the operator types in"
HINT = "https://tocsin.example.org/in/sentinel/a-secret-of-the-hint"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-night"
WRITES = ("POST", "PUT", "PATCH", "DELETE")


class KilledError(Exception):
    """The process ended here."""


@dataclass
class Desk:
    """Where the operator types; `kill_at` ends the process at that line of progress."""

    cloud: Cloud
    clock: SkyClock
    server: CloudServer
    folder: Path
    secrets: dict[str, str]
    blocks: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    said: list[str] = field(default_factory=list[str])
    told: list[str] = field(default_factory=list[str])
    kill_at: int | None = None

    @property
    def store(self) -> Path:
        return self.folder / "azure.pem"

    async def run(self, verb: str, *more: str) -> int:
        """The exit code; what was printed replaces what was printed before."""
        self.said.clear()
        self.told.clear()
        return await perform(self._context((verb, *self._common(), *more)))

    async def check(self, *more: str) -> int:
        """`tocsin azure check` of the connector `tocsin`."""
        self.said.clear()
        self.told.clear()
        return await perform(
            self._context(("check", "-f", "soc.yaml", "--connector", "tocsin", *more))
        )

    def printed(self) -> str:
        return "\n".join((*self.said, *self.told))

    def writes(self) -> list[str]:
        """Every call that changes something, in order."""
        return [
            f"{request.method} {request.path}"
            for request in self.cloud.requests
            if request.method in WRITES and "oauth2" not in request.path
        ]

    def cloud_option(self) -> str:
        """What `--cloud` gets."""
        return json.dumps(self.server.settings_block())

    def _common(self) -> tuple[str, ...]:
        return (
            *("--tenant-id", TENANT, "--subscription-id", SUBSCRIPTION),
            *("--resource-group", "rg-night", "--workspace-name", "law-night"),
            *("--cloud", self.cloud_option(), "--store", str(self.store)),
            *("--login", "client-secret", "--login-client-id", OPERATOR),
            *("--hint-env", "TOCSIN_HINT_SECRET"),
        )

    def _context(self, arguments: tuple[str, ...]) -> CommandContext:
        return CommandContext(
            arguments=arguments,
            allow_private=LOOPBACK,
            clock=self.clock,
            secret=self._secret,
            block=lambda _, name: self.blocks[name],
            say=self.said.append,
            tell=self._tell,
        )

    def _tell(self, line: str) -> None:
        self.told.append(line)
        if self.kill_at is not None and len(self.told) > self.kill_at:
            raise KilledError(line)

    def _secret(self, reference: Mapping[str, Any]) -> str:
        name = str(reference.get("secret_env"))
        if name not in self.secrets:
            raise SecretMissingError(f"{name} is not set")
        return self.secrets[name]


@asynccontextmanager
async def open_desk(
    folder: Path, *, lag: float = 0, propagation: float = 0
) -> AsyncGenerator[Desk]:
    """A fresh tenant; `lag` and `propagation` in seconds, once the operator is known."""
    clock = SkyClock()
    cloud = Cloud(
        clock.now,
        tenant_id=TENANT,
        client_id="0c5f4a3e-1d55-4a8e-8a0f-2f5f3f8f9b02",
        client_secret="a secret of the simulated tenant",
        subscription_id=SUBSCRIPTION,
        resource_group="rg-night",
        workspace_name="law-night",
        workspace_id=WORKSPACE_ID,
    )
    directory = cloud.identity.directory
    operator = directory.add_operator(OPERATOR, LOGIN_SECRET)
    directory.assign(operator.id, OWNER, f"/subscriptions/{SUBSCRIPTION}")
    clock.move(timedelta(days=1))
    directory.lag = timedelta(seconds=lag)
    directory.propagation = timedelta(seconds=propagation)
    cloud.table_lag = timedelta(seconds=lag)
    async with CloudServer(cloud, folder) as server:
        secrets = {"TOCSIN_AZURE_LOGIN_SECRET": LOGIN_SECRET, "TOCSIN_HINT_SECRET": HINT}
        yield Desk(cloud, clock, server, folder, secrets)
