"""What takes long for one team or for many keeps no other loop of the worker waiting."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.actions.ringing import House, house
from tests.actions.test_calendars import others_had_turns
from tests.store.scene import an_alert
from tocsin.actions.forewarn import forewarn
from tocsin.store.shifts import hold
from tocsin.worker import Bell, Worker


@pytest.fixture
async def installation(database: str) -> AsyncIterator[House]:
    async with house(database) as made:
        yield made


async def test_shifts_that_wait_stop_neither_reminders_nor_what_was_forgotten(
    installation: House,
) -> None:
    lost = await installation.save(an_alert(1))
    begins = installation.clock.now() + timedelta(minutes=30)
    await installation.sql(
        "UPDATE alert SET next_step_at = NULL, updated_at = $1", datetime(2026, 1, 1, tzinfo=UTC)
    )
    await installation.sql("UPDATE shift SET during = tstzrange($1, NULL)", begins)
    async with installation.world.database.transaction() as connection:
        await hold(connection, 1)  # as a long edit of the team's shifts does
        working = asyncio.create_task(Worker(installation.world, Bell()).run())
        try:
            async with asyncio.timeout(10):
                while await undone(installation, lost.number):  # noqa: ASYNC110 - nothing tells it
                    await asyncio.sleep(0.05)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)


async def undone(made: House, number: int) -> bool:
    """Whether the forgotten alert still has no timer, or nobody was reminded."""
    found = await made.rows(
        "SELECT next_step_at IS NULL AND NOT EXISTS (SELECT FROM notification n"
        " WHERE n.alert_id = a.id) OR NOT EXISTS (SELECT FROM told WHERE kind = 'begins') AS undone"
        " FROM alert a WHERE number = $1",
        number,
    )
    undone: bool = found[0]["undone"]
    return undone


async def test_a_worker_whose_shifts_take_long_is_ready(installation: House) -> None:
    worker = Worker(installation.world, Bell())
    working = asyncio.create_task(worker.run())
    try:
        async with asyncio.timeout(20):
            while await not_yet(installation):  # noqa: ASYNC110 - nothing tells it
                await asyncio.sleep(0.05)
        await installation.clock.move(timedelta(minutes=1))
        stalled = worker.stalled(installation.clock.now())
        assert not {"shifts", "forewarn", "reminders", "hand_over"} & set(stalled)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def not_yet(made: House) -> bool:
    """Whether one of these had no turn."""
    jobs = ("shifts", "forewarn", "reminders", "hand_over")
    found = await made.rows("SELECT name FROM job WHERE name = ANY($1)", list(jobs))
    return len(found) < len(jobs)


async def test_looking_ahead_in_many_schedules_stops_nobody(installation: House) -> None:
    days = ", ".join(
        f'{{"name": "r{number}", "participants": ["mara", "jonas"],'
        ' "start": "2026-01-01T09:00", "unit": "day", "active_until": "2026-11-30T09:00",'
        ' "restrictions": ['
        '{"days": ["mon", "tue"], "from": "08:00", "to": "12:00"}]}'
        for number in range(20)
    )
    await installation.sql(
        "INSERT INTO schedule (team_id, id, name, tier, body) OVERRIDING SYSTEM VALUE"
        " SELECT 1, 100 + n, 's' || n, 1 + n % 9,"
        " $1::jsonb || jsonb_build_object('tier', 1 + n % 9) FROM generate_series(1, 200) n",
        f'{{"rotations": [{days}]}}',
    )
    await installation.sql("""UPDATE team SET body = '{"notices": {"ahead": "14d"}}'""")
    await others_had_turns(asyncio.create_task(forewarn(installation.world)), least=40)
    said = await installation.rows("SELECT count(DISTINCT subject) FROM told WHERE kind = 'gap'")
    assert said[0]["count"] == 9, "each tier runs out"
