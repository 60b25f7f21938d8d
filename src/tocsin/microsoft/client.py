"""The one thin client for Graph, Sentinel, Log Analytics."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, cast

import structlog

from tocsin.egress import Answer as RawAnswer
from tocsin.egress import AnswerTooLargeError
from tocsin.microsoft.clouds import Api, Cloud
from tocsin.microsoft.faults import (
    Asked,
    CallError,
    misconfigured,
    refused,
    request_id,
    temporary,
    unreadable,
)
from tocsin.microsoft.fields import Record, record
from tocsin.microsoft.network import CaFileError, Network
from tocsin.ports import Budget, Clock, EgressError, Failed, FailureKind, Granted, Lease, WaitUntil

_PATIENCE = timedelta(seconds=10)
"""The longest wait inside a call; a longer one is left to the caller's next attempt."""

_RESERVE = timedelta(seconds=2)
"""What must be left of the lease to begin a call, so that its answer can still be settled."""

_WITHIN = timedelta(seconds=30)

_jitter = random.SystemRandom()
_log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger()


class Bearers(Protocol):
    """Whoever has tokens, such as `auth.Tokens`."""

    async def bearer(self, api: Api, within: timedelta) -> str:
        """A token for `api`. Raises `CallError`."""
        ...

    def forget(self, api: Api, token: str) -> None:
        """`token` was refused."""
        ...


@dataclass(frozen=True, slots=True)
class Errand:
    """On whose lease a call is made, and from which budget it is booked."""

    lease: Lease
    budget: Budget


