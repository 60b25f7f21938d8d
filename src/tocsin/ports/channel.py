"""The socket for ways to reach a person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from tocsin.core.kinds import Urgency
from tocsin.ports.common import Clock, Egress, Failed, Secrets


class MessageKind(StrEnum):
    """Why a message is sent (`kind` in the contract's outgoing page)."""

    ALERT = "alert"
    UPDATE = "update"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    NOTICE = "notice"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message to one contact method. `id` is the idempotency key, the same over retries.

    `alert` is the contract's alert object, None for a notice; `alerts` are all that the message is
    about, the worst first, empty unless it is about several. `links` holds `page` and, only for
    channels that talk to machines, `reply`.
    """

    id: str
    kind: MessageKind
    user: str
    contact_method: str
    urgency: Urgency
    step: int
    attempt: int
    subject: str
    text: str
    body: str
    language: str = "en"
    alert: Mapping[str, object] | None = None
    alerts: tuple[Mapping[str, object], ...] = ()
    links: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The provider accepted the message; `provider_id` is its name for it, `detail` its words."""

    provider_id: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a channel can do. `machine`: replies come from a program, so it is given `reply`.

    `delivers_within`: how long after it was accepted a message should be reported as delivered,
    for channels with `receipts`; later the person's next rule runs. None: nothing is expected.
    """

    two_way: bool = False
    receipts: bool = False
    cancel: bool = False
    update: bool = False
    wakes: bool = False
    needs_public_address: bool = False
    machine: bool = False
    max_chars: int | None = None
    delivers_within: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelContext:
    """What a channel is handed: its settings block, secrets, the guarded client, the clock."""

    settings: Mapping[str, Any]
    secret: Secrets
    egress: Egress
    clock: Clock
    allow_private: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a contact method points: the address text and the method's own secret, if any."""

    value: str
    signing_key: str | None = None


class Channel(Protocol):
    """One way to reach a person. Transport only: rules, links and the ledger stay in the core."""

    media: ClassVar[tuple[str, ...]]
    capabilities: ClassVar[Capabilities]

    def __init__(self, context: ChannelContext) -> None: ...

    @staticmethod
    def check_address(value: str) -> str | None:
        """What is wrong with an address that a person enters, or None."""
        ...

    @staticmethod
    def check_settings(settings: Mapping[str, Any]) -> str | None:
        """What is wrong with the settings block, or None."""
        ...

    async def send(self, message: Outgoing, address: Address) -> Sent | Failed:
        """Hand the message to the provider once. Never raises for what a provider may do."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
