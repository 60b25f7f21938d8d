"""The house as its source shows it: modules, their sentences, their rows in the architecture.

Run as a program (`make architecture`) it writes the module table of docs/architecture.md anew.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src"
ARCHITECTURE = ROOT / "docs/architecture.md"
BEGIN, END = "<!-- modules -->", "<!-- /modules -->"

# The floors, top first, as in the contract "The house" of pyproject.toml.
FLOORS = {
    "cli": "roof",
    "demo": "roof",
    "app": "roof",
    "settings": "roof",
    "web": "4 doors",
    "worker": "4 doors",
    "actions": "3 actions",
    "store": "2 store",
    "channels": "2 channels",
    "inlets": "2 inlets",
    "sinks": "2 sinks",
    "microsoft": "2 microsoft",
    "testing": "1 testing",
    "egress": "1 ports",
    "keys": "1 ports",
    "clock": "1 ports",
    "ports": "1 ports",
    "core": "0 core",
}
# Packages of rooms. Any other package stands in the place of one module.
WINGS = {
    "cli", "demo", "web", "actions", "store", "channels", "inlets", "sinks", "microsoft",
    "testing", "core",
}  # fmt: skip


@dataclass(frozen=True)
class Module:
    """One Python file of the package."""

    path: Path

    @property
    def name(self) -> str:
        """The path below `src/tocsin`; a package has the name of its folder."""
        path = self.path.relative_to(SOURCE / "tocsin")
        return str(path.parent) + "/" if path.name == "__init__.py" else str(path)

    @property
    def floor(self) -> str:
        """The first part of the name."""
        return self.name.split("/")[0].removesuffix(".py")

    @cached_property
    def text(self) -> str:
        """The source."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed source."""
        return ast.parse(self.text)

    @property
    def sentence(self) -> str:
        """The first line of the docstring, or nothing."""
        return (ast.get_docstring(self.tree) or "").partition("\n")[0]

    @property
    def has_row(self) -> bool:
        """Not: an `__init__` without code, a revision of the database."""
        if "migrations/versions/" in self.name:
            return False
        empty = all(isinstance(node, ast.Expr) for node in self.tree.body)
        return not (self.path.name == "__init__.py" and empty)


def modules() -> Iterator[Module]:
    """Every module of the package, in the order of the table."""
    order = list(FLOORS)
    found = [Module(path) for path in (SOURCE / "tocsin").rglob("*.py")]

    def place(module: Module) -> tuple[int, str]:
        known = module.floor in FLOORS
        return (order.index(module.floor) if known else -1), module.name

    yield from sorted(found, key=place)


def table() -> str:
    """The module table as the source demands it."""
    lines = ["| floor | module | one sentence |", "|---|---|---|"]
    for module in modules():
        if module.has_row:
            floor = FLOORS.get(module.floor, "?")
            lines.append(f"| {floor} | `{module.name}` | {module.sentence} |")
    return "\n".join(lines)


def written_table() -> str:
    """The module table as it stands in docs/architecture.md."""
    return ARCHITECTURE.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0].strip()


def main() -> None:
    """Writes the table."""
    before, _, rest = ARCHITECTURE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    text = f"{before}{BEGIN}\n{table()}\n{END}{after}"
    ARCHITECTURE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
