"""Runs Tocsin: web, worker and, when no database is set, a private PostgreSQL."""

import asyncio
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from tocsin.app import configure_logs
from tocsin.cli.running import fail, run_to_exit, settings, tell
from tocsin.serving import serve
from tocsin.settings import SettingsError, check_tls

if sys.platform == "win32":
    LOOP: Callable[[], asyncio.AbstractEventLoop] | None = None
else:
    import uvloop

    LOOP = uvloop.new_event_loop  # less CPU per event, see docs/performance.md

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 picks a free one.")
    ] = 8080,
    web: Annotated[bool, typer.Option(help="Answer HTTP.")] = True,
    worker: Annotated[bool, typer.Option(help="Page, deliver, poll and write back.")] = True,
) -> None:
    """Run until SIGTERM or Ctrl-C; exit 1 when a part ended by itself."""
    if not web and not worker:
        fail("--no-web and --no-worker together leave nothing to run: give one of them", 2)
    configured = settings()
    try:
        check_tls(configured)
    except SettingsError as fault:
        fail(str(fault))
    configure_logs(configured.log_format)

    async def work() -> int:
        well = await serve(
            configured, host=host, port=port, web=web, worker=worker, announce=_announce
        )
        return 0 if well else 1

    run_to_exit(work, LOOP)


def _announce(line: str) -> None:
    if line.startswith("Tocsin is ready"):
        print(line, flush=True)
    else:
        tell(line)
