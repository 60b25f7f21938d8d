"""Worlds with a connector, for the tests beside it: to a simulated cloud, or to a script."""

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from tests.actions.worlds import world_at
from tests.microsoft.skies import Sky, open_sky
from tests.store.scene import NOW
from tocsin.actions import sync
from tocsin.actions.intake import Intake, Posted
from tocsin.actions.reply import AlertRef, Answer, change
from tocsin.actions.world import World
from tocsin.core.alert import Alert
from tocsin.core.changes import Change
from tocsin.core.event import Event
from tocsin.core.kinds import Actor, Severity, Status, Via
from tocsin.core.reconcile import Remote, RemoteStatus, Wanted
from tocsin.ports import (
    Allowance,
    Budget,
    Cadence,
    Failed,
    Lease,
    ReadPlan,
    SourceContext,
    Wrote,
)
from tocsin.store import alerts, remotes
from tocsin.store.db import Row, rows, run
from tocsin.store.outbox import poll_now
from tocsin.testing.clock import MovableClock

MARA = Actor("mara", 1, Via.REPLY)
JONAS = Actor("jonas", 2, Via.REPLY)


@dataclass
class Watch:
    """A world with one connector."""

    world: World
    sources: sync.Sources
    clock: MovableClock

    async def pass_time(self, **by: float) -> None:
        await self.clock.move(timedelta(**by))

    async def poll(self) -> None:
        async with self.world.database.transaction() as connection:
            await poll_now(connection, 1, 1, self.world.clock.now())
        for due in await sync.poll_due(self.world):
            await sync.poll(self.world, self.sources, due)

    async def write(self) -> int:
        due = await sync.writes_due(self.world)
        for one in due:
            await sync.write(self.world, self.sources, one)
        return len(due)

    async def alerts(self) -> list[Alert]:
        async with self.world.database.transaction() as connection:
            return await alerts.search(connection, alerts.Filter(teams=(1,)))

    async def alert(self) -> Alert:
        (alert,) = await self.alerts()
        return alert

    async def open_alerts(self) -> list[str]:
        return sorted(a.title for a in await self.alerts() if a.status is not Status.CLOSED)

    async def change(self, change_: Change, alert: Alert | None = None) -> Answer:
        alert = alert or await self.alert()
        answer = await change(self.world, AlertRef(1, alert.id), change_)
        assert answer is not None
        return answer

    async def post(self, title: str, external_id: str | None) -> Alert:
        """A sender, or somebody by hand, raises an alert."""
        said = (Event(title=title, external_id=external_id),)
        async with Intake(self.world) as intake:
            posted = Posted(team=1, name="api", inlet="generic", said=said)
            return (await intake.accept(posted)).alerts[0]

    async def health(self) -> remotes.Health:
        async with self.world.database.transaction() as connection:
            found = await remotes.health(connection, 1, 1)
        assert found is not None
        return found

    async def kinds(self, alert: Alert | None = None) -> list[str]:
        alert = alert or await self.alert()
        async with self.world.database.transaction() as connection:
            return [row["kind"] for row in await alerts.timeline(connection, 1, alert.id)]

    async def sql(self, query: str, *args: object) -> Sequence[Row]:
        async with self.world.database.transaction() as connection:
            return await rows(connection, query, *args)

    async def run(self, statement: str, *args: object) -> None:
        async with self.world.database.transaction() as connection:
            await run(connection, statement, *args)

    async def leased(self, table: str) -> int:
        """How many rows of `poll` or `remote_write` somebody holds now."""
        found = await self.sql(f"SELECT count(*) AS n FROM {table} WHERE lease_until > now()")
        return int(found[0]["n"])


@dataclass
class Night(Watch):
    """A world whose connector reads a simulated cloud."""

    sky: Sky

    async def pass_time(self, **by: float) -> None:
        await super().pass_time(**by)
        self.sky.clock.moment = self.clock.now()


@asynccontextmanager
async def night(dsn: str, folder: Path, **block: object) -> AsyncGenerator[Night]:
    async with open_sky(folder, **block) as sky, world_at(dsn) as plain:
        sky.clock.moment = NOW
        sky.cloud.add_person("mara@example.org", "Mara Ilves")

        def secret(_: Mapping[str, Any]) -> str:
            return sky.secrets["TOCSIN_SENTINEL_SECRET"]

        async with connected(replace(plain, secrets=secret), "microsoft", sky.block) as (w, s, c):
            yield Night(w, s, c, sky)