@dataclass(slots=True)
class _Booked:
    """A budget of which one call of a kind is booked already."""

    budget: Budget
    kind: str
    left: int = 1

    async def take(self, kind: str, n: int = 1) -> Granted | WaitUntil:
        if kind == self.kind and n <= self.left:
            self.left -= n
            return Granted()
        return await self.budget.take(kind, n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request. `kind` is the budget it is booked from; a body makes it JSON.

    `attempts` is how often it is tried where trying again is harmless.
    """

    method: str
    url: str
    asked: Asked
    kind: str
    body: Record | Sequence[Record] | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    attempts: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A 2xx answer; `body` is empty where there was none."""

    status: int
    body: Record
    request_id: str | None


class Client:
    """Sends calls, with a token, booked, in time, to configured hosts only.

    Reads are tried again after 5xx and network trouble, everything after 429, within the lease; a
    write whose fate is unknown is not: only a fresh read can tell what became of it.
    """

    def __init__(self, cloud: Cloud, tokens: Bearers, network: Network, clock: Clock) -> None:
        self._cloud = cloud
        self._tokens = tokens
        self._network = network
        self._clock = clock

    async def send(self, call: Call, errand: Errand) -> Answer:
        """The answer to `call`. Raises `CallError`."""
        self._guard(call)
        tokens_left, attempt = 1, 0
        while True:
            attempt += 1
            token = await self._ready(call, errand)
            try:
                return await self._once(call, errand, token)
            except CallError as error:
                self._note(call, error, attempt)
                if error.status == 401 and tokens_left:
                    tokens_left -= 1
                    self._tokens.forget(call.asked.api, token)
                    continue
                if attempt >= call.attempts or not _harmless_again(call, error):
                    raise
                await self.pause(error, attempt, errand)

    async def booked(self, kind: str, doing: str, errand: Errand) -> Errand:
        """The errand with its first call of `kind` booked. Raises `CallError`."""
        await self._book(kind, doing, errand)
        return Errand(errand.lease, _Booked(errand.budget, kind))

    async def pause(self, error: CallError, attempt: int, errand: Errand) -> None:
        """Wait before the next attempt, with jitter; raises `error` when that takes too long."""
        backoff = timedelta(seconds=min(8.0, 0.25 * 2**attempt) * _jitter.uniform(0.5, 1.0))
        wait = error.failed.retry_after if error.failed.retry_after is not None else backoff
        if wait > _PATIENCE or wait + _RESERVE > errand.lease.remaining():
            raise error
        await self._clock.sleep(wait)

    def _guard(self, call: Call) -> None:
        if not self._cloud.allows(call.url, call.asked.api):
            raise misconfigured(
                call.asked.doing,
                f"the address leads away from the configured host of {call.asked.api}, and nothing "
                "was sent to it: check cloud, and what stands between this machine and Microsoft",
            )

    async def _ready(self, call: Call, errand: Errand) -> str:
        """Booked and with a token. Raises `CallError`."""
        await self._book(call.kind, call.asked.doing, errand)
        return await self._tokens.bearer(call.asked.api, self._time_left(call, errand))

    async def _book(self, kind: str, doing: str, errand: Errand) -> None:
        while isinstance(booked := await errand.budget.take(kind), WaitUntil):
            wait = max(booked.at - self._clock.now(), timedelta(milliseconds=10))
            if wait > _PATIENCE or wait + _RESERVE > errand.lease.remaining():
                reason = f"Could not {doing}: the budget {kind} is used up for now"
                raise CallError(Failed(kind=FailureKind.TEMPORARY, reason=reason, retry_after=wait))
            await self._clock.sleep(wait)

    def _time_left(self, call: Call, errand: Errand) -> timedelta:
        left = errand.lease.remaining() - _RESERVE
        if left <= timedelta():
            raise temporary(call.asked, "the time of this attempt is used up; another follows")
        return min(left, _WITHIN)

    async def _once(self, call: Call, errand: Errand, token: str) -> Answer:
        body = b"" if call.body is None else json.dumps(call.body).encode()
        headers = {"Accept": "application/json", "Authorization": f"Bearer {token}", **call.headers}
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        try:
            client = await self._network.client()
            raw = await client.request(
                call.method,
                call.url,
                headers=headers,
                content=body,
                within=self._time_left(call, errand),
            )
        except AnswerTooLargeError as error:
            raise unreadable(call.asked, {}, error.status, "with too much data") from error
        except EgressError as error:
            raise _unreached(call, error) from error
        except CaFileError as error:
            raise misconfigured(call.asked.doing, str(error)) from error
        return self._read(call, raw)

    def _read(self, call: Call, raw: RawAnswer) -> Answer:
        body, what = _json(raw)
        if not 200 <= raw.status < 300:
            raise refused(call.asked, raw.status, raw.headers, body, self._clock.now())
        if what:
            raise unreadable(call.asked, raw.headers, raw.status, what)
        return Answer(status=raw.status, body=body, request_id=request_id(raw.headers))

    def _note(self, call: Call, error: CallError, attempt: int) -> None:
        _log.warning(
            "microsoft_call_failed",
            reason=error.failed.reason,
            status=error.status,
            budget=call.kind,
            attempt=attempt,
        )


def _harmless_again(call: Call, error: CallError) -> bool:
    """Whether the same call may be sent again: it did not arrive, or it only reads."""
    failed = error.failed
    if failed.kind is not FailureKind.TEMPORARY or error.status in {409, 412}:
        return False
    return not (call.asked.writes and failed.maybe_applied)


def _unreached(call: Call, error: EgressError) -> CallError:
    if error.refused:
        return misconfigured(call.asked.doing, error.reason)
    return temporary(
        call.asked,
        f"{error.reason}; check cloud, DNS, firewall, ca_file if it lasts",
        maybe_applied=call.asked.writes and error.maybe_applied,
    )


def _json(raw: RawAnswer) -> tuple[Record, str]:
    """The JSON object in an answer, and what is there instead."""
    if not raw.content.strip():
        return {}, ""
    try:
        value: Any = json.loads(raw.content)
    except (ValueError, RecursionError):
        kind = raw.headers.get("content-type", "").partition(";")[0].strip()
        return {}, f"with {kind[:60] or 'something'} that is not JSON"
    if not isinstance(value, dict):
        return {}, "with JSON that is no object"
    return record(cast("object", value)), ""
