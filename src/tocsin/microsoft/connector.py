"""The Source plug-in `microsoft`: incidents or alerts of Sentinel, Defender, in both directions."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from tocsin.core.reconcile import Remote, RemoteStatus, Wanted
from tocsin.microsoft.auth import Tokens
from tocsin.microsoft.client import Client, Errand
from tocsin.microsoft.graph import Graph
from tocsin.microsoft.ingest import KIND, Ingest
from tocsin.microsoft.logs import Logs
from tocsin.microsoft.network import Network
from tocsin.microsoft.sentinel import Sentinel
from tocsin.microsoft.settings import Mode, Settings, read_settings
from tocsin.ports import (
    Allowance,
    Budget,
    Cadence,
    Failed,
    FailureKind,
    Lease,
    Published,
    ReadPlan,
    Sent,
    SourceContext,
    SourceError,
    Wrote,
)

_OVERLAP = timedelta(minutes=10)
# Late arrivals of up to an hour, plus the pace of the re-scan, plus the time that a scan takes.
_DEEP_EVERY = timedelta(minutes=10)
_DEEP_LOOKBACK = timedelta(hours=2)

_ALLOWANCES = {
    # Microsoft grants 150 and 50 in all: half for polls and details, so that no storm of writes
    # leaves none for what is new, half for writes with the reads that they begin with.
    "graph-alerts": (75, timedelta(minutes=1)),
    "graph-alerts-write": (75, timedelta(minutes=1)),
    "graph-incidents": (25, timedelta(minutes=1)),
    "graph-incidents-write": (25, timedelta(minutes=1)),
    "sentinel-incidents": (300, timedelta(minutes=1)),
    "sentinel-reread": (300, timedelta(minutes=1)),
    "sentinel-read": (100, timedelta(minutes=5)),
    "sentinel-write": (75, timedelta(minutes=5)),
    "logs-query": (100, timedelta(seconds=30)),
    KIND: (600, timedelta(minutes=1)),  # a rule takes 12,000, from everybody who writes to it
}


class _Side(Protocol):
    """One of Microsoft's two doors. Methods raise `SourceError` where they do not say otherwise."""

    def pages(self, since: datetime, errand: Errand) -> AsyncIterator[tuple[Remote, ...]]: ...

    async def details(self, key: str, errand: Errand) -> Mapping[str, object]: ...

    async def write(
        self, key: str, decide: Callable[[Remote], Wanted], errand: Errand
    ) -> Wrote | Failed: ...


class MicrosoftSource:
    """A `ports.Source` for one workspace or tenant, a `ports.Sink` for its custom table.

    Mode `sentinel` reads the incidents of one workspace by Microsoft.SecurityInsights, mode
    `graph` those of the tenant by Graph security. `auto` is `sentinel` where subscription, resource
    group, workspace are configured (and the unit is the incident), else `graph`. A workspace that
    is onboarded to Defender keeps its incidents under Sentinel's ids, so in `sentinel` each goes on
    as the same alert; its id in Defender is in `Remote.also`.
    """

    def __init__(self, context: SourceContext) -> None:
        """Raises ValueError for settings that `check_settings` finds fault with. Opens nothing."""
        self._settings = read_settings(context.settings)
        self._network = Network(self._settings.cloud, context.allow_private)
        tokens = Tokens(self._settings, context.secret, self._network, context.clock)
        client = Client(self._settings.cloud, tokens, self._network, context.clock)
        self._side = _side(self._settings, client)
        table = self._settings.table
        self._ingest = Ingest(table, client) if table is not None else None

    @staticmethod
    def check_settings(settings: Mapping[str, Any]) -> str | None:
        """What is wrong with the connector block, or None."""
        try:
            read_settings(settings)
        except ValueError as error:
            return str(error)
        return None

    @property
    def cadence(self) -> Cadence:
        """`time_scale` of a simulated cloud divides the overlaps, not what the file states."""
        scale = self._settings.cloud.time_scale
        return Cadence(
            poll_every=self._settings.poll_every,
            first_run=self._settings.first_run,
            overlap=_OVERLAP / scale,
            deep_every=_DEEP_EVERY / scale,
            deep_lookback=_DEEP_LOOKBACK / scale,
        )

    @property
    def allowances(self) -> Mapping[str, Allowance]:
        """Calls per window by kind, at or below what Microsoft documents or guarantees.

        `graph-…` are per application and tenant; `sentinel-incidents` (lists), `sentinel-reread`
        (an incident before it is written), `sentinel-read` (alerts, entities, comments),
        `sentinel-write` (incidents, comments) per subscription; `logs-query` per application,
        `table-write` per data collection rule.
        """
        scale = self._settings.cloud.time_scale
        return {
            kind: Allowance(calls=calls, window=window / scale)
            for kind, (calls, window) in _ALLOWANCES.items()
        }

    async def pages(
        self, plan: ReadPlan, lease: Lease, budget: Budget
    ) -> AsyncIterator[tuple[Remote, ...]]:
        """As `Source.pages` promises; each filter is applied here, whatever the service did."""
        async for page in self._side.pages(plan.since, Errand(lease, budget)):
            yield tuple(self._marked(remote) for remote in page if remote.modified_at >= plan.since)

    async def details(
        self, key: str, lease: Lease, budget: Budget
    ) -> Mapping[str, object] | Failed:
        """`alerts`, names in them (`accounts`, `hosts`, …), `tactics`, `techniques`, `events`."""
        try:
            return await self._side.details(key, Errand(lease, budget))
        except SourceError as error:
            return error.failed

    async def write(
        self, key: str, decide: Callable[[Remote], Wanted], lease: Lease, budget: Budget
    ) -> Wrote | Failed:
        """As `Source.write` promises. `remote.key` is another where the object was merged."""
        return await self._side.write(key, decide, Errand(lease, budget))

    @property
    def publishes(self) -> bool:
        """Whether a custom table is configured that wants to hear what happened."""
        return self._ingest is not None

    async def publish(
        self, events: Sequence[Published], lease: Lease, budget: Budget
    ) -> Sent | Failed:
        """As `Sink.publish` promises: a row of the custom table for each event it tells of."""
        if self._ingest is None:
            reason = "Could not write what happened: table is not configured for this connector"
            return Failed(kind=FailureKind.CONFIGURATION, reason=reason)
        return await self._ingest.publish(events, Errand(lease, budget))

    async def close(self) -> None:
        """Let go of connections."""
        await self._network.close()

    def _marked(self, remote: Remote) -> Remote:
        wanted = remote.severity in self._settings.severities and (
            remote.status in self._settings.states or remote.status is RemoteStatus.CLOSED
        )
        return remote if wanted else replace(remote, excluded=True)


def _side(settings: Settings, client: Client) -> _Side:
    if settings.mode is Mode.GRAPH:
        return Graph(settings, client)
    logs = Logs(settings, client) if settings.max_rows else None
    return Sentinel(settings, client, logs)
