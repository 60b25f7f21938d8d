"""`tocsin …`: finds the command, loads it, runs it."""

import ast
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points, version
from importlib.util import find_spec
from pathlib import Path

GROUP = "tocsin.commands"

ORDER = ("serve", "demo", "plan", "apply", "export", "who", "token", "doctor", "ledger", "azure")
"""The order in which people meet the shipped commands; others follow by name."""

_PLUGGED = EntryPoint("plugged", "tocsin.cli.plugged:run", GROUP)
"""What hands plug-ins' commands their context, loaded only for them."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command. Exits with its code; 2 for a command that does not exist."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    commands = {entry.name: entry for entry in entry_points(group=GROUP)}
    name = given[0] if given else "--help"
    if name in commands:
        command = commands[name].load()
        if callable(command):
            raise SystemExit(_PLUGGED.load()(command, given[1:]))
        command.app(args=given[1:], prog_name=f"tocsin {name}")
        return
    if name == "--version":
        print(f"tocsin {version('tocsin')}")
        return
    if name in {"--help", "-h", "help"}:
        print(_help(commands))
        return
    print(f"tocsin has no command {name}.\n\n{_help(commands)}", file=sys.stderr)
    raise SystemExit(2)


def _help(commands: Mapping[str, EntryPoint]) -> str:
    names = sorted(commands, key=lambda name: (ORDER.index(name) if name in ORDER else 99, name))
    lines = [f"  {name:<9} {_sentence(commands[name])}" for name in names]
    return "\n".join(
        (
            "Tocsin wakes the right person and tells the system that raised the alarm.",
            "",
            "Usage: tocsin COMMAND [--help]",
            "",
            *lines,
        )
    )


def _sentence(entry: EntryPoint) -> str:
    """The first line of the command's docstring, read from its source without importing it."""
    spec = find_spec(entry.module)
    if spec is None or spec.origin is None:
        return "(not installed)"
    doc = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8")))
    return (doc or "").partition("\n")[0]
