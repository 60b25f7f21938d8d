"""Senders that come again until they are told that their event was taken."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import aiohttp

from tests.crash.systems import PLANT


@dataclass
class Senders:
    """Posts one event for each key. `url` names the process that is there to take it just now.

    An event that got no answer is sent again with the same key. `refused` holds the answers
    other than 2xx and 503, which should not exist.
    """

    url: Callable[[], str]
    secret: str = PLANT
    status: str = "new"
    tries: Counter[str] = field(default_factory=Counter[str])
    accepted: Counter[str] = field(default_factory=Counter[str])
    refused: list[str] = field(default_factory=list[str])
    unavailable: list[str] = field(default_factory=list[str])
    unanswered: int = 0

    async def send(self, keys: Sequence[str], *, at_once: int = 24) -> None:
        """Send all of them, `at_once` side by side; returns when each was accepted."""
        waiting = iter(keys)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

            async def one_after_the_other() -> None:
                for key in waiting:
                    await self.until_accepted(session, key)

            async with asyncio.TaskGroup() as group:
                for _ in range(at_once):
                    group.create_task(one_after_the_other())

    async def once(self, key: str, within: float = 20) -> int:
        """Send one event once; returns the status, 0 for no answer."""
        async with aiohttp.ClientSession() as session:
            return await self._post(session, key, within)

    async def until_accepted(
        self, session: aiohttp.ClientSession, key: str, within: float = 20
    ) -> None:
        """Post the event of this key until it is taken, waiting `within` for each answer."""
        for again in itertools.count():
            status = await self._post(session, key, within)
            if 200 <= status < 300:
                return
            await asyncio.sleep(min(0.02 * 2 ** min(again, 4), 0.3))

    async def _post(self, session: aiohttp.ClientSession, key: str, within: float = 20) -> int:
        body = {"Title": f"Boiler {key}", "X-S4-ExternalID": key, "X-S4-Status": self.status}
        self.tries[key] += 1
        try:
            async with session.post(
                f"{self.url()}/webhook/{self.secret}",
                json=body,
                timeout=aiohttp.ClientTimeout(total=within),
            ) as answer:
                text = await answer.text()
        except (aiohttp.ClientError, OSError, TimeoutError):
            self.unanswered += 1
            return 0
        if 200 <= answer.status < 300:
            self.accepted[key] += 1
        elif answer.status == 503:
            self.unavailable.append(text)
        else:
            self.refused.append(f"{answer.status} {text}")
        return answer.status


def no_trace(answers: Sequence[str]) -> bool:
    """Whether no answer shows the inside of the program."""
    return not any(
        sign in answer
        for answer in answers
        for sign in ("Traceback", ".py", "asyncpg", "sqlalchemy")
    )
