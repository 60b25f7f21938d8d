"""Every permission of a connector proved by a real call that changes nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from tocsin.microsoft.auth import Tokens
from tocsin.microsoft.client import Call, Client, Errand
from tocsin.microsoft.clouds import Api, Cloud
from tocsin.microsoft.faults import Asked, CallError
from tocsin.microsoft.fields import Record
from tocsin.microsoft.network import Network
from tocsin.microsoft.settings import Mode, Settings, Unit
from tocsin.ports import Clock, Secrets

_NOBODY = UUID(int=0)
_VERSION = "?api-version=2025-09-01"
_PAUSE = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One call. `met` are the statuses that only somebody with the permission gets to see.

    A body is checked after the permission, so that one that cannot be accepted proves it and
    changes nothing.
    """

    shows: str
    role: str
    api: Api
    method: str
    path: str
    body: Record | tuple[Record, ...] | None = field(default=None, compare=False)
    met: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Verdict:
    """`fault` is empty when the permission was proved."""

    trial: Trial
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableAddress:
    """Where rows go: the host of the rule, its immutable id, its stream."""

    endpoint: str
    rule_id: str
    stream: str


def trials(settings: Settings, table: TableAddress | None) -> Iterator[Trial]:
    """What a connector with these settings must be able to do."""
    if settings.mode is Mode.GRAPH:
        yield from _graph(settings)
    else:
        yield from _sentinel(settings)
    if settings.max_rows:
        yield Trial(
            shows="run searches in the workspace",
            role="Microsoft Sentinel Responder (or Log Analytics Reader) on the workspace",
            api=Api.LOGS,
            method="POST",
            path=f"/v1/workspaces/{settings.workspace_id}/query",
            body={"query": "SecurityAlert | take 0", "timespan": "PT1H"},
        )
    if table is not None:
        yield Trial(
            shows="write rows into the custom table",
            role="Monitoring Metrics Publisher on the data collection rule",
            api=Api.INGESTION,
            method="POST",
            path=f"/dataCollectionRules/{table.rule_id}/streams/{table.stream}"
            "?api-version=2023-01-01",
            body=(),
            met=frozenset({400}),
        )


def _graph(settings: Settings) -> Iterator[Trial]:
    kind, role = "incidents", "SecurityIncident.ReadWrite.All"
    if settings.unit is Unit.ALERT:
        kind, role = "alerts_v2", "SecurityAlert.ReadWrite.All"
    granted = f"application permission {role} with admin consent"
    what = "alerts" if settings.unit is Unit.ALERT else "incidents"
    path = f"/v1.0/security/{kind}"
    yield Trial(
        shows=f"read {what} of Defender",
        role=granted,
        api=Api.GRAPH,
        method="GET",
        path=f"{path}?$top=1",
    )
    yield Trial(
        shows=f"write {what} of Defender",
        role=granted,
        api=Api.GRAPH,
        method="PATCH",
        path=f"{path}/0",
        body={},
        met=frozenset({400, 404}),
    )


def _sentinel(settings: Settings) -> Iterator[Trial]:
    role = "Microsoft Sentinel Responder on the workspace"
    path = (
        f"/subscriptions/{settings.subscription_id}/resourceGroups/{settings.resource_group}"
        f"/providers/Microsoft.OperationalInsights/workspaces/{settings.workspace_name}"
        "/providers/Microsoft.SecurityInsights/incidents"
    )
    one, empty = f"{path}/{_NOBODY}", {"properties": dict[str, object]()}
    for shows, method, address, body in (
        ("read incidents of Sentinel", "GET", f"{path}{_VERSION}&$top=1", None),
        ("write incidents of Sentinel", "PUT", f"{one}{_VERSION}", empty),
        ("read the alerts of an incident", "POST", f"{one}/alerts{_VERSION}", None),
        ("read the entities of an incident", "POST", f"{one}/entities{_VERSION}", None),
        ("write comments", "PUT", f"{one}/comments/{_NOBODY}{_VERSION}", empty),
    ):
        yield Trial(
            shows=shows,
            role=role,
            api=Api.ARM,
            method=method,
            path=address,
            body=body,
            met=frozenset({400, 404}) if method != "GET" else frozenset(),
        )


class Prover:
    """Makes the trials in the connector's own name."""

    def __init__(
        self,
        settings: Settings,
        secret: Secrets,
        clock: Clock,
        errand: Errand,
        allow_private: tuple[str, ...],
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._clock = clock
        self._errand = errand
        self._allow_private = allow_private

    async def prove(self, table: TableAddress | None) -> list[Verdict]:
        """Each trial once, with fresh tokens."""
        cloud = with_ingestion(self._settings.cloud, table)
        network = Network(cloud, self._allow_private)
        tokens = Tokens(self._settings, self._secret, network, self._clock)
        client = Client(cloud, tokens, network, self._clock)
        try:
            wanted = trials(self._settings, table)
            return [await self._one(trial, client, cloud) for trial in wanted]
        finally:
            await network.close()

    async def patiently(
        self, table: TableAddress | None, wait: timedelta, tell: Callable[[str], None]
    ) -> list[Verdict]:
        """Again and again until all is proved or `wait` is over; new grants take their time."""
        until = self._clock.now() + wait
        while True:
            verdicts = await self.prove(table)
            missing = [verdict for verdict in verdicts if verdict.fault]
            if not missing or self._clock.now() + _PAUSE > until:
                return verdicts
            tell(f"  waiting until Microsoft lets Tocsin {missing[0].trial.shows}")
            await self._clock.sleep(_PAUSE)

    async def _one(self, trial: Trial, client: Client, cloud: Cloud) -> Verdict:
        call = Call(
            method=trial.method,
            url=f"{cloud.base(trial.api)}{trial.path}",
            asked=Asked(
                api=trial.api,
                doing=trial.shows,
                writes=trial.method != "GET",
                remedy=f"grant {trial.role}",
            ),
            kind="check",
            body=trial.body,
        )
        try:
            await client.send(call, self._errand)
        except CallError as error:
            if error.status in trial.met:
                return Verdict(trial)
            return Verdict(trial, error.failed.reason)
        return Verdict(trial)


def with_ingestion(cloud: Cloud, table: TableAddress | None) -> Cloud:
    """The cloud with the host of the rule, which is no host of the cloud's own."""
    if table is None:
        return cloud
    host = urlsplit(table.endpoint)
    if host.scheme != "https" or not host.netloc:
        raise ValueError("--table-endpoint: give an https address, as setup prints it")
    bases = {**cloud.bases, Api.INGESTION: f"https://{host.netloc.casefold()}"}
    return Cloud(
        authority=cloud.authority,
        bases=bases,
        scopes=cloud.scopes,
        ca_file=cloud.ca_file,
        time_scale=cloud.time_scale,
    )
