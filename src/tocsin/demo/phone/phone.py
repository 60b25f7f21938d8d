"""The simulated phone without its sockets: takes pages, waits for them, answers them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import httpx
import msgspec

from tocsin.demo.phone.rings import Action, Page, Reply, Ring
from tocsin.demo.phone.signature import why_refused

MOST_RINGS: Final = 1000
"""What is older is forgotten, so that a phone left alone over night does not grow."""

_ANSWER_WITHIN: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the phone answers to a page: an HTTP status and why."""

    code: int
    said: str


class Phone:
    """Everybody's phone in one place, told apart by the name in the address that is posted to.

    `now` gives an aware time. `signing_key` is what pages have to be signed with.
    """

    def __init__(self, now: Callable[[], datetime], signing_key: str) -> None:
        self._now = now
        self._signing_key = signing_key
        self._rings: dict[str, Ring] = {}
        self._replies: list[Reply] = []
        self._news = asyncio.Event()
        self.version = 0  # grows with every change, so that the page knows what is new

    def receive(self, user: str, headers: Mapping[str, str], body: bytes) -> Receipt:
        """Take a posted page; one that came before is accepted again and does not ring."""
        why = why_refused(headers, body, self._signing_key, self._now())
        if why is not None:
            return Receipt(401, why)
        try:
            page = msgspec.json.decode(body, type=Page)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return Receipt(400, f"this is not a page: {error}")
        if page.id != headers["webhook-id"]:
            return Receipt(400, "webhook-id is not the id of the page")
        if page.user != user:
            return Receipt(404, f"this is the phone of {user}, the page is for {page.user}")
        known = self._rings.get(page.id)
        if known is not None:
            self._rings[page.id] = replace(known, copies=known.copies + 1)
            return Receipt(200, "it rang before")
        self._rings[page.id] = Ring(self._now(), page)
        while len(self._rings) > MOST_RINGS:
            del self._rings[next(iter(self._rings))]
        self._changed()
        return Receipt(200, "it rings")

    def rung(self, user: str | None = None, alert: str | None = None) -> tuple[Ring, ...]:
        """What rang, oldest first: all, or for a person, or about an alert (its id)."""
        return tuple(
            ring
            for ring in self._rings.values()
            if user in {None, ring.page.user} and alert in {None, ring.alert_id}
        )

    @property
    def replies(self) -> tuple[Reply, ...]:
        """What was answered, oldest first."""
        return tuple(self._replies)

    def ring(self, ring_id: str) -> Ring | None:
        """The page with this id, if it rang here."""
        return self._rings.get(ring_id)

    async def wait_for(self, wanted: Callable[[Ring], bool], within: timedelta) -> Ring:
        """The first page that is wanted, one that rang already included. Raises `TimeoutError`."""
        async with asyncio.timeout(within.total_seconds()):
            while True:
                for ring in self.rung():
                    if wanted(ring):
                        return ring
                await self._news.wait()

    async def answer(self, ring: Ring, action: Action, comment: str | None = None) -> Reply:
        """Press a button: post to the page's reply link. Never raises; the reply says what came."""
        body = {"action": action} | ({} if comment is None else {"comment": comment})
        code, status, message = await _posted(ring.page.links.get("reply"), body)
        reply = Reply(self._now(), ring, action, code, status, message)
        self._replies.append(reply)
        del self._replies[:-MOST_RINGS]
        self._changed()
        return reply

    def _changed(self) -> None:
        self.version += 1
        self._news.set()
        self._news = asyncio.Event()


class _Answered(msgspec.Struct):
    """The body of an answer to a reply, or a problem document."""

    status: str | int = ""
    message: str = ""
    title: str = ""
    detail: str = ""


async def _posted(link: str | None, body: Mapping[str, str]) -> tuple[int, str, str]:
    """The HTTP status (0: none), the alert's status and the message of Tocsin's answer."""
    if link is None:
        return 0, "", "this page has no link for replies"
    try:
        # The environment's proxies are for the way out, and this stays on the machine.
        async with httpx.AsyncClient(
            trust_env=False, timeout=_ANSWER_WITHIN.total_seconds()
        ) as client:
            answer = await client.post(link, json=body)
    except httpx.HTTPError as error:
        return 0, "", f"Tocsin did not answer: {error!r}"
    try:
        said = msgspec.json.decode(answer.content, type=_Answered)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return answer.status_code, "", f"Tocsin answered {answer.status_code}"
    if answer.status_code != 200:
        return answer.status_code, "", said.detail or said.title
    return 200, str(said.status), said.message
