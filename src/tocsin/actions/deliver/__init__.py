"""Keep one promise to a person: hand the message over, write down what became of it."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog

from tocsin.actions.deliver.claiming import Ready, claim
from tocsin.actions.deliver.reaching import Channels
from tocsin.actions.world import World
from tocsin.core.notification import State, repeat_at, retry_at
from tocsin.ports import Failed, FailureKind, Sent
from tocsin.store.outbox import PAGE_LEASE, Settled, settle_pages

log = structlog.get_logger()

IN_FLIGHT = 200
"""Messages handed to providers at the same time by one process."""

_PATIENCE = PAGE_LEASE - timedelta(seconds=5)
"""A channel that hangs is given up before somebody else may claim the page."""


class Deliverer:
    """Claims pages while there is room, sends them side by side, settles them in groups."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._channels = Channels(world)
        self._flying: set[asyncio.Task[None]] = set()
        self._landed: list[Settled] = []
        self._landing = asyncio.Event()
        self._room = asyncio.Event()

    async def launch(self) -> int:
        """Claim what is due, as much as there is room for, and start sending; returns how many."""
        room = IN_FLIGHT - len(self._flying)
        if room <= 0:
            self._room.clear()
            await self._room.wait()
            return 1
        ready, claimed = await claim(self._world, self._channels, min(room, 100))
        for item in ready:
            task = asyncio.create_task(self._fly(item))
            self._flying.add(task)
            task.add_done_callback(self._flying.discard)
        return claimed

    async def settle_forever(self) -> None:
        """Write down what became of sent pages, all that came in during the last write at once."""
        while True:
            await self._landing.wait()
            self._landing.clear()
            landed, self._landed = self._landed, []
            try:
                await self._settle(landed)
            except Exception:
                # Not written: kept and tried again. Should this process die, the leases run out
                # and the pages go out once more, marked as possible duplicates.
                self._landed = [*landed, *self._landed]
                self._landing.set()
                log.exception("pages sent and not yet written down", pages=len(landed))
                await self._world.clock.sleep(timedelta(seconds=1))

    async def drain(self) -> None:
        """Wait for what is in the air, as long as a provider may take, and write it down."""
        if self._flying:
            await asyncio.wait(set(self._flying), timeout=_PATIENCE.total_seconds())
        if self._landed:
            landed, self._landed = self._landed, []
            await self._settle(landed)

    async def close(self) -> None:
        """Write down what lands within 5 s, and let go of connections.

        What is still in the air then goes out once more when its lease has run out.
        """
        if self._flying:
            await asyncio.wait(set(self._flying), timeout=5)
        for task in set(self._flying):
            task.cancel()
        await self.drain()
        await self._channels.close()

    async def _fly(self, ready: Ready) -> None:
        settled = await self._sent(ready)
        self._landed.append(settled)
        self._landing.set()
        self._room.set()

    async def _sent(self, ready: Ready) -> Settled:
        try:
            async with asyncio.timeout(_PATIENCE.total_seconds()):
                outcome = await ready.channel.send(ready.message, ready.address)
        except TimeoutError:
            reason = "the provider did not answer in time"
            outcome = Failed(kind=FailureKind.TEMPORARY, reason=reason, maybe_applied=True)
        except Exception as fault:
            # A channel must not raise; one that does is a fault of ours, and the page stays due.
            log.exception("channel raised", channel=type(ready.channel).__name__)
            outcome = Failed(kind=FailureKind.TEMPORARY, reason=f"fault in the channel: {fault!r}")
        return self._outcome(ready, outcome)

    def _outcome(self, ready: Ready, outcome: Sent | Failed) -> Settled:
        due, now = ready.due, self._world.clock.now()
        if isinstance(outcome, Sent):
            return Settled(
                due=due,
                state=State.SENT,
                detail=outcome.detail,
                provider_id=outcome.provider_id,
                repeat_at=repeat_at(due.repeat_every, due.promise.purpose, now),
            )
        log.warning(
            "page failed",
            notification=ready.message.id,
            method=ready.message.contact_method,
            kind=outcome.kind.value,
            reason=outcome.reason,
        )
        if outcome.kind is FailureKind.PERMANENT:
            repeat = repeat_at(due.repeat_every, due.promise.purpose, now)
            return Settled(due=due, state=State.FAILED, detail=outcome.reason, repeat_at=repeat)
        again = retry_at(due.tries, outcome.retry_after, now)
        return Settled(
            due=due,
            state=State.PLANNED,
            detail=outcome.reason,
            again_at=again,
            maybe_sent=outcome.maybe_applied,
        )

    async def _settle(self, landed: Sequence[Settled]) -> None:
        now = self._world.clock.now()
        async with self._world.worker_database.transaction() as connection:
            lost = await settle_pages(connection, landed, now)
        for due in lost:
            log.warning("lease lost; its new holder settles the page", notification=str(due.id))
