"""Phones and pagers that do what a test tells them, and remember each time they rang."""

import asyncio
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar

from tocsin.ports import (
    Address,
    Capabilities,
    ChannelContext,
    Failed,
    FailureKind,
    Outgoing,
    Sent,
)

FROZEN: ContextVar[asyncio.Event | None] = ContextVar("FROZEN", default=None)
"""Set for a process that is paused while it sends: it goes on when the event is set."""


class Mood(StrEnum):
    """How a handset takes a message."""

    TAKES = "takes"  # it rings
    BUSY = "busy"  # not now
    DEAF = "deaf"  # not now, and nobody knows whether it rang; it did not
    SHY = "shy"  # not now, and nobody knows whether it rang; it did
    GONE = "gone"  # never
    ODD = "odd"  # the channel has a fault


@dataclass
class Exchange:
    """The mood of each address or of all, and what rang: how often for each notification."""

    moods: dict[str, Mood] = field(default_factory=dict[str, Mood])
    rung: dict[str, int] = field(default_factory=dict[str, int])
    mood: Mood | None = None

    def ring(self, message: Outgoing) -> None:
        self.rung[message.id] = self.rung.get(message.id, 0) + 1

    def take(self, message: Outgoing, address: str) -> Sent | Failed:
        mood = self.mood or self.moods.get(address, Mood.TAKES)
        if mood in {Mood.TAKES, Mood.SHY}:
            self.ring(message)
        match mood:
            case Mood.TAKES:
                return Sent(provider_id=message.id)
            case Mood.BUSY:
                return Failed(kind=FailureKind.TEMPORARY, reason="busy")
            case Mood.DEAF | Mood.SHY:
                return Failed(kind=FailureKind.TEMPORARY, reason="silence", maybe_applied=True)
            case Mood.GONE:
                return Failed(kind=FailureKind.PERMANENT, reason="no such number")
            case Mood.ODD:
                raise ValueError("a fault of the channel")


class Handset:
    """Never reports what became of a message."""

    media: ClassVar[tuple[str, ...]] = ("handset",)
    capabilities: ClassVar[Capabilities] = Capabilities(machine=True)
    exchange: ClassVar[Exchange] = Exchange()

    def __init__(self, context: ChannelContext) -> None:
        self.context = context

    @staticmethod
    def check_address(value: str) -> str | None:
        return None

    @staticmethod
    def check_settings(settings: Mapping[str, Any]) -> str | None:
        return None

    async def send(self, message: Outgoing, address: Address) -> Sent | Failed:
        frozen = FROZEN.get()
        if frozen is not None:
            await frozen.wait()
        await asyncio.sleep(0)
        return self.exchange.take(message, address.value)

    async def close(self) -> None:
        pass


class Pager(Handset):
    """Should report within twenty seconds that a message was delivered."""

    media: ClassVar[tuple[str, ...]] = ("pager",)
    capabilities: ClassVar[Capabilities] = Capabilities(
        machine=True, receipts=True, delivers_within=timedelta(seconds=20)
    )
