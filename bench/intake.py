"""How many events a `serve` process takes in, each committed before its 201."""

from bench.calibration import commits, hello
from bench.configuration import PATH
from bench.figures import Figure, Kind
from bench.outside import Job, Observed
from bench.stage import Served, Stage, fetch

NEW = 0.20
REPEATED = 0.45
P99 = 100.0
_SECONDS = 5.0
_OPEN = 1024
"""Open alerts that the repeated events belong to."""


async def new_alerts(stage: Stage) -> list[Figure]:
    """Each event opens an alert and pages somebody, while the same process delivers the pages."""
    async with stage.serving_a_team() as (served, dsn, phone):
        before = await commits(stage, dsn)
        spent = served.cpu()
        seen = await stage.outside(
            Job(port=served.port, path=PATH, phone_port=phone, warm_up=1, seconds=_SECONDS)
        )
        spent = served.cpu() - spent
        stored = await fetch(dsn, "SELECT count(*) FROM alert")
        rate = (before + await commits(stage, dsn)) / 2
        wrong = _wrong(seen, stored, "alerts")
        return [*_figures("new alerts", seen, rate, NEW, wrong, spent), await _hello(stage, seen)]


async def without_worker(stage: Stage) -> list[Figure]:
    """The same with `--no-worker`: what intake alone costs."""
    async with stage.serving_a_team("--no-worker") as (served, dsn, _):
        before = await commits(stage, dsn)
        spent = served.cpu()
        seen = await stage.outside(Job(port=served.port, path=PATH, warm_up=1, seconds=_SECONDS))
        spent = served.cpu() - spent
        stored = await fetch(dsn, "SELECT count(*) FROM alert")
        rate = (before + await commits(stage, dsn)) / 2
        wrong = _wrong(seen, stored, "alerts")
        return _figures("new alerts, pages by another process", seen, rate, NEW, wrong, spent)


async def repeated(stage: Stage) -> list[Figure]:
    """Each event belongs to one of 1,024 alerts that are open."""
    async with stage.serving_a_team() as (served, dsn, phone):
        opened = await _open_alerts(stage, served, phone)
        before = await commits(stage, dsn)
        spent = served.cpu()
        seen = await stage.outside(
            Job(
                port=served.port, path=PATH, phone_port=phone, keys=_OPEN,
                warm_up=1, seconds=_SECONDS,
            )
        )  # fmt: skip
        spent = served.cpu() - spent
        stored = await fetch(dsn, "SELECT sum(seen_count) FROM alert") - opened
        rate = (before + await commits(stage, dsn)) / 2
        wrong = _wrong(seen, stored, "counted events")
        return _figures("repeated events of open alerts", seen, rate, REPEATED, wrong, spent)


async def _open_alerts(stage: Stage, served: Served, phone: int) -> int:
    seen = await stage.outside(
        Job(port=served.port, path=PATH, phone_port=phone, count=_OPEN, linger=10)
    )
    return seen.accepted


def _figures(
    name: str, seen: Observed, commits_: float, part: float, wrong: str, spent: float
) -> list[Figure]:
    per_event = 1e6 * spent / max(1, seen.accepted)
    return [
        Figure(
            name=f"{name}: accepted",
            value=seen.rate,
            unit="/s",
            kind=Kind.AT_LEAST,
            limit=part * commits_,
            against=f"{seen.rate / commits_:.2f} of pgbench's {commits_:,.0f}/s, limit {part:.2f}",
            note=f"{per_event:.0f} µs CPU of serve per event",
            wrong=wrong,
        ),
        Figure(
            name=f"{name}: p99 of the answer",
            value=1000 * seen.answers.p99,
            unit="ms",
            limit=P99,
            note=f"p50 {1000 * seen.answers.p50:.0f} ms",
            wrong=wrong,
        ),
    ]


async def _hello(stage: Stage, seen: Observed) -> Figure:
    return Figure(
        name="new alerts: part of a hello-world server's rate",
        value=seen.rate / await hello(stage),
        unit="",
        note="Starlette on uvicorn that only reads the body, same client; told, not judged",
    )


def _wrong(seen: Observed, stored: int, what: str) -> str:
    faults: list[str] = []
    if seen.unexpected:
        faults.append(f"answers other than 201: {seen.unexpected}")
    if stored != seen.accepted:
        faults.append(f"{seen.accepted} answered 201, but {stored} {what} in the database")
    return "; ".join(faults)
