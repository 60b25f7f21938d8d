"""Teams, people, tokens and senders for tests of the doors, and the application before them."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import httpx
import msgspec

from tocsin.actions.intake import Intake, Posted
from tocsin.actions.links import links
from tocsin.actions.world import PlugIns, World
from tocsin.core import ids
from tocsin.core.alert import Alert
from tocsin.core.event import Event
from tocsin.egress import GuardedClient
from tocsin.inlets.signl4 import Signl4Inlet
from tocsin.keys import Keys, new_token
from tocsin.ports import Inlet
from tocsin.store import alerts
from tocsin.store.db import Connection, Database, Row, rows, run
from tocsin.testing.clock import MovableClock
from tocsin.web.parts import Parts
from tocsin.web.server import Web, create_app

NOW = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
SECRET = "plant-secret-0001"
TEAMS = {"soc": 1, "noc": 2}
USERS: Mapping[str, tuple[int, str, tuple[str, ...]]] = {  # by name: the id, the role, the teams
    "vera": (1, "viewer", ("soc",)),
    "mara": (2, "user", ("soc",)),
    "sam": (3, "scheduler", ("soc",)),
    "ada": (4, "team_admin", ("soc",)),
    "root": (5, "admin", ()),
    "nick": (6, "user", ("noc",)),
    "alone": (7, "team_admin", ()),
    "jonas": (8, "user", ("soc",)),
}
SENDERS = (
    ("plant", "signl4", SECRET),
    ("prometheus", "alertmanager", "prom-secret-0001"),
    ("pagerduty", "pagerduty", "0123456789abcdef0123456789abcdef"),
)


@dataclass
class Stage:
    """The application on a database of its own. `tokens` has one of full scope per user."""

    world: World
    web: Web
    intake: Intake
    clock: MovableClock
    ready: dict[str, str | None] = field(default_factory=dict[str, str | None])
    tokens: dict[str, str] = field(default_factory=dict[str, str])

    def client(self, user: str | None = None, *, token: str | None = None) -> httpx.AsyncClient:
        """A client without token, or with a user's."""
        token = token or (self.tokens[user] if user else None)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.web),
            base_url="http://tocsin.test",
            headers=headers,
        )

    async def world_is_well(self) -> Mapping[str, str | None]:
        """What readiness is told."""
        return self.ready

    async def rows(self, sql: str, *args: object) -> list[Row]:
        """Look into the database."""
        async with self.world.database.transaction() as connection:
            return list(await rows(connection, sql, *args))

    async def sql(self, sql: str, *args: object) -> None:
        """Reach into the database."""
        async with self.world.database.transaction() as connection:
            await run(connection, sql, *args)

    async def token(self, user: str, scope: str, expires: datetime | None = None) -> str:
        """A further token of a user."""
        async with self.world.database.transaction() as connection:
            return await _token(connection, self.world.keys, user, scope, expires)

    async def alert(self, team: str = "soc", event: Event | None = None) -> Alert:
        """A new alert of a team."""
        event = event or Event(title="Impossible travel")
        accepted = await self.intake.accept(
            Posted(team=TEAMS[team], name="plant", inlet="signl4", said=(event,))
        )
        return accepted.alerts[0]

    async def now_of(self, alert: Alert) -> Alert:
        """The alert as it stands."""
        async with self.world.database.transaction() as connection:
            found = await alerts.get(connection, alert.team, alert.id)
        assert found is not None
        return found

    async def page(self, alert: Alert, user: str = "mara") -> Mapping[str, str]:
        """The links of the first page of an alert to a user, as paths."""
        found = await self.rows(
            "SELECT id FROM notification WHERE team_id = $1 AND alert_id = $2 AND user_id = $3",
            alert.team,
            alert.id,
            USERS[user][0],
        )
        return links(self.world.keys, "", alert.team, found[0]["id"])


def public(alert: Alert) -> str:
    """The alert's id as the API has it."""
    return ids.encode(alert.team, alert.id)


