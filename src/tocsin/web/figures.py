"""What monitoring reads: liveness, readiness, figures for Prometheus."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from operator import attrgetter

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin.store.dutyfigures import DutyFigures, duty_figures
from tocsin.store.figures import Figures, figures
from tocsin.web.parts import Parts
from tocsin.web.problems import Problem, json_response

REGISTRY = CollectorRegistry(auto_describe=True)
EVENTS = Counter(
    "tocsin_events", "Requests of senders, by dialect and outcome.", ("inlet", "outcome"),
    registry=REGISTRY,
)  # fmt: skip
REMEMBERED = timedelta(seconds=5)
"""How old the figures from the database may be, however often they are asked for."""


DUTY_REMEMBERED = timedelta(seconds=60)
"""How old the figures about duty may be; they look at weeks of shifts."""


class Monitoring:
    """Answers probes and scrapes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._last: tuple[datetime, Figures] | None = None
        self._duty: tuple[datetime, list[DutyFigures]] | None = None

    async def healthz(self, _: Request) -> Response:
        """This process answers."""
        return json_response({"status": "ok"})

    async def readyz(self, _: Request) -> Response:
        """Everything that work needs is there; else 503 naming what is not."""
        found = await self._parts.readiness()
        wrong = {name: fault for name, fault in found.items() if fault is not None}
        if wrong:
            raise Problem(
                503,
                f"Not ready: {'; '.join(f'{name}: {fault}' for name, fault in wrong.items())}.",
                "`tocsin doctor` says more.",
                more={"checks": {name: fault or "ok" for name, fault in found.items()}},
            )
        return json_response({"status": "ready", "checks": dict.fromkeys(found, "ok")})

    async def metrics(self, _: Request) -> Response:
        """Counters of this process, and figures from the database shared by all."""
        registry = CollectorRegistry()
        registry.register(_Snapshot(await self._figures()))
        registry.register(_OnDuty(await self._duty_figures()))
        text = generate_latest(REGISTRY) + generate_latest(registry)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _figures(self) -> Figures:
        world = self._parts.world
        now = world.clock.now()
        if self._last is None or now - self._last[0] > REMEMBERED:
            async with world.database.transaction() as connection:
                self._last = (now, await figures(connection, now))
        return self._last[1]

    async def _duty_figures(self) -> list[DutyFigures]:
        """None of them where the database takes too long: the other figures matter more."""
        world = self._parts.world
        now = world.clock.now()
        if self._duty is None or now - self._duty[0] > DUTY_REMEMBERED:
            found: list[DutyFigures] = []
            with suppress(DBAPIError):
                async with world.database.transaction() as connection:
                    found = await duty_figures(connection, now)
            self._duty = (now, found)
        return self._duty[1]


def routes(monitoring: Monitoring) -> list[Route]:
    """The three addresses that need no token; none tells a secret or a text of an alert."""
    return [
        Route("/healthz", monitoring.healthz),
        Route("/readyz", monitoring.readyz),
        Route("/metrics", monitoring.metrics),
    ]


class _Snapshot(Collector):
    """Figures as gauges."""

    def __init__(self, found: Figures) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        found = self._found
        alerts = GaugeMetricFamily(
            "tocsin_alerts", "Alerts that are not closed.", labels=("status", "severity")
        )
        for labels, count in found.alerts.items():
            alerts.add_metric(labels, count)
        pages = GaugeMetricFamily("tocsin_notifications", "Notifications.", labels=("state",))
        for state, count in found.notifications.items():
            pages.add_metric((state,), count)
        polls = GaugeMetricFamily(
            "tocsin_poll_age_seconds",
            "Since a connector was last read whole.",
            labels=("connector",),
        )
        for connector, age in found.poll_age.items():
            polls.add_metric((connector,), age)
        yield from (alerts, pages, polls)
        late = "tocsin_page_lateness_seconds", "How late the oldest unsent page is."
        yield GaugeMetricFamily(*late, value=found.page_lateness)
        step = "tocsin_step_lateness_seconds", "How late the oldest timer of an alert is."
        yield GaugeMetricFamily(*step, value=found.step_lateness)
        yield from _watched(found)
        writes = "tocsin_pending_writes", "Changes that a source has not been told yet."
        yield GaugeMetricFamily(*writes, value=found.pending_writes)


class _OnDuty(Collector):
    """How each tier of each team stands; without names of people."""

    def __init__(self, found: list[DutyFigures]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        for name, told, value in (
            ("tocsin_on_duty", "People on duty now.", attrgetter("on_duty")),
            (
                "tocsin_next_gap_seconds",
                "Until nobody is on duty; 89 days where no gap comes before.",
                attrgetter("next_gap"),
            ),
            (
                "tocsin_coverage_next_30_days",
                "The part of the next 30 days with somebody on duty, 0 to 1.",
                attrgetter("coverage"),
            ),
        ):
            gauge = GaugeMetricFamily(name, told, labels=("team", "tier"))
            for one in self._found:
                gauge.add_metric((one.team, one.tier), value(one))
            yield gauge


def _watched(found: Figures) -> Iterable[Metric]:
    """What the watchdog looks at, and when it was content; the same from every process."""
    for name, told, value in (
        ("tocsin_pages_late", "Pages that wait for more than 15 s.", found.pages_late),
        ("tocsin_pages_failing", "Pages that are tried again.", found.pages_failing),
        ("tocsin_timers_late", "Timers of alerts late by more than 15 s.", found.timers_late),
        (
            "tocsin_watchdog_last_ok_timestamp",
            "When the watchdog last found all well, in seconds since 1970.",
            found.watchdog_well,
        ),
        (
            "tocsin_watchdog_last_ping_timestamp",
            "When the dead-man address last took a ping, in seconds since 1970.",
            found.watchdog_pinged,
        ),
    ):
        yield GaugeMetricFamily(name, told, value=value)
