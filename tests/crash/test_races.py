"""Two `tocsin serve` on one database, asked for the same at the same moment (I2, I5)."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.crash.phones import Phones, until
from tests.crash.senders import Senders
from tests.crash.systems import BOTH, PAIRS, System, pair, pair_secret

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the helpers read /proc")


@asynccontextmanager
async def two_serves(system: System) -> AsyncGenerator[tuple[str, str]]:
    """The addresses of both."""
    first, second = system.serve(), system.serve()
    yield await first.ready(), await second.ready()


async def test_200_posts_of_one_key_at_once_make_one_open_alert(
    system: System, phones: Phones
) -> None:
    async with two_serves(system) as urls:
        sides = [Senders(partial(str, url)) for url in urls]
        async with asyncio.TaskGroup() as group:
            for side in sides:
                group.create_task(side.send(["boiler"] * 100, at_once=100))
        accepted = sum(side.accepted["boiler"] for side in sides)
        found = await system.rows("SELECT status, seen_count FROM alert")
        assert [(row["status"], row["seen_count"]) for row in found] == [("open", accepted)]
        assert [side.refused for side in sides] == [[], []]
        await until(lambda: len(phones.of("boiler")) == 1)


async def test_of_two_replies_at_once_one_owns_and_the_other_is_told_who_was_first(
    system: System, phones: Phones
) -> None:
    pairs = {f"key-{number}": pair(number) for number in range(PAIRS)}
    async with two_serves(system) as urls:
        async with asyncio.TaskGroup() as group:
            for number, key in enumerate(pairs):
                senders = Senders(lambda: urls[0], pair_secret(number))
                group.create_task(senders.send([key], at_once=1))
        await until(lambda: len(phones.pages) == 2 * PAIRS)
        replies = {
            (key, user): _through(urls[turn % 2], phones.of(key, user)[0].reply)
            for turn, (key, user) in enumerate((k, u) for k, users in pairs.items() for u in users)
        }
        said = await _acknowledged_at_once(replies)
    owners = await _owners(system)
    entries = await system.rows(
        "SELECT a.external_id AS key, t.by_name AS name FROM timeline t"
        " JOIN alert a ON a.id = t.alert_id WHERE t.kind = 'acknowledged'"
    )
    assert sorted((row["key"], row["name"]) for row in entries) == sorted(owners.items())
    for key, users in pairs.items():
        (loser,) = set(users) - {owners[key]}
        assert owners[key] in said[key, loser]
        assert said[key, loser] != said[key, owners[key]]


async def test_of_two_acknowledgements_by_api_at_once_exactly_one_owns_the_alert(
    system: System, phones: Phones
) -> None:
    async with two_serves(system) as urls:
        await Senders(lambda: urls[0], secret=BOTH).send(["boiler"])
        tokens = [
            (await asyncio.to_thread(system.run, "token", "create", "--user", user)).split()[-1]
            for user in ("mara", "jonas")
        ]
        async with aiohttp.ClientSession() as session:
            found = await _asked(session, "GET", f"{urls[0]}/api/v1/alerts", tokens[0])
            (alert,) = found["items"]
            answers = await asyncio.gather(
                *(
                    _asked(session, "POST", f"{url}/api/v1/alerts/{alert['id']}/acknowledge", token)
                    for url, token in zip(urls, tokens, strict=True)
                )
            )
    owners = await _owners(system)
    assert [answer["owner"] for answer in answers] == [owners["boiler"]] * 2


async def _acknowledged_at_once(
    replies: Mapping[tuple[str, str], str],
) -> dict[tuple[str, str], str]:
    """Press every reply link at the same moment; what each is told."""
    said: dict[tuple[str, str], str] = {}
    start = asyncio.Event()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def press(who: tuple[str, str], url: str) -> None:
            await start.wait()
            async with session.post(url, json={"action": "acknowledge"}) as answer:
                body = await answer.json()
                assert answer.status == 200, body
                assert body["status"] == "acknowledged"
                said[who] = body["message"]

        async with asyncio.TaskGroup() as group:
            for who, url in replies.items():
                group.create_task(press(who, url))
            start.set()
    return said


async def _asked(
    session: aiohttp.ClientSession, method: str, url: str, token: str
) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"}
    async with session.request(method, url, headers=headers) as answer:
        body: dict[str, Any] = await answer.json()
        assert answer.status == 200, body
        return body


async def _owners(system: System) -> dict[str, str]:
    """Who owns each acknowledged alert, by its external id."""
    found = await system.rows(
        "SELECT a.external_id AS key, u.name FROM alert a JOIN app_user u ON u.id = a.owner_id"
        " WHERE a.status = 'acknowledged'"
    )
    return {row["key"]: row["name"] for row in found}


def _through(url: str, link: str) -> str:
    """The same link at another process."""
    return f"{url}{urlsplit(link).path}"
