"""Keeping promises to people: one page that cannot be made or sent holds up no other."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, ClassVar

from tests.actions.worlds import world_at
from tests.store.scene import NOW, an_alert
from tocsin.actions.deliver import PER_METHOD, Deliverer
from tocsin.actions.world import PlugIns, World
from tocsin.core.effects import Notify, Purpose
from tocsin.core.kinds import Urgency
from tocsin.ports import Address, Capabilities, Channel, ChannelContext, Failed, Outgoing, Sent
from tocsin.store import alerts
from tocsin.store.db import rows, run


class Quick:
    """A channel of somebody else: takes everything at once."""

    media: ClassVar[tuple[str, ...]] = ("quick",)
    capabilities: ClassVar[Capabilities] = Capabilities()
    sent: ClassVar[list[str]] = []

    def __init__(self, context: ChannelContext) -> None:
        self.context = context

    @staticmethod
    def check_address(value: str) -> str | None:
        return None

    @staticmethod
    def check_settings(settings: Mapping[str, Any]) -> str | None:
        return None

    async def send(self, message: Outgoing, address: Address) -> Sent | Failed:
        self.sent.append(message.user)
        return Sent()

    async def close(self) -> None:
        pass


class Hanging(Quick):
    """A channel whose provider never answers."""

    async def send(self, message: Outgoing, address: Address) -> Sent | Failed:
        await asyncio.Event().wait()
        return Sent()


class Raising(Quick):
    """A channel that breaks its promise not to raise, with a secret in its words."""

    async def send(self, message: Outgoing, address: Address) -> Sent | Failed:
        raise ValueError("https://user:hunter2@provider.example")


def unloadable() -> type[Channel]:
    raise ImportError("a library is missing")


@asynccontextmanager
async def stage(dsn: str) -> AsyncGenerator[tuple[World, Deliverer]]:
    """Mara is reached by one channel, jonas by another, ada by a third."""
    Quick.sent.clear()
    channels = {
        "quick": lambda: Quick,
        "hanging": lambda: Hanging,
        "raising": lambda: Raising,
        "unloadable": unloadable,
    }
    async with world_at(dsn) as plain:
        world = replace(plain, plug_ins=PlugIns(channels=channels))
        deliverer = Deliverer(world)
        try:
            yield world, deliverer
        finally:
            await deliverer.close()


async def reach(world: World, user: int, channel: str) -> None:
    async with world.database.transaction() as connection:
        await run(
            connection, "UPDATE contact_method SET channel = $2 WHERE user_id = $1", user, channel
        )


async def promise(world: World, user: int, count: int = 1, purpose: Purpose | None = None) -> None:
    page = Notify(user, user, NOW, purpose or Purpose.ESCALATION, Urgency.URGENT)
    saved = [alerts.Saved(an_alert(number=n), (page,), new=True) for n in range(count)]
    async with world.database.transaction() as connection:
        await alerts.save(connection, saved, NOW)


async def states(world: World) -> dict[int, tuple[str, str | None]]:
    async with world.database.transaction() as connection:
        found = await rows(connection, "SELECT user_id, state, detail FROM notification")
    return {row["user_id"]: (row["state"], row["detail"]) for row in found}


async def test_a_channel_that_cannot_be_loaded_holds_up_no_other(database: str) -> None:
    async with stage(database) as (world, deliverer):
        await reach(world, 1, "unloadable")
        await reach(world, 2, "quick")
        await promise(world, 1)
        await promise(world, 2)
        assert await deliverer.launch() == 2
        await deliverer.drain()
        assert Quick.sent == ["jonas"]
        found = await states(world)
        assert found[2][0] == "sent"
        assert found[1] == ("planned", "the message cannot be made: ImportError")


async def test_a_channel_that_raises_tells_only_the_kind_of_its_fault(database: str) -> None:
    async with stage(database) as (world, deliverer):
        await reach(world, 1, "raising")
        await promise(world, 1)
        await deliverer.launch()
        await deliverer.drain()
        assert (await states(world))[1] == ("planned", "fault in the channel: ValueError")
        async with world.database.transaction() as connection:
            (row,) = await rows(connection, "SELECT possible_duplicate FROM notification")
        assert row["possible_duplicate"], "the provider may have taken it"


async def test_a_page_of_a_team_that_was_removed_is_cancelled(database: str) -> None:
    async with stage(database) as (world, deliverer):
        await reach(world, 1, "quick")
        await promise(world, 1)
        async with world.database.transaction() as connection:
            await run(connection, "DELETE FROM team WHERE id = 1")
        await deliverer.launch()
        await deliverer.drain()
        assert Quick.sent == []
        assert (await states(world))[1] == ("cancelled", "the alert or its team is gone")


async def test_a_provider_that_hangs_leaves_room_for_the_others(database: str) -> None:
    async with stage(database) as (world, deliverer):
        await reach(world, 1, "hanging")
        await reach(world, 2, "quick")
        await promise(world, 1, count=PER_METHOD + 200)
        await promise(world, 2)
        for _ in range(8):
            if not await deliverer.launch():
                break
        async with asyncio.timeout(5):
            while not Quick.sent:  # noqa: ASYNC110 - the channel says it by this list alone
                await asyncio.sleep(0.01)
        assert Quick.sent == ["jonas"]
