"""What every plug-in is handed: time, leases, budgets, secrets, the guarded HTTP client."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol


class Clock(Protocol):
    """The only reader of time."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...

    async def sleep(self, duration: timedelta) -> None:
        """Return when `duration` has passed on this clock."""
        ...


class Lease(Protocol):
    """A claim on a piece of work that another process takes over when it runs out."""

    @property
    def number(self) -> int:
        """Grows with each claim; whatever is settled under an older one is discarded."""
        ...

    def remaining(self) -> timedelta:
        """Time left on the database's clock; checked before each network call."""
        ...


@dataclass(frozen=True, slots=True)
class Granted:
    """The call may be made now."""


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """The budget is used up until `at`."""

    at: datetime


class Budget(Protocol):
    """Calls per window, booked in the database before the call, shared by all processes."""

    async def take(self, kind: str, n: int = 1) -> Granted | WaitUntil:
        """Book `n` calls of `kind`, or say when to come back."""
        ...


class FailureKind(StrEnum):
    """Who has to do something about a failure: time, nobody (it is final), or an admin."""

    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    CONFIGURATION = "configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A call that failed; `reason` names cause and remedy and holds no secret.

    `maybe_applied`: the other side may have done it all the same (timeout, reset, 5xx).
    """

    kind: FailureKind
    reason: str
    retry_after: timedelta | None = None
    maybe_applied: bool = False


class Response(Protocol):
    """An HTTP answer that has been read whole, within the egress limits."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def content(self) -> bytes: ...


class Egress(Protocol):
    """The one guarded HTTP client: vetted, pinned addresses, no redirects, capped size and time."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        within: timedelta = timedelta(seconds=10),
    ) -> Response:
        """Send one request. Raises `EgressError`."""
        ...


class EgressError(Exception):
    """A request that did not get an answer: `refused` by the guard, or a network failure.

    `maybe_applied` is False where the request certainly never left.
    """

    def __init__(self, reason: str, *, refused: bool = False, maybe_applied: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.refused = refused
        self.maybe_applied = maybe_applied


Secrets = Callable[[Mapping[str, Any]], str]
"""Resolves a reference such as {secret_env: NAME} when needed; raises `SecretMissingError`."""


class SecretMissingError(Exception):
    """A referenced secret is not there; the message names the reference, never a value."""
