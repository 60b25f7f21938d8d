"""A world on a fresh database for tests of the configuration, and a small file to begin with."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from tocsin.actions.world import PlugIns, World
from tocsin.channels.email import EmailChannel
from tocsin.channels.webhook import WebhookChannel
from tocsin.egress import GuardedClient
from tocsin.inlets.signl4 import Signl4Inlet
from tocsin.keys import Keys
from tocsin.microsoft.connector import MicrosoftSource
from tocsin.ports import SecretMissingError
from tocsin.store.db import Database, Row, rows, run
from tocsin.testing.clock import MovableClock

NOW = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)

PLUG_INS = PlugIns(
    channels={"webhook": lambda: WebhookChannel, "email": lambda: EmailChannel},
    inlets={"signl4": lambda: Signl4Inlet},
    sources={"microsoft": lambda: MicrosoftSource},
)

SMALL = """\
version: 1
users:
  mara:
    name: Mara
    contact_methods:
      phone: {channel: webhook, address: "https://phone.example/mara"}
      mail: {channel: email, address: mara@example.org}
    notification_rules:
      urgent:
        - {after: 0s, via: phone, repeat_every: 30s}
        - {after: 2m, via: mail}
  jonas:
    contact_methods:
      phone: {channel: webhook, address: "https://phone.example/jonas"}
teams:
  soc:
    time_zone: Europe/Berlin
    members: [mara, {user: jonas, role: team_admin}]
    schedules:
      primary:
        tier: 1
        rotations:
          - {name: weeks, participants: [mara, jonas], start: 2026-11-02T09:00, unit: week}
        overrides:
          - {user: jonas, from: 2026-12-24T18:00, to: 2026-12-25T09:00}
    escalation_policies:
      default:
        steps:
          - {notify: [{duty: 1}], wait: 5m}
    categories:
      noise: {keywords: [test], suppress: true}
      identity: {keywords: [sign-in]}
    integrations:
      plant: {inlet: signl4, secret: plant-secret-0001}
"""


@asynccontextmanager
async def world_on(dsn: str, environment: Mapping[str, str] | None = None) -> AsyncGenerator[World]:
    """A world with the shipped plug-ins; the clock stands still."""
    database = Database(dsn, size=2)
    egress = GuardedClient(())
    known = environment or {}

    def secret(reference: Mapping[str, Any]) -> str:
        name = str(reference.get("secret_env"))
        if name not in known:
            raise SecretMissingError(f"the environment variable {name} is not set")
        return known[name]

    try:
        yield World(
            database=database,
            worker_database=database,
            clock=MovableClock(NOW),
            keys=Keys(b"k" * 32),
            egress=egress,
            secrets=secret,
            plug_ins=PLUG_INS,
            public_url="https://tocsin.example",
        )
    finally:
        await egress.close()
        await database.close()


async def select(world: World, sql: str, *args: object) -> list[Row]:
    """Look into the database."""
    async with world.database.transaction() as connection:
        return list(await rows(connection, sql, *args))


async def execute(world: World, sql: str, *args: object) -> None:
    """Reach into the database."""
    async with world.database.transaction() as connection:
        await run(connection, sql, *args)


async def snapshot(world: World) -> dict[str, list[object]]:
    """Every row of every configured table, with the transaction that wrote it."""
    tables = (
        "app_user", "contact_method", "notification_rule", "team", "membership", "address",
        "setting", "schedule", "schedule_override", "escalation_policy", "category",
        "integration", "connector", "maintenance_window", "stored", "shift",
    )  # fmt: skip
    return {
        table: [dict(row) for row in await select(world, f"SELECT xmin::text, t.* FROM {table} t")]
        for table in tables
    }
