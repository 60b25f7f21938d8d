"""What a full database and many writers at once do elsewhere; see docs/peer-bugs.md."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from tests.nights.night import Night, night
from tests.peers.histories import MANY, counted, fill
from tests.peers.restarts import next_process
from tocsin.actions.intake import Posted
from tocsin.actions.page import page_due
from tocsin.actions.reply import AlertRef, change_many
from tocsin.actions.watchdog import opened_watchdog
from tocsin.core.changes import Acknowledged, Annotated
from tocsin.core.event import Answer, AnswerKind, Event
from tocsin.core.kinds import Actor, Via
from tocsin.store import alerts
from tocsin.store.watch import look

START = datetime(2026, 11, 24, 2, 58, tzinfo=UTC)
FEW = MANY // 20
T = TypeVar("T")
ADA = Actor("ada", 3, Via.REPLY)


async def test_the_auditor_is_so_slow_that_it_is_switched_off(database: str) -> None:
    async with night(database, START) as n:
        await fill(database)
        await n.raise_alert("Pump down", "p1")
        await n.clock.move(timedelta(minutes=2))
        async with counted(database) as read, opened_watchdog(n.world) as watchdog:
            await watchdog.turn()
        assert {table: rows for table, rows in read.rows.items() if rows > FEW} == {}
        async with n.world.database.transaction() as connection:
            found = await look(connection, n.clock.now())
        assert (found.pages_late, found.timers_late) == (1, 0), "it does look"


async def test_half_a_million_old_alerts_slow_down_todays(database: str) -> None:
    async with night(database, START) as n:
        await fill(database)
        async with counted(database) as read, next_process(n) as today:
            for _ in range(2):
                await today.raise_alert("Pump down", "pump 7")
            await today.until(START + timedelta(minutes=3))
            await today.answer("pump 7", Acknowledged(ADA), "ada acknowledges")
            alert = await today.alert("pump 7")
            async with today.world.database.transaction() as connection:
                for statuses in ((), ("open", "acknowledged")):
                    await alerts.search(connection, alerts.Filter(teams=(1,), statuses=statuses))
                assert len(await alerts.notifications(connection, 1, alert.id)) > 1
                assert await alerts.ledger(connection, 1, alert.id)
                assert await alerts.timeline(connection, 1, alert.id)
        assert alert.seen_count == 2
        assert {table: rows for table, rows in read.rows.items() if rows > FEW} == {}


async def test_writers_of_the_same_rows_deadlock(database: str) -> None:
    async with night(database, START) as n:
        keys = [f"p{number}" for number in range(12)]
        for key in keys:
            await n.raise_alert("Pump down", key)
        refs = [AlertRef(1, (await n.alert(key)).id) for key in keys]
        await n.clock.move(timedelta(minutes=2))
        async with counted(database) as read, next_process(n) as one, next_process(n) as two:
            async with asyncio.TaskGroup() as group:
                for turn in range(10):
                    _write(group, one, _turned(keys, turn), _turned(refs, turn + 5))
                    _write(group, two, _turned(keys, turn + 5), _turned(refs, turn))
            for process in (one, two):
                await process.deliverer.drain()
        assert read.deadlocks == 0
        counts = {(await n.alert(key)).seen_count for key in keys}
        assert counts == {1 + 2 * 10}, "nothing was lost on the way"


def _write(group: asyncio.TaskGroup, process: Night, keys: list[str], refs: list[AlertRef]) -> None:
    """Events, answers, timers and pages of the same alerts at the same time."""
    group.create_task(process.intake.accept(_posted(keys)))
    group.create_task(change_many(process.world, refs, Annotated(ADA, "looked at")))
    group.create_task(page_due(process.world))
    group.create_task(process.deliverer.launch())


def _turned(items: list[T], turn: int) -> list[T]:
    """In another order each time."""
    first = turn % len(items)
    return [*items[first:], *items[:first]][:: -1 if turn % 2 else 1]


def _posted(keys: list[str]) -> Posted:
    said = [Event(title="Pump down", external_id=key) for key in keys]
    note = Answer(kind=AnswerKind.ANNOTATE, external_id=keys[0], comment="again")
    return Posted(team=1, name="plant", inlet="signl4", said=(*said, note), integration=1)
