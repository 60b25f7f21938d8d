"""Keep one promise to a person: hand the message over, write down what became of it."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError

from tocsin.actions.deliver.claiming import claim
from tocsin.actions.deliver.composing import Ready
from tocsin.actions.deliver.knowing import unusable
from tocsin.actions.deliver.reaching import Channels
from tocsin.actions.deliver.receipts import late_receipts, reported
from tocsin.actions.deliver.storms import storms_over
from tocsin.actions.world import World
from tocsin.core.effects import Purpose
from tocsin.core.notification import State, repeat_at, retry_at
from tocsin.core.storable import line
from tocsin.ports import Failed, FailureKind, Sent
from tocsin.store.db import passes
from tocsin.store.outbox import PAGE_LEASE, Full, Settled, settle_pages

__all__ = ["Channels", "Deliverer", "late_receipts", "reported", "storms_over", "unusable"]

log = structlog.get_logger()

IN_FLIGHT = 200
"""Messages handed to providers at the same time by one process."""

PER_METHOD = 32
PER_MEDIUM = 150
"""… to one contact method, and through one channel: one that hangs leaves room for the others."""

_BATCH = 50
"""Pages claimed at a time."""

_MARGIN = timedelta(seconds=5)
"""A channel that hangs is given up so long before somebody else may claim the page."""

_LANDING = timedelta(seconds=3)
"""How long a process that stops waits for providers to answer."""

_TURN = timedelta(seconds=1)
"""How long a full process waits for room before it says that it is alive."""

_LONGEST = 1000
"""Characters of a provider's words that are kept."""


