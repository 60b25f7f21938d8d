"""Calls to Graph and Azure that wait out what Microsoft needs to spread the news."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from tocsin.microsoft.client import Call, Client, Errand
from tocsin.microsoft.clouds import Api, Cloud
from tocsin.microsoft.deploy.deciding import at
from tocsin.microsoft.faults import Asked, CallError
from tocsin.microsoft.fields import Record, text
from tocsin.ports import Clock, FailureKind, Granted

_PAUSE = timedelta(seconds=5)
# What Microsoft answers while one part of it has not heard yet what another part did.
_LAGGING = (
    "Request_ResourceNotFound",
    "does not reference a valid application object",
    "PrincipalNotFound",
    "InvalidOutputTable",
    "RoleDefinitionDoesNotExist",
    "PlaybookNotFound",
    "MissingPermissions",
)
_BEING_MADE = {"inprogress", "creating", "updating", "accepted"}


@dataclass(frozen=True, slots=True)
class _Unhurried:
    """A lease without end: an operator waits at the terminal."""

    number: int = 0

    def remaining(self) -> timedelta:
        return timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Unmetered:
    """A budget without end: a deployment is a few dozen calls."""

    async def take(self, kind: str, n: int = 1) -> Granted:
        del kind, n
        return Granted()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One call. `path` begins at the host; `needs` names the operator's role for it.

    `again`: the call may be repeated when nobody knows whether it was carried out.
    """

    method: str
    path: str
    doing: str
    needs: str
    version: str = ""
    body: Record | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    again: bool = True


class Azure:
    """Sends calls in the operator's name; the waits are told, once each."""

    def __init__(
        self,
        cloud: Cloud,
        client: Client,
        clock: Clock,
        tell: Callable[[str], None],
        wait: timedelta,
    ) -> None:
        self._cloud = cloud
        self._client = client
        self._clock = clock
        self._tell = tell
        self._wait = wait
        self._errand = unhurried()

    async def find(self, ask: Ask) -> Record | None:
        """What is there, or None. Raises `CallError`."""
        try:
            return await self._once(ask)
        except CallError as error:
            if error.status == 404:
                return None
            raise

    async def send(self, ask: Ask) -> Record:
        """The answer's body, lags waited out. Raises `CallError`."""
        return await self._patiently(lambda: self._once(ask), ask.doing, again=ask.again)

    async def settled(self, ask: Ask) -> Record:
        """The object once it can be read and is no longer being made. Raises `CallError`."""
        until = self._clock.now() + self._wait
        while True:
            found = await self._patiently(lambda: self._once(ask), ask.doing, missing=True)
            state = at(found, ("properties", "provisioningState"))
            if str(state).casefold() not in _BEING_MADE or self._clock.now() >= until:
                return found
            await self._clock.sleep(_PAUSE)

    async def _patiently(
        self,
        call: Callable[[], Awaitable[Record]],
        doing: str,
        *,
        again: bool = True,
        missing: bool = False,
    ) -> Record:
        until, told = self._clock.now() + self._wait, False
        while True:
            try:
                return await call()
            except CallError as error:
                pause = error.failed.retry_after or _PAUSE
                lagging = (missing and error.status == 404) or _lags(error)
                harmless = _passing(error) and (again or not error.failed.maybe_applied)
                if not (lagging or harmless) or self._clock.now() + pause > until:
                    raise
                if not told:
                    why = "it takes Microsoft a while to know" if lagging else error.failed.reason
                    self._tell(f"  waiting to {doing}: {why}")
                    told = True
            await self._clock.sleep(pause)

    async def _once(self, ask: Ask) -> Record:
        graph = ask.path.startswith("/v1.0/")
        api = Api.GRAPH if graph else Api.ARM
        query = f"?api-version={ask.version}" if ask.version else ""
        call = Call(
            method=ask.method,
            url=f"{self._cloud.base(api)}{ask.path}{query}",
            asked=Asked(
                api=api,
                doing=ask.doing,
                writes=ask.method != "GET",
                remedy=f"your account needs {ask.needs}",
            ),
            kind="deploy",
            body=ask.body,
            headers=ask.headers,
        )
        return (await self._client.send(call, self._errand)).body


def _lags(error: CallError) -> bool:
    return any(sign in error.said for sign in _LAGGING)


def _passing(error: CallError) -> bool:
    return error.failed.kind is FailureKind.TEMPORARY and error.status not in {409, 412}


def unhurried() -> Errand:
    """The errand of somebody who waits at a terminal."""
    return Errand(_Unhurried(), _Unmetered())


def exists_already(error: CallError) -> bool:
    """Whether a refusal only says that the object is there."""
    signs = ("already exists", "already in use", "RoleAssignmentExists")
    return any(sign in error.said for sign in signs)


def identifier(found: Record) -> str:
    """The `id` of an object."""
    return text(found, "id")
