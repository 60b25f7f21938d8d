"""Plays one incident from a simulated Sentinel to acknowledged and closed, then stays up."""

import io
import logging
import sys
from typing import Annotated

import typer

from tocsin.app import configure_logs
from tocsin.cli.running import fail, run_to_exit, settings
from tocsin.demo.data import DemoError
from tocsin.demo.play import run

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def play(
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="Port of Tocsin; 0 picks a free one.",
            show_default="8080, or a free one when that is taken",
        ),
    ] = None,
    once: Annotated[
        bool,
        typer.Option("--once", help="End after the story; exit 0 only if all of it came true."),
    ] = False,
) -> None:
    """Play the story, then stay up until Ctrl-C.

    The data live in TOCSIN_HOME/demo, or in the empty database that TOCSIN_DATABASE_URL names.
    """
    configured = settings()
    configure_logs(configured.log_format, logging.WARNING)
    stdout: object = sys.stdout
    if isinstance(stdout, io.TextIOWrapper):
        stdout.reconfigure(errors="replace")  # a terminal that cannot write ✓ gets a ?

    async def work() -> int:
        return await run(configured, port=port, once=once, tell=_tell)

    try:
        run_to_exit(work)
    except DemoError as fault:
        fail(str(fault))


def _tell(line: str) -> None:
    print(line, flush=True)
