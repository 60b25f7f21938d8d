"""Makes an API token and prints it, once."""

from typing import Annotated

import typer

from tocsin.actions.configure import ConfigureError, NotFoundError, create_token
from tocsin.actions.world import World
from tocsin.cli.running import fail, with_world
from tocsin.core.access import Scope
from tocsin.core.notation import duration

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def group() -> None:
    """API tokens."""


@app.command()
def create(
    user: Annotated[str, typer.Option(help="Whose role and teams it has.")],
    scope: Annotated[Scope, typer.Option(help="What it may use of them.")] = Scope.WRITE,
    expires: Annotated[str | None, typer.Option(help="After how long, such as 90d.")] = None,
) -> None:
    """Print a new token alone on standard output; it is not shown again."""
    try:
        lasts = None if expires is None else duration(expires)
    except ValueError as fault:
        fail(f"--expires: {fault}")

    async def work(world: World) -> int:
        until = None if lasts is None else world.clock.now() + lasts
        try:
            made = await create_token(world, user, scope=scope, expires_at=until)
        except (NotFoundError, ConfigureError) as fault:
            fail(str(fault))
        print(made["token"])
        return 0

    with_world(work)
