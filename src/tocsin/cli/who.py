"""Says who would be paged, minute by minute, while nobody answers."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from tocsin.actions.foresee import NoSuchCategory, Question, foresee
from tocsin.actions.world import World
from tocsin.cli.foretold import told
from tocsin.cli.running import fail, with_world
from tocsin.core.kinds import Severity
from tocsin.core.localtime import instant
from tocsin.core.notation import moment
from tocsin.store import named, names

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    team: Annotated[str, typer.Option(help="The team's name in the configuration.")],
    at: Annotated[
        str | None,
        typer.Option(help="When the alert is raised: 2026-12-24T18:00 in the team's zone, or Z."),
    ] = None,
    severity: Annotated[Severity, typer.Option(help="How severe it is.")] = Severity.HIGH,
    category: Annotated[str | None, typer.Option(help="The category it asks for.")] = None,
    title: Annotated[
        str, typer.Option(help="Its title, which categories and maintenance windows look at.")
    ] = "An alert",
    failing: Annotated[
        list[str] | None,
        typer.Option(help="A channel or contact method that is assumed to fail; may be repeated."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Show each repetition on a line of its own.")
    ] = False,
) -> None:
    """Show the whole escalation of an alert that nobody answers, and write nothing."""

    async def work(world: World) -> int:
        row, zone = await _team(world, team)
        question = Question(
            team=row,
            at=world.clock.now() if at is None else _instant(at, zone),
            severity=severity,
            category=category,
            title=title,
            failing=frozenset(failing or ()),
        )
        try:
            foreseen = await foresee(world, question)
        except NoSuchCategory as fault:
            fail(f"--category: {fault}")
        _print(told(foreseen, ZoneInfo(zone), every=every))
        return 0

    with_world(work)


async def _team(world: World, name: str) -> tuple[int, str]:
    async with world.database.transaction() as connection:
        found = await named.team(connection, name, None)
        if found is None:
            known = sorted((await names.all_teams(connection)).values())
            fail(f"there is no team {name}; there are: {', '.join(known) or 'none'}")
        return found.row, await named.zone_of(connection, found.row)


def _instant(text: str, zone: str) -> datetime:
    try:
        return instant(moment(text), zone)
    except ValueError as fault:
        fail(f"--at: {fault}")


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)
