"""A database that goes away for a while and comes back."""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager

import pytest

from tests.crash.doors import Door, opened_door
from tests.crash.phones import Phones, until
from tests.crash.senders import Senders, no_trace
from tests.crash.systems import SOON, Serve, System
from tests.crash.verdicts import (
    every_alert_was_paged,
    none_twice_without_the_mark,
    nothing_accepted_is_lost,
    until_quiet,
)
from tests.store.embedded_homes import Homes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the helpers read /proc")


@pytest.fixture
def outside(database: str, phones: Phones) -> Iterator[System]:
    """An installation whose database is not its own."""
    homes = Homes()
    system = System(homes.make(), homes, database=database)
    try:
        system.home.mkdir()
        system.configured(phones.port)
        yield system
    finally:
        system.clear()
        homes.clear()


@asynccontextmanager
async def behind_a_door(system: System) -> AsyncGenerator[tuple[Door, Serve, str]]:
    """A serve that reaches the database through a door."""
    assert system.database is not None
    async with opened_door(system.database) as door:
        serve = system.serve(env={"TOCSIN_DATABASE_URL": door.address})
        yield door, serve, await serve.ready()


async def test_while_the_database_is_away_events_are_refused_and_later_all_is_made_good(
    outside: System, phones: Phones
) -> None:
    await _away_and_back(outside, phones, seconds=7)


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_after_40_seconds_without_database_all_is_made_good(
    outside: System, phones: Phones
) -> None:
    await _away_and_back(outside, phones, seconds=40)


async def _away_and_back(outside: System, phones: Phones, *, seconds: float) -> None:
    async with behind_a_door(outside) as (door, serve, url):
        senders, soon = Senders(lambda: url), Senders(lambda: url, secret=SOON)
        await soon.send([f"soon {number}" for number in range(20)])  # more is due in 3 s
        await until(lambda: phones.told == 20)
        phones.answering.clear()
        await senders.send(["in the air"])
        await until(lambda: len(phones.of("in the air")) == 1)
        await door.shut()
        phones.answering.set()  # so that what became of the page cannot be written down yet
        statuses = [await senders.once(f"away {number}") for number in range(5)]
        sending = asyncio.create_task(senders.send([f"patient {n}" for n in range(20)]))
        await asyncio.sleep(seconds)
        assert statuses == [503] * 5
        assert {key for key in senders.accepted if key != "in the air"} == set()
        assert serve.process.poll() is None
        await door.open()
        await sending
        await until_quiet(outside, within=20)
        assert senders.unanswered == 0
        assert senders.refused == []
        assert no_trace(senders.unavailable)
        await nothing_accepted_is_lost(outside, senders)
        await every_alert_was_paged(outside, phones, senders)
        await every_alert_was_paged(outside, phones, soon)
        await none_twice_without_the_mark(outside, phones)
        assert set(phones.times().values()) == {1}
        assert {len(phones.of(key)) for key in soon.accepted} == {3}  # mara, ada, jonas


async def test_the_first_event_after_a_quiet_outage_is_accepted(
    outside: System, phones: Phones
) -> None:
    async with behind_a_door(outside) as (door, _, url):
        senders = Senders(lambda: url)
        await senders.send([f"before {number}" for number in range(40)], at_once=40)
        await door.shut()
        await asyncio.sleep(0.5)
        await door.open()
        assert await senders.once("after") == 201
        await until(lambda: len(phones.of("after")) == 1)


@pytest.mark.long
async def test_while_the_database_hangs_senders_are_told_so_and_later_all_is_made_good(
    outside: System, phones: Phones
) -> None:
    async with behind_a_door(outside) as (door, _, url):
        senders, soon = Senders(lambda: url), Senders(lambda: url, secret=SOON)
        await soon.send(["soon"])
        await until(lambda: len(phones.pages) == 1)
        door.stand_still()
        began = time.monotonic()
        statuses = await asyncio.gather(*(senders.once(f"away {n}", 60) for n in range(5)))
        assert time.monotonic() - began < 30
        assert statuses == [503] * 5
        door.go_on()
        await senders.send(["after"])
        await until_quiet(outside, within=20)
        assert {len(phones.of(key)) for key in soon.accepted} == {3}


async def test_a_stop_while_the_database_hangs_takes_under_10_s(
    outside: System, phones: Phones
) -> None:
    async with behind_a_door(outside) as (door, serve, url):
        senders = Senders(lambda: url)
        await senders.send(["before"])
        door.stand_still()
        posting = asyncio.create_task(senders.once("while it hangs"))
        await asyncio.sleep(1)
        assert await serve.stop() < 10
        assert await posting == 503
        assert senders.refused == []
        assert no_trace(senders.unavailable)
