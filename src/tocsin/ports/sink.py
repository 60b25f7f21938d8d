"""The socket for subscribers who want to hear what happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from tocsin.core.kinds import Severity
from tocsin.ports.channel import Sent
from tocsin.ports.common import Budget, Failed, Lease


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One thing that happened to an alert, as subscribers hear it. `id` is the idempotency key.

    `alert` is the contract's alert object as it was afterwards. What became of a message says so
    in `channel`, `delivery` and `attempt`; `correlation` binds the events of one message.
    """

    id: str
    kind: str
    at: datetime
    team: str
    severity: Severity
    alert: Mapping[str, object]
    by: str | None = None
    detail: Mapping[str, object] = field(default_factory=dict[str, object])
    channel: str | None = None
    delivery: str | None = None
    attempt: int | None = None
    correlation: str | None = None


@runtime_checkable
class Sink(Protocol):
    """Somebody who wants to hear what happened: takes batches, answers like a channel."""

    async def publish(
        self, events: Sequence[Published], lease: Lease, budget: Budget
    ) -> Sent | Failed:
        """Hand over a batch; the same ids may come again after a failure. Never raises for that."""
        ...
