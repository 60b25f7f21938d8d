"""Says who would be paged, step by step and channel by channel."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from tocsin.actions.foresee import Foreseen, ForeseenPage, ForeseenStep, foresee
from tocsin.actions.world import World
from tocsin.cli.running import fail, with_world
from tocsin.core.kinds import Severity
from tocsin.core.localtime import instant
from tocsin.core.notation import moment

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    team: Annotated[str, typer.Option(help="The team's name in the configuration.")],
    at: Annotated[
        str | None,
        typer.Option(help="When the alert is raised: 2026-12-24T18:00 in the team's zone, or Z."),
    ] = None,
    severity: Annotated[Severity, typer.Option(help="How severe it is.")] = Severity.HIGH,
) -> None:
    """Show the whole escalation of an alert that nobody answers."""

    async def work(world: World) -> int:
        now = world.clock.now()
        found = await foresee(world, team, now, severity)
        if found is None:
            fail(f"there is no team {team}")
        when = now if at is None else _instant(at, found.time_zone)
        if at is not None:
            found = await foresee(world, team, when, severity) or found
        for line in lines(found, when, severity):
            print(line)
        return 0

    with_world(work)


def _instant(text: str, zone: str) -> datetime:
    try:
        return instant(moment(text), zone)
    except ValueError as fault:
        fail(f"--at: {fault}")


def lines(found: Foreseen, at: datetime, severity: Severity) -> Iterable[str]:
    """The escalation as people read it, times in the team's zone."""
    zone = ZoneInfo(found.time_zone)
    start = at.astimezone(zone)
    yield f"{found.team}: an alert of severity {severity} at {start:%a %Y-%m-%d %H:%M %Z}"
    if severity is Severity.INFO:
        yield "is only recorded; nobody is paged."
        return
    if found.policy is None:
        yield f"The team has no escalation policy; told at once: {_names(found.admins)}."
        return
    yield f"follows policy {found.policy} while nobody answers:"
    for step in found.steps:
        yield from _step(step, zone)
    end = max((step.at + step.wait for step in found.steps if not step.skipped), default=at)
    yield f"{end.astimezone(zone):%H:%M:%S}  nobody answered; told: {_names(found.admins)}"


def _step(step: ForeseenStep, zone: ZoneInfo) -> Iterable[str]:
    head = f"{step.at.astimezone(zone):%H:%M:%S}  round {step.round}, step {step.number}"
    if step.skipped:
        yield f"{head}: nobody can be reached, skipped at once"
    else:
        yield f"{head}, waits {_length(step.wait)}"
    for page in step.pages:
        yield f"  {page.at.astimezone(zone):%H:%M:%S}  {_page(page)}"
    for name in step.unreachable:
        yield f"            {name} has no contact method"


def _page(page: ForeseenPage) -> str:
    again = f", again every {_length(page.repeat_every)}" if page.repeat_every else ""
    return f"{page.person} by {page.method} ({page.channel}){again}"


def _length(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    parts = [(seconds // 3600, "h"), (seconds % 3600 // 60, "m"), (seconds % 60, "s")]
    return "".join(f"{n}{unit}" for n, unit in parts if n) or "0s"


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "nobody (the team has no admins)"
