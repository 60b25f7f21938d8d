"""How a command runs: settings read, faults told in one line, exit codes."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import NoReturn

import typer

from tocsin.actions.world import World
from tocsin.app import DatabaseUnreachableError, configure_logs, opened
from tocsin.keys import KeyFileError
from tocsin.settings import Settings, SettingsError, read
from tocsin.store.embedded import EmbeddedError


def settings() -> Settings:
    """The settings; a fault in them ends the command with a clear line."""
    try:
        return read()
    except SettingsError as fault:
        fail(str(fault))


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what is wrong on standard error, and exit."""
    print(f"tocsin: {message}", file=sys.stderr)
    raise typer.Exit(code)


def tell(message: str) -> None:
    """One line of progress on standard error, where it disturbs no output."""
    print(message, file=sys.stderr, flush=True)


def with_world(work: Callable[[World], Awaitable[int]], configured: Settings | None = None) -> None:
    """Run `work` on the installation that the settings name; exits with what it returns."""
    configured = configured or settings()
    configure_logs(configured.log_format)

    async def run() -> int:
        async with opened(configured, log=tell) as world:
            return await work(world)

    run_to_exit(run)


def run_to_exit(
    work: Callable[[], Awaitable[int]], loop: Callable[[], asyncio.AbstractEventLoop] | None = None
) -> None:
    """Run a command's work; faults that people can mend are told without a stack trace.

    `loop` makes the event loop; None is Python's own.
    """
    try:
        with asyncio.Runner(loop_factory=loop) as runner:
            code = runner.run(_awaited(work))
    except (DatabaseUnreachableError, EmbeddedError, KeyFileError, SettingsError) as fault:
        fail(str(fault))
    except OSError as fault:
        told = fault.strerror or str(fault)
        fail(f"{fault.filename}: {told}" if fault.filename else told)
    raise typer.Exit(code)


async def _awaited(work: Callable[[], Awaitable[int]]) -> int:
    return await work()
