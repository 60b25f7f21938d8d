"""The socket for commands that plug-ins bring."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tocsin.ports.common import Clock, Secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandContext:
    """What a command is handed; an entry point of `tocsin.commands` may be a function of it.

    The function answers the exit code. `arguments` follow the command's name. `block` finds a
    connector by name in a configuration file and raises ValueError with the remedy. `say` prints a
    line of the result, `tell` a line of progress.
    """

    arguments: tuple[str, ...]
    allow_private: tuple[str, ...]
    clock: Clock
    secret: Secrets
    block: Callable[[Path, str], Mapping[str, Any]]
    say: Callable[[str], None]
    tell: Callable[[str], None]
