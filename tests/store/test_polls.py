"""How far a connector has been read: one reader at a time, and a mark that never goes back."""

from datetime import timedelta

import pytest

from tests.store.scene import NOW, later, scene
from tocsin.ports import Granted, WaitUntil
from tocsin.store.db import Database, rows, run
from tocsin.store.outbox import (
    DuePoll,
    Limit,
    Polled,
    StoredBudget,
    claim_polls,
    poll_now,
    release_poll,
    renew_poll,
    settle_poll,
)
from tocsin.store.upkeep import forget_budgets
from tocsin.testing.clock import MovableClock


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(NOW)


async def add_connector(database: Database) -> None:
    async with database.transaction() as connection:
        await run(
            connection,
            "INSERT INTO connector (team_id, id, name, source) OVERRIDING SYSTEM VALUE"
            " VALUES (1, 1, 'sentinel', 'microsoft')",
        )


async def claim(database: Database, clock: MovableClock) -> tuple[DuePoll, ...]:
    async with database.transaction() as connection:
        return await claim_polls(connection, clock.now(), 5, clock)


async def settle(database: Database, due: DuePoll, polled: Polled) -> bool:
    async with database.transaction() as connection:
        return await settle_poll(connection, due, polled)


async def expire(database: Database) -> None:
    async with database.transaction() as connection:
        await run(connection, "UPDATE poll SET lease_until = clock_timestamp() - interval '1 s'")


async def test_a_new_connector_is_read_at_once_and_by_one_process(
    database: str, clock: MovableClock
) -> None:
    async with scene(database) as db:
        await add_connector(db)
        (due,) = await claim(db, clock)
        assert due.watermark is None
        assert await claim(db, clock) == ()
        assert timedelta(0) < due.lease.remaining() <= timedelta(seconds=121)


async def test_a_paused_process_that_wakes_up_cannot_move_a_watermark_back(
    database: str, clock: MovableClock
) -> None:
    async with scene(database) as db:
        await add_connector(db)
        (slept,) = await claim(db, clock)
        await expire(db)
        (active,) = await claim(db, clock)
        assert await settle(db, active, Polled(run_at=NOW, watermark=later(minutes=5)))
        assert not await settle(db, slept, Polled(run_at=NOW, watermark=later(minutes=1)))
        (again,) = await claim(db, clock)
        assert again.watermark == later(minutes=5)
        assert await settle(db, again, Polled(run_at=NOW, watermark=later(minutes=2)))
        (last,) = await claim(db, clock)
        assert last.watermark == later(minutes=5), "not even a holder moves it back"


async def test_a_lease_that_was_lost_is_not_renewed(database: str, clock: MovableClock) -> None:
    async with scene(database) as db:
        await add_connector(db)
        (slept,) = await claim(db, clock)
        await expire(db)
        (active,) = await claim(db, clock)
        async with db.transaction() as connection:
            assert await renew_poll(connection, slept) is None
            assert await renew_poll(connection, active) is not None


async def test_poll_now_during_a_poll_reads_once_more_right_after(
    database: str, clock: MovableClock
) -> None:
    async with scene(database) as db:
        await add_connector(db)
        (due,) = await claim(db, clock)
        await clock.move(timedelta(seconds=1))
        async with db.transaction() as connection:
            await poll_now(connection, 1, 1, clock.now())
        await settle(db, due, Polled(run_at=later(minutes=10)))
        assert len(await claim(db, clock)) == 1


@pytest.mark.parametrize("skew", [timedelta(minutes=-2), timedelta(minutes=2)])
async def test_poll_now_counts_whatever_the_clock_of_the_host_that_asks(
    database: str, clock: MovableClock, skew: timedelta
) -> None:
    async with scene(database) as db:
        await add_connector(db)
        for _ in range(2):  # before a poll, and during one
            async with db.transaction() as connection:
                await poll_now(connection, 1, 1, NOW + skew)
            (due,) = await claim(db, clock)
            async with db.transaction() as connection:
                await poll_now(connection, 1, 1, NOW + skew)
            await settle(db, due, Polled(run_at=later(minutes=10)))
        (due,) = await claim(db, clock)
        await settle(db, due, Polled(run_at=later(minutes=10)))
        assert await claim(db, clock) == (), "it was asked for once"


async def test_a_poll_that_is_given_back_is_due_at_once_and_has_not_failed(
    database: str, clock: MovableClock
) -> None:
    async with scene(database) as db:
        await add_connector(db)
        (due,) = await claim(db, clock)
        async with db.transaction() as connection:
            await release_poll(connection, due)
        (again,) = await claim(db, clock)
        assert again.failures == 0
        async with db.transaction() as connection:
            await release_poll(connection, due)
        assert await claim(db, clock) == (), "only its holder gives a lease back"


async def test_a_failed_poll_counts_and_a_good_one_forgets(
    database: str, clock: MovableClock
) -> None:
    async with scene(database) as db:
        await add_connector(db)
        for expected in (1, 2):
            (due,) = await claim(db, clock)
            await settle(db, due, Polled(run_at=NOW, error="403: the role is missing"))
            async with db.transaction() as connection:
                found = await rows(connection, "SELECT failures, error FROM poll")
            assert (found[0]["failures"], found[0]["error"]) == (
                expected,
                "403: the role is missing",
            )
        (due,) = await claim(db, clock)
        assert due.failures == 2
        await settle(db, due, Polled(run_at=NOW, succeeded_at=NOW))
        (due,) = await claim(db, clock)
        assert due.failures == 0


async def test_a_budget_is_shared_and_says_when_to_come_back(
    database: str, clock: MovableClock
) -> None:
    async with scene(database) as db:
        limits = {"graph": Limit(3, timedelta(minutes=1))}
        one, two = (StoredBudget(db, clock, "1/1", limits) for _ in range(2))
        assert await one.take("graph", 2) == Granted()
        assert await two.take("graph") == Granted()
        assert await one.take("graph") == WaitUntil(later(minutes=1))
        assert await one.take("unlimited") == Granted()
        await clock.move(timedelta(minutes=1))
        assert await two.take("graph", 3) == Granted()
        assert await two.take("graph", 4) != Granted(), "more than a window holds is never granted"


async def test_windows_that_have_passed_for_a_day_are_forgotten(
    database: str, clock: MovableClock
) -> None:
    async with scene(database) as db:
        budget = StoredBudget(db, clock, "1/1", {"graph": Limit(3, timedelta(minutes=1))})
        await budget.take("graph")
        await clock.move(timedelta(hours=25))
        await budget.take("graph")
        async with db.transaction() as connection:
            assert await forget_budgets(connection, clock.now()) == 1
