"""Runs Tocsin: web, worker and, when no database is set, a private PostgreSQL."""

from typing import Annotated

import typer

from tocsin.app import configure_logs
from tocsin.cli.running import run_to_exit, settings, tell
from tocsin.serving import serve

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 picks a free one.")] = 8080,
    web: Annotated[bool, typer.Option(help="Answer HTTP.")] = True,
    worker: Annotated[bool, typer.Option(help="Page, deliver, poll and write back.")] = True,
) -> None:
    """Run until SIGTERM or Ctrl-C."""
    configured = settings()
    configure_logs(configured.log_format)

    async def work() -> int:
        await serve(configured, host=host, port=port, web=web, worker=worker, announce=_announce)
        return 0

    run_to_exit(work)


def _announce(line: str) -> None:
    if line.startswith("Tocsin is ready"):
        print(line, flush=True)
    else:
        tell(line)
