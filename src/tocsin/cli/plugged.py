"""Runs the commands that plug-ins bring."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import typer

from tocsin.app import configure_logs, secret
from tocsin.cli.reporting import document
from tocsin.cli.running import settings, tell
from tocsin.clock import SystemClock
from tocsin.ports import CommandContext


def run(command: Callable[[CommandContext], int], arguments: Sequence[str]) -> int:
    """The command's exit code."""
    try:
        configured = settings()
        configure_logs(configured.log_format, logging.ERROR)
        return command(
            CommandContext(
                arguments=tuple(arguments),
                allow_private=configured.allow_private_targets,
                clock=SystemClock(),
                secret=secret,
                block=connector,
                say=print,
                tell=tell,
            )
        )
    except typer.Exit as end:
        return end.exit_code
    except (KeyboardInterrupt, asyncio.CancelledError):
        tell("tocsin: interrupted; run it again to go on from here")
        return 130


def connector(path: Path, name: str) -> Mapping[str, Any]:
    """The block of a connector in a configuration file. Raises ValueError."""
    teams = document(path).value.get("teams")
    found = [
        cast("Mapping[str, Any]", block)
        for team in (_mapping(teams)).values()
        for called, block in _mapping(_mapping(team).get("connectors")).items()
        if called == name and isinstance(block, dict)
    ]
    if len(found) != 1:
        what = "no connector" if not found else "more than one connector"
        raise ValueError(f"{path} has {what} {name}: name one of its connectors")
    return found[0]


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}
