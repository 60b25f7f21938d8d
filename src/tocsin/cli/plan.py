"""Shows the changes that would bring this installation to what a file says."""

from pathlib import Path
from typing import Annotated

import typer

from tocsin.actions.configure import Choices, ConfigureError, plan
from tocsin.actions.world import World
from tocsin.cli.reporting import document, lines, refuse
from tocsin.cli.running import with_world

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    file: Annotated[Path, typer.Option("-f", "--file", help="The configuration file.")],
    keep_current: Annotated[
        bool,
        typer.Option(help="Changed schedules wait until the shifts that run now end."),
    ] = False,
) -> None:
    """Show what `tocsin apply` would do; exit 1 when it would refuse."""
    wanted = document(file)

    async def work(world: World) -> int:
        try:
            report = await plan(world, wanted, Choices(keep_current=keep_current))
        except ConfigureError as fault:
            refuse(file, fault)
        for line in lines(report, would=True):
            print(line)
        return 1 if report.refused else 0

    with_world(work)