@dataclass
class Script:
    """A source that shows and answers what a test says, and remembers what it was asked.

    Each of the callables may raise, wait, or answer a failure; `closed` counts closed sources.
    """

    pages: list[tuple[Remote, ...]] = field(default_factory=list[tuple[Remote, ...]])
    reading: Callable[[], Awaitable[None]] | None = None
    detail: Callable[[str], Awaitable[Mapping[str, object] | Failed]] | None = None
    writing: Callable[[str], Awaitable[Failed | None]] | None = None
    made: Callable[[SourceContext], None] | None = None
    plans: list[ReadPlan] = field(default_factory=list[ReadPlan])
    asked: list[str] = field(default_factory=list[str])
    wrote: list[tuple[str, Wanted]] = field(default_factory=list[tuple[str, Wanted]])
    closed: int = 0

    def show(self, *remotes_: Remote) -> None:
        self.pages = [remotes_]

    def shown(self, key: str) -> Remote:
        return next(one for page in self.pages for one in page if one.key == key)


class Scripted:
    """The source of a script."""

    def __init__(self, script: Script, context: SourceContext) -> None:
        self.script = script
        if script.made is not None:
            script.made(context)

    @staticmethod
    def check_settings(settings: Mapping[str, Any]) -> str | None:
        del settings
        return None

    cadence = Cadence(
        poll_every=timedelta(seconds=30),
        first_run=timedelta(hours=24),
        overlap=timedelta(minutes=10),
        deep_every=timedelta(minutes=10),
        deep_lookback=timedelta(hours=2),
    )

    allowances: Mapping[str, Allowance] = {}

    async def pages(
        self, plan: ReadPlan, lease: Lease, budget: Budget
    ) -> AsyncIterator[tuple[Remote, ...]]:
        del budget
        assert lease.remaining() > timedelta(0)
        self.script.plans.append(plan)
        if self.script.reading is not None:
            await self.script.reading()
        for page in self.script.pages:
            yield page

    async def details(
        self, key: str, lease: Lease, budget: Budget
    ) -> Mapping[str, object] | Failed:
        del budget
        assert lease.remaining() > timedelta(0)
        self.script.asked.append(key)
        return {} if self.script.detail is None else await self.script.detail(key)

    async def write(
        self, key: str, decide: Callable[[Remote], Wanted], lease: Lease, budget: Budget
    ) -> Wrote | Failed:
        del budget
        assert lease.remaining() > timedelta(0)
        wanted = decide(self.script.shown(key))
        self.script.wrote.append((key, wanted))
        if self.script.writing is not None:
            failed = await self.script.writing(key)
            if failed is not None:
                return failed
        now = self.script.shown(key)
        after = replace(now, status=wanted.status or now.status, owner=wanted.owner or now.owner)
        return Wrote(remote=after, changed=after != now)

    async def close(self) -> None:
        self.script.closed += 1


@asynccontextmanager
async def scripted(dsn: str, script: Script) -> AsyncGenerator[Watch]:
    """A world whose connector is a script."""
    async with world_at(dsn) as plain:

        class Bound(Scripted):
            def __init__(self, context: SourceContext) -> None:
                super().__init__(script, context)

        plug_ins = replace(plain.plug_ins, sources={"script": lambda: Bound})
        async with connected(replace(plain, plug_ins=plug_ins), "script", {}) as (w, s, c):
            yield Watch(w, s, c)


@asynccontextmanager
async def connected(
    world: World, source: str, block: Mapping[str, object]
) -> AsyncGenerator[tuple[World, sync.Sources, MovableClock]]:
    async with world.database.transaction() as connection:
        await run(
            connection,
            "INSERT INTO connector (team_id, id, name, source, body)"
            " OVERRIDING SYSTEM VALUE VALUES (1, 1, 'sentinel', $1, $2::text::jsonb)",
            source,
            msgspec.json.encode(block).decode(),
        )
    sources = sync.Sources(world)
    assert isinstance(world.clock, MovableClock)
    try:
        yield world, sources, world.clock
    finally:
        await sources.close()


def remote(key: str, at: datetime = NOW, status: RemoteStatus = RemoteStatus.NEW) -> Remote:
    """An incident as a script shows it."""
    return Remote(
        key=key,
        title=f"incident {key}",
        status=status,
        severity=Severity.HIGH,
        created_at=NOW,
        modified_at=at,
    )
