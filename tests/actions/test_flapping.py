"""Alarms that come and go are damped where everybody sees it, and page when they stay."""

from datetime import timedelta

import pytest

from tests.actions.worlds import world_at
from tests.store.scene import NOW
from tocsin.actions.intake import Accepted, Intake, Posted
from tocsin.actions.page import page_due
from tocsin.actions.world import World
from tocsin.core.event import Answer, AnswerKind, Event, Said
from tocsin.store import alerts
from tocsin.testing.clock import MovableClock

RAISED = Event(title="Link down", external_id="link")
CLOSED = Answer(kind=AnswerKind.CLOSE, external_id="link")
BOTH: tuple[Said, ...] = (RAISED, CLOSED)


async def post(intake: Intake, *said: Said) -> Accepted:
    return await intake.accept(Posted(team=1, name="plant", inlet="signl4", said=said))


async def move(world: World, by: timedelta) -> None:
    assert isinstance(world.clock, MovableClock)
    await world.clock.move(by)
    while await page_due(world):
        pass


async def pages(world: World, done: Accepted) -> int:
    async with world.database.transaction() as connection:
        return len(await alerts.notifications(connection, 1, done.alerts[-1].id))


async def test_the_fifth_time_in_ten_minutes_has_to_last_before_it_pages(database: str) -> None:
    async with world_at(database) as world, Intake(world) as intake:
        for _ in range(4):
            done = await post(intake, *BOTH)
            assert done.alerts[0].suppressed is None
            await move(world, timedelta(minutes=1))
        done = await post(intake, RAISED)
        (alert,) = done.alerts
        assert alert.suppressed == "flapping: raised 5 times in 10 minutes"
        assert alert.suppressed_until == NOW + timedelta(minutes=9)
        await move(world, timedelta(minutes=4, seconds=59))
        assert await pages(world, done) == 0
        await move(world, timedelta(seconds=1))
        assert await pages(world, done) == 1


async def test_one_that_goes_again_pages_nobody(database: str) -> None:
    async with world_at(database) as world, Intake(world) as intake:
        for _ in range(4):
            await post(intake, *BOTH)
        done = await post(intake, RAISED)
        await post(intake, CLOSED)
        await move(world, timedelta(hours=1))
        assert await pages(world, done) == 0
        assert (await post(intake, RAISED)).alerts[0].suppressed is None


async def test_all_in_one_request_counts_the_same(database: str) -> None:
    async with world_at(database) as world, Intake(world) as intake:
        done = await post(intake, *(BOTH * 6))
        assert [alert.suppressed for alert in done.alerts] == [
            None,
            None,
            None,
            None,
            "flapping: raised 5 times in 10 minutes",
            "flapping: raised 6 times in 10 minutes",
        ]


@pytest.mark.parametrize("spread", [timedelta(minutes=2, seconds=31), timedelta(hours=1)])
async def test_over_a_longer_time_it_is_no_flapping(database: str, spread: timedelta) -> None:
    async with world_at(database) as world, Intake(world) as intake:
        for _ in range(8):
            assert (await post(intake, *BOTH)).alerts[0].suppressed is None
            await move(world, spread)


async def test_other_keys_and_events_without_one_do_not_count(database: str) -> None:
    async with world_at(database) as world, Intake(world) as intake:
        for number in range(6):
            other = Event(title="Link down", external_id=f"link {number}")
            for event in (other, Event(title="Link down")):
                assert (await post(intake, event)).alerts[0].suppressed is None
        for _ in range(6):  # seen again: one alert that counts
            assert (await post(intake, RAISED)).alerts[0].suppressed is None
