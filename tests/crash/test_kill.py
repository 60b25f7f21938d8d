"""`kill -9` of serve and of PostgreSQL at random moments while events arrive (I1, I2, I4)."""

import asyncio
import random
import secrets
import sys

import pytest

from tests.crash.phones import Phones, until
from tests.crash.senders import Senders
from tests.crash.systems import System
from tests.crash.verdicts import (
    every_alert_was_paged,
    none_twice_without_the_mark,
    nothing_accepted_is_lost,
    until_quiet,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the helpers read /proc")

VICTIMS = ("serve", "postmaster", "both")


async def test_no_kill_loses_an_event_or_a_page(system: System, phones: Phones) -> None:
    victims = ["serve", "postmaster", "both", "postmaster"]
    await _story(system, phones, events=2000, victims=victims, chance=random.Random(20261124))


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_no_series_of_kills_loses_an_event_or_a_page(system: System, phones: Phones) -> None:
    seed = secrets.randbits(32)
    print(f"seed {seed}")  # noqa: T201 - so that a failure can be played again
    chance = random.Random(seed)
    victims = [chance.choice(VICTIMS) for _ in range(30)]
    await _story(system, phones, events=12_000, victims=victims, chance=chance)


async def _story(
    system: System, phones: Phones, *, events: int, victims: list[str], chance: random.Random
) -> None:
    """Send, kill and count. The moments are told by how much was accepted and has rung."""
    moments = sorted(chance.sample(range(events // 10, int(events * 1.7)), len(victims)))
    process = _Process(system)
    await process.start()
    senders = Senders(lambda: process.url)
    async with asyncio.TaskGroup() as group:
        group.create_task(senders.send([f"key-{number}" for number in range(events)]))
        for moment, victim in zip(moments, victims, strict=True):
            await _moment(senders, phones, moment)
            await asyncio.sleep(chance.uniform(0, 0.1))
            await process.kill(victim)
    await until_quiet(system)
    assert senders.refused == []
    assert len(senders.accepted) == events
    await nothing_accepted_is_lost(system, senders)
    await every_alert_was_paged(system, phones, senders)
    await none_twice_without_the_mark(system, phones)


async def _moment(senders: Senders, phones: Phones, moment: int) -> None:
    await until(lambda: len(senders.accepted) + phones.told >= moment, within=120)


class _Process:
    """The serve of this installation, started again whenever it was killed."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.url = "http://127.0.0.1:1"

    async def start(self) -> None:
        self._serve = self._system.serve()
        self.url = await self._serve.ready()

    async def kill(self, victim: str) -> None:
        if victim != "serve":
            self._system.kill_postmaster()
        if victim != "postmaster":
            self._serve.kill()
            await self.start()
