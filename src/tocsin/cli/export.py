"""Writes the current configuration as a file, secrets as references."""

import typer

from tocsin.actions.configure import export
from tocsin.actions.world import World
from tocsin.cli.running import with_world

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run() -> None:
    """Print the configuration in the format that `tocsin apply` reads."""

    async def work(world: World) -> int:
        print(await export(world), end="")
        return 0

    with_world(work)
