"""Somebody answers: exactly one owner, whoever else answers at the same moment is told."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

from tests.actions.worlds import world_at
from tests.store.scene import NOW
from tocsin.actions.intake import Intake, Posted
from tocsin.actions.page import page_due
from tocsin.actions.reply import AlertRef, change, change_many
from tocsin.actions.world import World
from tocsin.core.alert import Changed, Refused, Unchanged
from tocsin.core.changes import Acknowledged, Closed, Reopened
from tocsin.core.event import Event
from tocsin.core.kinds import Actor, Status, Via
from tocsin.store import alerts
from tocsin.store.db import rows, run
from tocsin.testing.clock import MovableClock

MARA = Actor("mara", 1, Via.REPLY)
JONAS = Actor("jonas", 2, Via.API)


@asynccontextmanager
async def raised(dsn: str, count: int = 1) -> AsyncGenerator[tuple[World, list[AlertRef]]]:
    async with world_at(dsn) as world, Intake(world) as intake:
        refs: list[AlertRef] = []
        for number in range(count):
            said = (Event(title="Pump down", external_id=str(number)),)
            done = await intake.accept(Posted(team=1, name="p", inlet="signl4", said=said))
            refs.append(AlertRef(1, done.alerts[0].id))
        yield world, refs


async def planned(world: World) -> list[tuple[str, str]]:
    async with world.database.transaction() as connection:
        found = await rows(connection, "SELECT purpose, state FROM notification ORDER BY id")
    return [(row["purpose"], row["state"]) for row in found]


async def test_of_two_simultaneous_acknowledgements_exactly_one_owns_it(database: str) -> None:
    async with raised(database) as (world, (ref,)):
        answers = await asyncio.gather(
            *(change(world, ref, Acknowledged(by)) for by in (MARA, JONAS, MARA, JONAS))
        )
        outcomes = [answer.outcome for answer in answers if answer is not None]
        (won,) = [outcome for outcome in outcomes if isinstance(outcome, Changed)]
        owner = won.alert.answers[0].name
        told = [outcome.reason for outcome in outcomes if isinstance(outcome, Unchanged)]
        assert len(told) == 3
        assert all(f"already acknowledged by {owner}" in reason for reason in told)


async def test_an_acknowledged_alert_takes_back_pages_that_were_not_sent(database: str) -> None:
    async with raised(database) as (world, (ref,)):
        assert await planned(world) == [("escalation", "planned")]
        await change(world, ref, Acknowledged(JONAS))
        assert ("escalation", "cancelled") in await planned(world)


async def test_a_late_answer_is_told_who_closed_it(database: str) -> None:
    async with raised(database) as (world, (ref,)):
        await change(world, ref, Closed(MARA))
        late = await change(world, ref, Acknowledged(JONAS))
        assert late is not None
        assert late.outcome == Refused("closed by mara at 03:00 UTC")


async def test_an_alert_that_does_not_exist_is_no_alert(database: str) -> None:
    async with raised(database) as (world, (ref,)):
        assert await change(world, AlertRef(2, ref.id), Closed(MARA)) is None


async def test_many_are_changed_in_one_transaction_each_with_its_own_outcome(
    database: str,
) -> None:
    async with raised(database, 3) as (world, refs):
        await change(world, refs[1], Closed(MARA))
        answers = await change_many(world, [*refs, refs[0]], Acknowledged(JONAS))
        kinds = [type(answer.outcome) for answer in answers]
        assert kinds == [Changed, Refused, Changed]


async def test_reopening_pages_whoever_is_on_duty_now(database: str) -> None:
    async with raised(database) as (world, (ref,)):
        await change(world, ref, Closed(MARA))
        async with world.database.transaction() as connection:
            await run(connection, "UPDATE shift SET user_id = 2")
        answer = await change(world, ref, Reopened(MARA))
        assert answer is not None
        assert answer.alert.status is Status.OPEN
        async with world.database.transaction() as connection:
            pages = await alerts.notifications(connection, 1, ref.id)
        assert [p["user_name"] for p in pages if p["state"] == "planned"] == ["jonas"]


async def test_a_step_that_timed_out_pages_the_next_whoever_claims_it(database: str) -> None:
    async with raised(database) as (world, (ref,)):
        clock = world.clock
        assert isinstance(clock, MovableClock)
        assert await page_due(world) == 0
        await clock.move(timedelta(minutes=2))
        claimed = await asyncio.gather(*(page_due(world) for _ in range(3)))
        assert sum(claimed) == 1
        async with world.database.transaction() as connection:
            alert = await alerts.get(connection, 1, ref.id)
            pages = await alerts.notifications(connection, 1, ref.id)
        assert alert is not None
        assert alert.next_step_at == NOW + timedelta(minutes=7)
        assert [page["user_name"] for page in pages] == ["mara", "ada"]


async def test_after_an_outage_a_step_is_taken_once_and_not_replayed(database: str) -> None:
    async with raised(database) as (world, (ref,)):
        clock = world.clock
        assert isinstance(clock, MovableClock)
        await clock.move(timedelta(hours=5))
        assert await page_due(world) == 1
        assert await page_due(world) == 0
        async with world.database.transaction() as connection:
            alert = await alerts.get(connection, 1, ref.id)
        assert alert is not None
        assert alert.position is not None
        assert (alert.position.round, alert.position.step) == (0, 1)
        assert alert.next_step_at == NOW + timedelta(hours=5, minutes=5)


async def test_a_running_escalation_follows_its_copy_after_the_policy_was_edited(
    database: str,
) -> None:
    async with raised(database) as (world, (ref,)):
        async with world.database.transaction() as connection:
            await run(connection, "DELETE FROM membership WHERE user_id = 3")
            await run(
                connection,
                "UPDATE escalation_policy SET body ="
                """ '{"steps": [{"notify": [{"duty": 1}], "wait": "2m"}]}'""",
            )
        clock = world.clock
        assert isinstance(clock, MovableClock)
        await clock.move(timedelta(minutes=2))
        await page_due(world)
        async with world.database.transaction() as connection:
            pages = await alerts.notifications(connection, 1, ref.id)
        assert [page["user_name"] for page in pages] == ["mara", "ada"]
