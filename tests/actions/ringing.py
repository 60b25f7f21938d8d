"""Channels of somebody else, and a world whose people are reached by them."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar

from tests.actions.worlds import world_at
from tests.store.scene import NOW
from tocsin.actions.deliver import Deliverer
from tocsin.actions.world import PlugIns, World
from tocsin.core.alert import Alert
from tocsin.core.effects import Effect, Notify, Purpose
from tocsin.core.kinds import Urgency
from tocsin.ports import (
    Address,
    Capabilities,
    ChannelContext,
    Failed,
    FailureKind,
    Outgoing,
    Sent,
)
from tocsin.store import alerts
from tocsin.store.db import Row, rows, run
from tocsin.testing.clock import MovableClock


class Rings:
    """Takes everything at once, and keeps it."""

    media: ClassVar[tuple[str, ...]] = ("rings",)
    capabilities: ClassVar[Capabilities] = Capabilities(machine=True)
    rang: ClassVar[list[tuple[Outgoing, Address]]] = []

    def __init__(self, context: ChannelContext) -> None:
        self.context = context

    @staticmethod
    def check_address(value: str) -> str | None:
        return None

    @staticmethod
    def check_settings(settings: Mapping[str, Any]) -> str | None:
        return None

    async def send(self, message: Outgoing, address: Address) -> Sent | Failed:
        self.rang.append((message, address))
        return Sent(provider_id=f"p-{len(self.rang)}")

    async def close(self) -> None:
        pass


class Reports(Rings):
    """Says within ten seconds whether a message was delivered."""

    capabilities: ClassVar[Capabilities] = Capabilities(
        receipts=True, delivers_within=timedelta(seconds=10)
    )


class Busy(Rings):
    """Never takes anything now; may have taken it all the same."""

    async def send(self, message: Outgoing, address: Address) -> Sent | Failed:
        return Failed(kind=FailureKind.TEMPORARY, reason="busy", maybe_applied=True)


class Gone(Rings):
    """Will never take anything."""

    async def send(self, message: Outgoing, address: Address) -> Sent | Failed:
        return Failed(kind=FailureKind.PERMANENT, reason="no such number")


@dataclass
class House:
    """The world, its deliverer, its clock."""

    world: World
    deliverer: Deliverer
    clock: MovableClock

    async def sql(self, text: str, *args: object) -> None:
        async with self.world.database.transaction() as connection:
            await run(connection, text, *args)

    async def rows(self, text: str, *args: object) -> Sequence[Row]:
        async with self.world.database.transaction() as connection:
            return await rows(connection, text, *args)

    async def save(self, alert: Alert, *effects: Effect, new: bool = True) -> Alert:
        async with self.world.database.transaction() as connection:
            saved = alerts.Saved(alert, effects, new=new)
            await alerts.save(connection, [saved], self.clock.now())
        return alert

    async def deliver(self) -> None:
        """All that is due now."""
        while await self.deliverer.launch():
            await self.deliverer.drain()

    async def after(self, seconds: float) -> None:
        """Let time pass, then deliver all that is due."""
        await self.clock.move(timedelta(seconds=seconds))
        await self.deliver()

    async def ledger(self, alert: Alert, method: int = 1) -> list[tuple[str, str | None]]:
        found = await self.rows(
            "SELECT l.state, l.detail FROM ledger l JOIN notification n"
            " ON n.team_id = l.team_id AND n.id = l.notification_id"
            " WHERE n.alert_id = $1 AND n.method_id = $2 ORDER BY l.id",
            alert.id,
            method,
        )
        return [(row["state"], row["detail"]) for row in found]

    async def states(self) -> list[tuple[int, str]]:
        """(number of the alert, state) of each notification, in the order of the numbers."""
        found = await self.rows(
            "SELECT a.number, n.state FROM notification n JOIN alert a ON a.id = n.alert_id"
            " ORDER BY a.number, n.attempt, n.method_id"
        )
        return [(row["number"], row["state"]) for row in found]


@asynccontextmanager
async def house(dsn: str) -> AsyncGenerator[House]:
    """Mara has a second contact method, 11; everybody's first is `rings`, hers second too."""
    Rings.rang.clear()
    channels = {
        "rings": lambda: Rings,
        "reports": lambda: Reports,
        "busy": lambda: Busy,
        "gone": lambda: Gone,
        "webhook": lambda: Rings,
    }
    async with world_at(dsn) as plain:
        world = replace(plain, plug_ins=PlugIns(channels=channels))
        assert isinstance(world.clock, MovableClock)
        deliverer = Deliverer(world)
        made = House(world, deliverer, world.clock)
        await made.sql("UPDATE contact_method SET channel = 'rings'")
        await made.sql(
            "INSERT INTO contact_method (id, user_id, name, channel, address)"
            " VALUES (11, 1, 'pager', 'rings', 'mara')"
        )
        try:
            yield made
        finally:
            await deliverer.close()


def a_page(
    method: int = 1,
    seconds: float = 0,
    *,
    user: int = 1,
    repeat: float | None = None,
    purpose: Purpose = Purpose.ESCALATION,
) -> Notify:
    """A page to Mara's phone, due so long after `NOW`."""
    again = None if repeat is None else timedelta(seconds=repeat)
    due = NOW + timedelta(seconds=seconds)
    return Notify(user, method, due, purpose, Urgency.URGENT, again)