@asynccontextmanager
async def stage(
    database: str,
    inlets: Mapping[str, type[Inlet]] | None = None,
    allow_private: tuple[str, ...] = (),
) -> AsyncGenerator[Stage]:
    """The doors on `database`, filled with teams, users and an integration."""
    clock = MovableClock(NOW)
    egress = GuardedClient(())
    found = {"signl4": Signl4Inlet} if inlets is None else inlets
    pool = Database(database, size=6)
    world = World(
        database=pool,
        worker_database=pool,
        clock=clock,
        keys=Keys(b"k" * 32),
        egress=egress,
        secrets=lambda _: "",
        plug_ins=PlugIns(inlets={name: partial(_same, made) for name, made in found.items()}),
        public_url="http://tocsin.test",
        allow_private=allow_private,
    )
    try:
        async with Intake(world) as intake:
            made = await _filled(world, intake, clock)
            try:
                yield made
            finally:
                made.web.close()
                await asyncio.sleep(0)
    finally:
        await egress.close()
        await pool.close()


async def _filled(world: World, intake: Intake, clock: MovableClock) -> Stage:
    ready: dict[str, str | None] = {"database": None}

    async def readiness() -> Mapping[str, str | None]:
        return ready

    web = create_app(Parts(world=world, intake=intake, readiness=readiness))
    made = Stage(world, web, intake, clock, ready)
    async with world.database.transaction() as connection:
        for name, team in TEAMS.items():
            await _team(connection, name, team)
        for name in USERS:
            await _user(connection, name)
            made.tokens[name] = await _token(connection, world.keys, name, "admin", None)
        for number, (name, inlet, secret) in enumerate(SENDERS, start=1):
            body = _json({"inlet": inlet})
            await run(connection, _INTEGRATION, number, name, inlet, body)
            await run(connection, _ADDRESS, world.keys.hash(secret), number)
        for table in ("team", "app_user", "contact_method", "integration"):
            await run(connection, f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), 100000)")
    return made


_INTEGRATION = (
    "INSERT INTO integration (team_id, id, name, inlet, sealed_secret, body)"
    " OVERRIDING SYSTEM VALUE VALUES (1, $1, $2, $3, 'x', $4)"
)
_ADDRESS = "INSERT INTO address (hash, kind, team_id, row_id) VALUES ($1, 'integration', 1, $2)"


async def _team(connection: Connection, name: str, team: int) -> None:
    await run(
        connection,
        "INSERT INTO team (id, name, time_zone, body) VALUES ($1, $2, 'Europe/Berlin', $3)",
        team,
        name,
        _json(
            {
                "time_zone": "Europe/Berlin",
                "members": [user for user, (_, _, teams) in USERS.items() if name in teams],
            }
        ),
    )
    await run(
        connection,
        "INSERT INTO escalation_policy (team_id, name, body) VALUES ($1, 'default', $2)",
        team,
        _json({"steps": [{"notify": [{"team": name}], "wait": "2m"}]}),
    )
    await run(connection, "INSERT INTO category (team_id, name) VALUES ($1, 'identity')", team)
    await run(
        connection,
        "INSERT INTO schedule (team_id, name, tier, body) VALUES ($1, 'primary', '1', $2)",
        team,
        _json({"tier": 1}),
    )


async def _user(connection: Connection, name: str) -> None:
    identity, role, teams = USERS[name]
    await run(
        connection,
        "INSERT INTO app_user (id, name, role, body) VALUES ($1, $2, $3, $4)",
        identity,
        name,
        role,
        _json({"role": role, "time_zone": "Europe/Berlin"}),
    )
    await run(
        connection,
        "INSERT INTO contact_method (id, user_id, name, channel, address, body)"
        " VALUES ($1, $1, 'phone', 'webhook', 'http://127.0.0.1:9/', $2)",
        identity,
        _json({"channel": "webhook", "address": "http://127.0.0.1:9/"}),
    )
    for team in teams:
        await run(
            connection,
            "INSERT INTO membership (user_id, team_id) VALUES ($1, $2)",
            identity,
            TEAMS[team],
        )


async def _token(
    connection: Connection, keys: Keys, user: str, scope: str, expires: datetime | None
) -> str:
    token = new_token()
    await run(
        connection,
        "INSERT INTO api_token (user_id, hash, scope, created_at, expires_at)"
        " VALUES ($1, $2, $3, $4, $5)",
        USERS[user][0],
        keys.hash(token),
        scope,
        NOW,
        expires,
    )
    return token


def _same(inlet: type[Inlet]) -> type[Inlet]:
    return inlet


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
