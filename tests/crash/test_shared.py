"""Two `tocsin serve` that share one private PostgreSQL, and commands beside them."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.crash.phones import Phones, until
from tests.crash.senders import Senders
from tests.crash.systems import Serve, System, configuration, nobody_works_in
from tests.crash.verdicts import (
    every_alert_was_paged,
    none_twice_without_the_mark,
    nothing_accepted_is_lost,
    until_quiet,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the helpers read /proc")


@dataclass
class Pair:
    """Two processes; the first supervises PostgreSQL."""

    system: System
    first: Serve
    second: Serve

    async def works(self, serve: Serve, phones: Phones, key: str) -> None:
        """An event posted to this process is accepted and rings, as soon as PostgreSQL is back."""
        url = await serve.ready()
        await Senders(lambda: url).send([key], at_once=1)
        await until(lambda: len(phones.of(key)) > 0)

    def supervisor(self) -> int:
        """The number of the process that holds the lock of the supervisor, 0 while none does."""
        lock = (self.system.home / "postgres" / "supervisor.lock").stat()
        held = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
        return next((int(words[4]) for words in held if words[5].endswith(f":{lock.st_ino}")), 0)


@asynccontextmanager
async def opened_pair(
    system: System, *, first: tuple[str, ...] = (), second: tuple[str, ...] = ()
) -> AsyncGenerator[Pair]:
    """Both are ready."""
    one = system.serve(*first)
    await one.ready()
    other = system.serve(*second)
    await other.ready()
    pair = Pair(system, one, other)
    assert pair.supervisor() == one.process.pid
    yield pair


async def test_killing_the_supervising_serve_leaves_the_other_working(
    system: System, phones: Phones
) -> None:
    async with opened_pair(system) as pair:
        await pair.works(pair.second, phones, "before")
        server = system.postmaster
        pair.first.kill()
        await pair.works(pair.second, phones, "after")
        await until(lambda: pair.supervisor() == pair.second.process.pid, within=5)
        assert system.postmaster == server
        os.kill(server, signal.SIGKILL)
        await pair.works(pair.second, phones, "after the postmaster too")
        assert await pair.second.stop() < 10
        nobody_works_in(system.home)


async def test_killing_the_postmaster_leaves_both_serves_working(
    system: System, phones: Phones
) -> None:
    async with opened_pair(system) as pair:
        os.kill(system.postmaster, signal.SIGKILL)
        await pair.works(pair.second, phones, "second")
        await pair.works(pair.first, phones, "first")
        assert pair.supervisor() == pair.first.process.pid


async def test_stopping_the_supervising_serve_leaves_the_other_working(
    system: System, phones: Phones
) -> None:
    async with opened_pair(system) as pair:
        server = system.postmaster
        assert await pair.first.stop() < 10
        await pair.works(pair.second, phones, "after")
        assert system.postmaster == server
        await until(lambda: pair.supervisor() == pair.second.process.pid, within=5)
        os.kill(server, signal.SIGKILL)
        await pair.works(pair.second, phones, "after the postmaster too")


async def test_stopping_the_other_serve_leaves_the_supervising_one_working(
    system: System, phones: Phones
) -> None:
    async with opened_pair(system) as pair:
        server = system.postmaster
        assert await pair.second.stop() < 10
        await pair.works(pair.first, phones, "after")
        assert system.postmaster == server


async def test_what_a_serve_without_worker_accepts_is_paged_by_one_without_web(
    system: System, phones: Phones
) -> None:
    async with opened_pair(system, first=("--no-web",), second=("--no-worker",)) as pair:
        url = await pair.second.ready()
        senders = Senders(lambda: url)
        await senders.send(["before"], at_once=1)
        await until(lambda: len(phones.of("before")) == 1)
        pair.first.kill()
        await senders.send(["while nobody pages"], at_once=1)
        await asyncio.sleep(1)
        assert phones.of("while nobody pages") == []
        await system.serve("--no-web").ready()
        await until(lambda: len(phones.of("while nobody pages")) == 1)


async def test_apply_finds_and_uses_the_database_of_a_running_serve(
    system: System, phones: Phones
) -> None:
    serve = system.serve()
    url = await serve.ready()
    server = system.postmaster
    file = system.home.with_name("more.yaml")
    file.write_text(configuration(phones.port) + ADDED)
    said = await asyncio.to_thread(system.run, "apply", "-f", str(file))
    assert "create: integration soc/added" in said
    assert system.postmaster == server
    assert len(list(system.home.glob("pg*"))) == 1
    senders = Senders(lambda: url, secret="added-secret-0001")
    assert await senders.once("after") == 201
    await until(lambda: len(phones.of("after")) == 1)


ADDED = '      added: {inlet: signl4, secret: "added-secret-0001"}\n'


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_a_frozen_serve_holds_up_nothing_for_long_and_does_no_harm_when_it_goes_on(
    system: System, phones: Phones
) -> None:
    async with opened_pair(system) as pair:
        urls = [await pair.first.ready(), await pair.second.ready()]
        senders = Senders(lambda: urls[-1])
        frozen = asyncio.create_task(Senders(lambda: urls[0]).send([f"f {n}" for n in range(600)]))
        await until(lambda: phones.told > 50)
        os.kill(pair.first.process.pid, signal.SIGSTOP)
        await senders.send([f"key-{number}" for number in range(500)])
        await until_quiet(system, within=90)
        await every_alert_was_paged(system, phones, senders)
        os.kill(pair.first.process.pid, signal.SIGCONT)
        await frozen
        await until_quiet(system, within=60)
    await nothing_accepted_is_lost(system, senders)
    await every_alert_was_paged(system, phones, senders)
    await none_twice_without_the_mark(system, phones)
