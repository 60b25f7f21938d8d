"""Makes the changes that bring this installation to what a file says."""

from pathlib import Path
from typing import Annotated

import typer

from tocsin.actions.configure import Choices, ConfigureError, RefusedError, apply
from tocsin.actions.world import World
from tocsin.cli.reporting import document, lines, refuse
from tocsin.cli.running import with_world

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    file: Annotated[Path, typer.Option("-f", "--file", help="The configuration file.")],
    overwrite: Annotated[
        bool, typer.Option(help="Put back what was edited here since the last apply.")
    ] = False,
    prune: Annotated[
        bool, typer.Option(help="Remove what FILE no longer names even while it is in use.")
    ] = False,
    keep_current: Annotated[
        bool,
        typer.Option(help="Changed schedules wait until the shifts that run now end."),
    ] = False,
) -> None:
    """Make the changes, all or none; applying twice changes nothing."""
    wanted = document(file)
    choices = Choices(overwrite=overwrite, prune=prune, keep_current=keep_current)

    async def work(world: World) -> int:
        try:
            report = await apply(world, wanted, choices)
        except ConfigureError as fault:
            refuse(file, fault)
        except RefusedError as fault:
            for line in lines(fault.report, would=True):
                print(line)
            return 1
        for line in lines(report, would=False):
            print(line)
        return 0

    with_world(work)
