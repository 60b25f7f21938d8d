"""The rules of the house that no linter knows; each test tells the offenders by name."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import grimp

from tests.house import ROOT, SOURCE, WINGS, Module, modules, table, written_table

MAX_FUNCTION = 40
MAX_FILE = 300
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
CLOCKS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
    "time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime",
    "Instant.now", "ZonedDateTime.now", "OffsetDateTime.now", "PlainDateTime.now",
    "SystemDateTime.now", "Date.today_in_system_tz",
}  # fmt: skip
SILENCED = re.compile(
    r"#\s*(?:noqa|type:\s*ignore|pyright:\s*ignore)(?::\s*[A-Z0-9, ]+|\[[\w, -]+\])?(.*)"
)


def test_the_table_of_the_architecture_is_equal_to_the_docstrings() -> None:
    assert written_table() == table(), "run `make architecture`"


def test_every_module_says_in_one_sentence_what_it_is() -> None:
    wrong = [
        module.name
        for module in modules()
        if module.has_row
        and (not module.sentence.endswith(".") or module.sentence.rstrip(".").count(". "))
    ]
    assert wrong == []


def test_no_function_is_longer_than_forty_lines() -> None:
    long = [
        f"{module.name}: {node.name} has {_lines(node)} lines"
        for module in _written_by_hand()
        for node in ast.walk(module.tree)
        if isinstance(node, FUNCTIONS) and _lines(node) > MAX_FUNCTION
    ]
    assert long == []


def test_no_file_is_longer_than_three_hundred_lines() -> None:
    long = {
        module.name: count
        for module in _written_by_hand()
        if (count := len(module.text.splitlines())) > MAX_FILE
    }
    assert long == {}


def test_no_file_is_called_utils() -> None:
    names = {"util", "utils", "helpers", "common_utils", "misc"}
    assert [path for path in (ROOT / "src").rglob("*.py") if path.stem in names] == []


def test_every_import_stands_at_the_top_of_its_file() -> None:
    hidden = [
        f"{module.name}:{inner.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, FUNCTIONS)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_every_folder_is_a_package_so_that_the_contracts_see_it() -> None:
    folders = {module.path.parent for module in modules()}
    bare = [str(folder.relative_to(SOURCE)) for folder in folders if not _is_package(folder)]
    assert sorted(bare) == []


def test_only_the_clock_reads_the_time() -> None:
    readers = [
        f"{module.name}:{node.lineno} {name}"
        for module in modules()
        if module.name != "clock.py"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute | ast.Name) and (name := _dotted(node)) in CLOCKS
    ]
    assert readers == []


def test_only_the_roof_loads_entry_points() -> None:
    loaders = [
        module.name
        for module in modules()
        if module.floor not in {"app", "cli"} and re.search(r"\bentry_points\b", module.text)
    ]
    assert loaders == []


def test_the_inside_of_a_package_is_imported_only_by_itself() -> None:
    """`store/schema/` stands in the place of `store/schema.py`: its inside is its own affair."""
    graph = grimp.build_graph("tocsin", cache_dir=None)
    broken = [
        f"{importer} imports {inside}"
        for package in graph.modules
        if _replaces_a_module(package)
        for inside in graph.find_descendants(package)
        for importer in graph.find_modules_that_directly_import(inside)
        if importer != package and not importer.startswith(f"{package}.")
    ]
    assert broken == []


def test_every_silenced_check_has_its_reason_beside_it() -> None:
    places = [*(ROOT / "src").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in places
        if "migrations/versions" not in str(path)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if (found := SILENCED.search(line)) and not re.search(r"[A-Za-z]{3}", found[1])
    ]
    assert bare == []


def _written_by_hand() -> Iterator[Module]:
    return (module for module in modules() if "migrations/versions/" not in module.name)


def _is_package(folder: Path) -> bool:
    """Revisions of the database are read by Alembic, and imported by nobody."""
    return (folder / "__init__.py").exists() or folder.name == "versions"


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _dotted(node: ast.Attribute | ast.Name) -> str:
    """The last two parts of a name: `datetime.now` for `datetime.datetime.now`."""
    return ".".join(ast.unparse(node).split(".")[-2:])


def _replaces_a_module(package: str) -> bool:
    """Whether it is neither the root nor one of the wings, whose files are rooms of their own."""
    parts = package.split(".")[1:]
    return bool(parts) and not (len(parts) == 1 and parts[0] in WINGS)
