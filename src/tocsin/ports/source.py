"""The socket for systems that raise alarms, are read, and are told what was done."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from tocsin.core.reconcile import Remote, Wanted
from tocsin.ports.common import Budget, Clock, Failed, Lease, Secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceContext:
    """What a source is handed: its connector block, secrets, limits on targets, the clock."""

    name: str
    settings: Mapping[str, Any]
    secret: Secrets
    clock: Clock
    allow_private: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPlan:
    """How far back to read: from `since` (open upper bound), `deep` when it is the late re-scan."""

    since: datetime
    deep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How often and how far back a source wants to be read."""

    poll_every: timedelta
    first_run: timedelta
    overlap: timedelta
    deep_every: timedelta
    deep_lookback: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """How many calls of a kind may be made in each window of this length."""

    calls: int
    window: timedelta


class SourceError(Exception):
    """Reading failed; nothing beyond the pages already yielded was read."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.reason)
        self.failed = failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrote:
    """The write was applied, or was already true; `remote` is the object read back."""

    remote: Remote
    changed: bool


class Source(Protocol):
    """A system that raises alarms, is read, and is told what was done."""

    def __init__(self, context: SourceContext) -> None: ...

    @staticmethod
    def check_settings(settings: Mapping[str, Any]) -> str | None:
        """What is wrong with the connector block, or None."""
        ...

    @property
    def cadence(self) -> Cadence: ...

    @property
    def allowances(self) -> Mapping[str, Allowance]:
        """The limits of the kinds of calls that it takes from its budget."""
        ...

    def pages(
        self, plan: ReadPlan, lease: Lease, budget: Budget
    ) -> AsyncIterator[tuple[Remote, ...]]:
        """Everything changed since `plan.since`, newest first, a page at a time.

        The scan was complete when the iterator ends without `SourceError`. Objects that the
        connector's filters leave out are yielded as `excluded`, so that known ones are followed
        (a severity lowered, a close). Checks `lease.remaining()` before each call.
        """
        ...

    async def details(
        self, key: str, lease: Lease, budget: Budget
    ) -> Mapping[str, object] | Failed:
        """More about one object (its alerts, entities), read after it was stored and paged."""
        ...

    async def write(
        self, key: str, decide: Callable[[Remote], Wanted], lease: Lease, budget: Budget
    ) -> Wrote | Failed:
        """Read the object, ask `decide` what to write, write it; on a conflict anew (<= 5)."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
