"""What senders and people do meanwhile: events at a steady rate, some ended, some answered."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlsplit

import aiohttp

from tests.crash.phones import Page, Phones
from tests.crash.plants import BUSY, PEOPLE, kind, person, secret
from tests.crash.senders import Senders

_AT_ONCE = 200
"""Events under way at the same time; more wait, as at a sender that takes one after the other."""

_WITHIN = 8.0
"""Seconds that a sender waits for an answer before it sends the event again."""


def _none() -> list[Senders]:
    return []


@dataclass
class Load:
    """Raises alerts for everybody in turn, and answers pages. `url` names the web process."""

    url: Callable[[], str]
    phones: Phones
    chance: Random
    rate: float
    answered: int = 0
    raising: list[Senders] = field(default_factory=_none)
    closing: list[Senders] = field(default_factory=_none)
    _last: bool = False

    def __post_init__(self) -> None:
        """One sender for each person, and one that says that it is over."""
        numbers = range(PEOPLE)
        self.raising = [Senders(self.url, secret(n)) for n in numbers]
        self.closing = [Senders(self.url, secret(n), "resolved") for n in numbers]

    async def send(self, enough: asyncio.Event) -> None:
        """Send until it is enough; returns when all that was sent was taken."""
        room = asyncio.Semaphore(_AT_ONCE)
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            asyncio.TaskGroup() as group,
        ):
            for number in itertools.count():
                if enough.is_set():
                    return
                whose = self.chance.randrange(self.chance.choice((BUSY, PEOPLE)))
                over = kind(whose) == "later" and self.chance.random() < 0.5
                await room.acquire()
                group.create_task(self._one(session, f"event-{number}", whose, room, over=over))
                await asyncio.sleep(self.chance.expovariate(self.rate))

    async def answer(self) -> None:
        """Answer some pages, and by and by all that repeat; until cancelled."""
        seen = 0
        async with aiohttp.ClientSession() as session:
            while True:
                fresh = self.phones.after(seen)
                seen += len(fresh)
                for page in fresh:
                    if page.reply and page.kind == "alert" and self._answers(page):
                        await self._acknowledge(session, page)
                await asyncio.sleep(0.2)

    def end(self) -> None:
        """From now on every page that repeats is answered."""
        self._last = True

    def accepted(self) -> Counter[str]:
        """How often the event of each key was answered 2xx."""
        return sum((sender.accepted for sender in self.raising), Counter[str]())

    def tries(self) -> Counter[str]:
        """How often the event of each key was posted."""
        return sum((sender.tries for sender in self.raising), Counter[str]())

    def over(self) -> Counter[str]:
        """How often it was said of each key, and answered 2xx, that it is over."""
        return sum((sender.accepted for sender in self.closing), Counter[str]())

    def refused(self) -> list[str]:
        """Answers other than 2xx and 503, which should not exist."""
        return [said for sender in (*self.raising, *self.closing) for said in sender.refused]

    async def _one(
        self,
        session: aiohttp.ClientSession,
        key: str,
        whose: int,
        room: asyncio.Semaphore,
        *,
        over: bool,
    ) -> None:
        try:
            await self.raising[whose].until_accepted(session, key, _WITHIN)
            if over:
                await self.closing[whose].until_accepted(session, key, _WITHIN)
        finally:
            room.release()

    def _answers(self, page: Page) -> bool:
        if page.user in _REPEATING:
            return self._last or self.chance.random() < 0.5
        return self.chance.random() < 0.1

    async def _acknowledge(self, session: aiohttp.ClientSession, page: Page) -> None:
        """Once: who gets no answer is reminded by the next page, or lets it be."""
        url = self.url() + urlsplit(page.reply).path
        try:
            async with session.post(
                url, json={"action": "acknowledge"}, timeout=aiohttp.ClientTimeout(total=_WITHIN)
            ) as answer:
                self.answered += answer.status == 200
        except (aiohttp.ClientError, OSError, TimeoutError):
            pass


_REPEATING = frozenset(person(number) for number in range(PEOPLE) if kind(number) == "again")
