"""How late steps and pages are: with many timers, through a slow channel, after a kill."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from bench.configuration import configuration
from bench.figures import Figure, Kind
from bench.http import Phone
from bench.stage import Stage, fetch, free_port
from bench.storm import prepare
from tocsin.store.db import migrate

_TIMERS = 100_000
_LOOK = 60.0
"""Seconds of the hour that are looked at."""

_PEOPLE = 8_000
_SLOW = 0.05
"""Seconds until the channel answers."""

_HELD = 200
_GLANCE = 0.02


async def timers(stage: Stage) -> list[Figure]:
    """100,000 open alerts whose timers are spread over an hour, one `serve`."""
    dsn, port = await _installation(stage)
    due = await prepare(stage, dsn, _TIMERS, spread=timedelta(hours=1))
    await fetch(dsn, "CREATE TABLE promised AS SELECT id, next_step_at AS due FROM alert")
    async with phone(port), stage.serve(dsn, "--no-web") as served:
        await asyncio.sleep(_LOOK)
        resident = served.resident()
    late = (
        "FROM timeline t JOIN promised p ON p.id = t.alert_id WHERE t.kind = 'step' AND t.at >= due"
    )
    steps = await fetch(dsn, f"SELECT count(*) {late} AND due >= '{due.isoformat()}'")
    worst = await fetch(
        dsn,
        "SELECT 1000000 * percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM t.at"
        f" - due)) {late} AND due > (SELECT min(at) FROM timeline WHERE at > '{due.isoformat()}')",
    )
    return [
        Figure(
            name="step is late, 100,000 timers in an hour: p99",
            value=worst / 1e6,
            unit="s",
            limit=1,
            note=f"{steps} steps in {_LOOK:.0f} s",
            wrong="" if steps > _TIMERS / 3600 * _LOOK / 2 else f"only {steps} steps",
        ),
        Figure(
            name="resident memory of a worker, 100,000 open alerts",
            value=resident,
            unit="MB",
            limit=250,
        ),
    ]


async def pages(stage: Stage) -> list[Figure]:
    """8,000 alerts at once, each for somebody else, by a channel that answers after 50 ms."""
    dsn, port = await _installation(stage, people=_PEOPLE)
    async with phone(port, _SLOW) as rang, stage.serve(dsn, "--no-web"):
        await fetch(dsn, _ALL_DUE)
        await _until(lambda: len(rang) >= _PEOPLE, 60)
        await asyncio.sleep(1)
    took = rang[-1] - rang[0]
    sent = await fetch(dsn, "SELECT count(*) FROM notification WHERE state = 'sent'")
    written = await fetch(dsn, "SELECT count(*) FROM ledger WHERE state = 'sent'")
    right = len(rang) == sent == written == _PEOPLE
    return [
        Figure(
            name="pages through a channel that answers in 50 ms",
            value=_PEOPLE / took,
            unit="/s",
            kind=Kind.AT_LEAST,
            limit=800,
            note=f"{_PEOPLE:,} in {took:.1f} s, with their lines in the ledger",
            wrong="" if right else f"{len(rang)} rang, {sent} are sent, {written} lines say so",
        )
    ]


async def killed(stage: Stage) -> list[Figure]:
    """A worker that holds pages in a hanging channel is killed; another one sends them."""
    dsn, port = await _installation(stage, people=_HELD)
    async with phone(port, 3600) as hanging, stage.serve(dsn, "--no-web") as served:
        await fetch(dsn, _ALL_DUE)
        await _until(lambda: len(hanging) >= _HELD, 30)
        os.kill(served.pid, signal.SIGKILL)
        dead = time.monotonic()
    async with phone(port) as rang, stage.serve(dsn, "--no-web"):
        await _until(lambda: len(rang) >= _HELD, 90)
    marked = await fetch(dsn, "SELECT count(*) FROM notification WHERE possible_duplicate")
    right = len(rang) == marked == _HELD
    return [
        Figure(
            name="a worker is killed → the last of its pages goes out",
            value=rang[-1] - dead,
            unit="s",
            limit=45,
            note=f"{_HELD} pages, all marked as possible duplicates",
            wrong="" if right else f"{len(rang)} rang, {marked} are marked",
        )
    ]


@asynccontextmanager
async def phone(port: int, answers_after: float = 0.0) -> AsyncGenerator[list[float]]:
    """A receiver of pages; the list has when each arrived."""
    rang: list[float] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Phone(lambda _: rang.append(time.monotonic()), answers_after), "127.0.0.1", port
    )
    try:
        yield rang
    finally:
        server.close()


async def _until(true: Callable[[], bool], seconds: float) -> None:
    """Wait until it is true, or no longer than so."""
    for _ in range(int(seconds / _GLANCE)):
        if true():
            return
        await asyncio.sleep(_GLANCE)


async def _installation(stage: Stage, people: int = 0) -> tuple[str, int]:
    """The usual one on a database of its own; with `people`, a page for each, not due yet."""
    dsn, port = await stage.database(), free_port()
    await migrate(dsn)
    await stage.apply(dsn, configuration(port))
    if people:
        await prepare(stage, dsn, alerts=people)
        for statement in _MANY.format(people=people, port=port).split(";"):
            await fetch(dsn, statement)
    return dsn, port


# Each alert's page goes to a phone of its own: those of one phone would become one message.
_MANY = """
UPDATE alert SET next_step_at = '2099-01-01';
INSERT INTO app_user (name, role) SELECT 'person-' || n, 'user' FROM generate_series(1, {people}) n;
INSERT INTO contact_method (user_id, name, channel, address)
SELECT id, 'phone', 'webhook', 'http://127.0.0.1:{port}/' || name FROM app_user
WHERE name LIKE 'person-%';
UPDATE notification n
SET state = 'planned', user_id = c.user_id, method_id = c.id, repeat_every = NULL
FROM (SELECT team_id, id, row_number() OVER (ORDER BY id) AS place FROM notification) p,
  (SELECT id, user_id, row_number() OVER (ORDER BY id DESC) AS place FROM contact_method) c
WHERE n.team_id = p.team_id AND n.id = p.id AND c.place = p.place;
VACUUM ANALYZE
"""

_ALL_DUE = """
UPDATE notification SET due_at = clock_timestamp(), next_try_at = clock_timestamp()
"""