class Deliverer:
    """Claims pages while there is room, sends them side by side, settles them in groups.

    `roomy_again` is told when there is room where there was none.
    """

    def __init__(self, world: World, roomy_again: Callable[[], None] = lambda: None) -> None:
        self._world = world
        self._roomy_again = roomy_again
        self._channels = Channels(world)
        self._flying: dict[asyncio.Task[None], Ready] = {}
        self._landed: list[Settled] = []
        self._landing = asyncio.Event()
        self._room = asyncio.Event()
        self._behind = False
        self._crowded = False

    @property
    def behind(self) -> bool:
        """Whether something was sent that the database did not take down yet."""
        return self._behind

    async def launch(self) -> int:
        """Claim what is due, as much as there is room for, and start sending; returns how many."""
        if self._behind:
            # The database came back and what was sent before is not written down yet: leases
            # that ran out meanwhile would have it sent again.
            return 0
        room = IN_FLIGHT - len(self._flying)
        if room <= 0:
            self._room.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TURN.total_seconds()):
                    await self._room.wait()
            return 1
        # Whoever stops us meanwhile waits: a page claimed and not started would lie until its
        # lease runs out.
        starting = asyncio.ensure_future(self._start(min(room, _BATCH, self._fitting())))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            await asyncio.wait([starting], timeout=1)
            starting.cancel()
            raise

    async def settle_forever(self) -> None:
        """Write down what became of sent pages, all that came in during the last write at once."""
        while True:
            await self._landing.wait()
            self._landing.clear()
            landed, self._landed = self._landed, []
            try:
                await self._settle(landed)
                self._behind = False
            except asyncio.CancelledError:
                self._landed = [*landed, *self._landed]  # for `close`
                raise
            except Exception:
                # Not written: kept and tried again. Should this process die, the leases run out
                # and the pages go out once more, marked as possible duplicates.
                log.exception("pages sent and not yet written down", pages=len(landed))
                self._behind = True
                self._landed = [*await self._one_by_one(landed), *self._landed]
                self._behind = bool(self._landed)
                self._landing.set()
                await self._world.clock.sleep(timedelta(seconds=1))

    async def drain(self) -> None:
        """Wait for what is in the air, as long as a provider may take, and write it down."""
        if self._flying:
            await asyncio.wait(set(self._flying), timeout=PAGE_LEASE.total_seconds())
        if self._landed:
            landed, self._landed = self._landed, []
            await self._settle(landed)

    async def close(self) -> None:
        """Write down what lands within 3 s, and let go of connections.

        What is still in the air then goes out once more, marked, from whoever claims it next.
        """
        if self._flying:
            await asyncio.wait(set(self._flying), timeout=_LANDING.total_seconds())
        for task in set(self._flying):
            task.cancel()
        await self.drain()
        await self._channels.close()

    async def _start(self, most: int) -> int:
        full = self._full()
        ready, claimed = await claim(self._world, self._channels, most, full)
        self._crowded = not claimed and full != Full()
        for item in ready:
            task = asyncio.create_task(self._fly(item))
            self._flying[task] = item
            task.add_done_callback(self._down)
        return claimed

    def _down(self, task: asyncio.Task[None]) -> None:
        item = self._flying.pop(task)
        self._room.set()
        if self._crowded and self._roomy(item):
            self._crowded = False
            self._roomy_again()  # what was left alone may be due, and the loop waits

    def _roomy(self, item: Ready) -> bool:
        """Whether there is room for a good part of a batch beside what goes where `item` went."""
        method, flying = item.due.promise.method, self._flying.values()
        beside = sum(one.medium == item.medium for one in flying)
        same = sum(one.due.promise.method == method for one in flying)
        return beside <= PER_MEDIUM - _BATCH and same <= PER_METHOD // 2

    def _fitting(self) -> int:
        """How many pages may be claimed so that no medium gets more than its share."""
        media = Counter(item.medium for item in self._flying.values())
        return PER_MEDIUM - max((n for n in media.values() if n < PER_MEDIUM), default=0)

    def _full(self) -> Full:
        flying = [item.due.promise.method for item in self._flying.values()]
        methods = Counter(method for method in flying if method is not None)
        media = Counter(item.medium for item in self._flying.values())
        return Full(
            methods=tuple(method for method, count in methods.items() if count >= PER_METHOD),
            media=tuple(medium for medium, count in media.items() if count >= PER_MEDIUM),
        )

    async def _fly(self, ready: Ready) -> None:
        try:
            settled = await self._sent(ready)
        except asyncio.CancelledError:  # this process stops: the next one tries again at once
            reason = "stopped before the provider had answered"
            outcome = Failed(kind=FailureKind.TEMPORARY, reason=reason, maybe_applied=True)
            settled = replace(
                self._outcome(ready, outcome), again_at=self._world.clock.now(), failed=None
            )
        self._landed += ready.all(settled, self._world.clock.now())
        self._landing.set()

    async def _sent(self, ready: Ready) -> Settled:
        now = self._world.clock.now()
        left = ready.lease_until - now - _MARGIN
        if left <= timedelta(0):  # this process was frozen: somebody else may have claimed it
            return Settled(due=ready.due, state=State.PLANNED, detail="not sent", again_at=now)
        try:
            async with asyncio.timeout(left.total_seconds()):
                outcome = await ready.channel.send(ready.message, ready.address)
        except TimeoutError:
            reason = "the provider did not answer in time"
            outcome = Failed(kind=FailureKind.TEMPORARY, reason=reason, maybe_applied=True)
        except Exception as fault:
            # A channel must not raise; one that does is a fault of ours, and the page stays due.
            log.exception("channel raised", channel=type(ready.channel).__name__)
            reason = f"fault in the channel: {type(fault).__name__}"
            outcome = Failed(kind=FailureKind.TEMPORARY, reason=reason, maybe_applied=True)
        return self._outcome(ready, outcome)

    def _outcome(self, ready: Ready, outcome: Sent | Failed) -> Settled:
        due, now = ready.due, self._world.clock.now()
        if isinstance(outcome, Sent):
            return Settled(
                due=due,
                state=State.SENT,
                detail=_storable(outcome.detail),
                provider_id=_storable(outcome.provider_id),
                receipt_by=_receipt_by(ready, now),
                repeat_at=repeat_at(due.repeat_every, due.promise.purpose, now),
            )
        reason = line(outcome.reason, _LONGEST)
        log.warning(
            "page failed",
            notification=ready.message.id,
            method=ready.message.contact_method,
            kind=outcome.kind.value,
            reason=reason,
        )
        failed = ready.message.contact_method
        if outcome.kind is FailureKind.PERMANENT:
            repeat = repeat_at(due.repeat_every, due.promise.purpose, now)
            return Settled(
                due=due, state=State.FAILED, detail=reason, repeat_at=repeat, failed=failed
            )
        again = retry_at(due.tries, outcome.retry_after, now)
        return Settled(
            due=due,
            state=State.PLANNED,
            detail=reason,
            again_at=again,
            maybe_sent=outcome.maybe_applied,
            failed=failed,
        )

    async def _one_by_one(self, landed: Sequence[Settled]) -> list[Settled]:
        """Write each by itself, so that one the database refuses holds up no other.

        Returns what is still to be written. What is refused even without its words is left: its
        lease runs out, and it goes out once more, marked.
        """
        left: list[Settled] = []
        for one in landed:
            try:
                await self._settle([one])
            except DBAPIError as fault:
                if passes(fault):
                    left.append(one)
                elif one.detail is not None or one.provider_id is not None:
                    left.append(replace(one, detail=None, provider_id=None))
                else:
                    log.exception("a page cannot be written down", notification=str(one.due.id))
            except Exception:  # noqa: BLE001 - the database is away; the caller has logged it
                left.append(one)
        return left

    async def _settle(self, landed: Sequence[Settled]) -> None:
        now = self._world.clock.now()
        async with self._world.worker_database.transaction() as connection:
            lost = await settle_pages(connection, landed, now)
        for due in lost:
            log.warning("lease lost; its new holder settles the page", notification=str(due.id))


def _receipt_by(ready: Ready, now: datetime) -> datetime | None:
    """When delivery should be reported, where a channel does that and something would follow."""
    within = ready.channel.capabilities.delivers_within
    pages = ready.due.promise.purpose in {Purpose.ESCALATION, Purpose.RESPONDER}
    return now + within if within is not None and pages else None


def _storable(words: str | None) -> str | None:
    """What a provider said: one text that the database refuses would hold up all others."""
    return None if words is None else line(words, _LONGEST)
