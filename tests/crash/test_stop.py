"""A clean stop under load: within 10 s, and nothing that was accepted is lost (I1)."""

import asyncio
import sys

import aiohttp
import pytest

from tests.crash.phones import Phones, until
from tests.crash.senders import Senders
from tests.crash.systems import System, nobody_works_in
from tests.crash.verdicts import (
    every_alert_was_paged,
    none_twice_without_the_mark,
    nothing_accepted_is_lost,
    until_quiet,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the helpers read /proc")

KEYS = [f"key-{number}" for number in range(800)]


async def test_a_stop_under_load_takes_under_10_s_and_loses_nothing(
    system: System, phones: Phones
) -> None:
    serve = system.serve()
    urls = [await serve.ready()]
    senders = Senders(lambda: urls[-1])
    async with asyncio.TaskGroup() as group:
        group.create_task(senders.send(KEYS))
        await until(lambda: len(senders.accepted) > 300)
        assert await serve.stop() < 10
        nobody_works_in(system.home)
        urls.append(await system.serve().ready())
    assert senders.refused == []
    await until_quiet(system, within=20)  # shorter than a lease: a clean stop leaves none behind
    await nothing_accepted_is_lost(system, senders)
    await every_alert_was_paged(system, phones, senders)
    await none_twice_without_the_mark(system, phones)
    assert max(phones.times().values()) == 1


async def test_a_stop_waits_neither_for_a_receiver_that_hangs_nor_for_an_open_stream(
    system: System, phones: Phones
) -> None:
    serve = system.serve()
    url = await serve.ready()
    token = (await asyncio.to_thread(system.run, "token", "create", "--user", "mara")).split()[-1]
    phones.answering.clear()
    await Senders(lambda: url).send(["hanging"])
    await until(lambda: len(phones.of("hanging")) == 1)
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/api/v1/live", headers=headers) as stream,
    ):
        assert stream.status == 200
        await stream.content.readany()
        assert await serve.stop() < 10
    nobody_works_in(system.home)
    phones.answering.set()
    await system.serve().ready()
    await until(lambda: len(phones.of("hanging")) == 2, within=45)
    await until_quiet(system)
    await none_twice_without_the_mark(system, phones)
