"""The clock of the machine, and the one that tests move."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tocsin.clock import SharedClock, SystemClock, counted
from tocsin.ports import Clock
from tocsin.testing.clock import MovableClock

START = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)


async def test_the_system_clock_tells_aware_utc_and_does_not_go_back() -> None:
    clock: Clock = SystemClock()
    before = clock.now()
    await clock.sleep(timedelta(milliseconds=5))
    after = clock.now()
    assert before.tzinfo is UTC
    assert after - before >= timedelta(milliseconds=4)


async def test_the_system_clock_returns_at_once_from_a_sleep_into_the_past() -> None:
    async with asyncio.timeout(1):
        await SystemClock().sleep(timedelta(days=-1))


async def test_sleepers_wake_in_the_order_in_which_they_are_due() -> None:
    clock = MovableClock(START)
    woken: list[tuple[str, datetime]] = []

    async def sleeper(name: str, seconds: int) -> None:
        await clock.sleep(timedelta(seconds=seconds))
        woken.append((name, clock.now()))

    tasks = [asyncio.create_task(sleeper(name, at)) for name, at in (("b", 2), ("a", 1), ("c", 9))]
    await clock.move(timedelta(seconds=5))
    assert woken == [("a", START + timedelta(seconds=1)), ("b", START + timedelta(seconds=2))]
    assert clock.now() == START + timedelta(seconds=5)
    assert clock.sleepers == 1
    tasks[2].cancel()
    await asyncio.wait(tasks)
    await clock.move(timedelta(seconds=5))
    assert len(woken) == 2


async def test_a_sleeper_that_goes_to_sleep_again_is_woken_each_time() -> None:
    clock = MovableClock(START)
    ticks: list[datetime] = []

    async def ticker() -> None:
        while True:
            await clock.sleep(timedelta(minutes=1))
            ticks.append(clock.now())

    task = asyncio.create_task(ticker())
    await clock.move(timedelta(minutes=3, seconds=30))
    task.cancel()
    assert ticks == [START + timedelta(minutes=n) for n in (1, 2, 3)]


async def test_a_movable_clock_needs_a_zone_and_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="zone"):
        MovableClock(START.replace(tzinfo=None))
    clock = MovableClock(START.astimezone(timezone(timedelta(hours=2))))
    assert clock.now().tzinfo is UTC
    with pytest.raises(ValueError, match="back"):
        await clock.move(timedelta(seconds=-1))


def test_a_shared_clock_shows_the_machine_time_until_it_is_set_and_then_counts_on() -> None:
    clock: Clock = (shared := SharedClock())
    assert abs(clock.now() - SystemClock().now()) < timedelta(seconds=1)
    moved = shared.set(START, counted() - 5)
    assert timedelta(seconds=5) <= clock.now() - START < timedelta(seconds=6)
    assert moved < timedelta(days=-1)
    assert abs(shared.set(START, counted() - 65) - timedelta(minutes=1)) < timedelta(seconds=1)
