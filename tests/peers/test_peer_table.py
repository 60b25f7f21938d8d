"""The table of others' bugs, the tests that carry their names, and the list it came from."""

import ast
import re
from pathlib import Path

from tests.house import ROOT

TABLE = ROOT / "docs/peer-bugs.md"
FOLDER = ROOT / "tests/peers"


def test_each_test_named_in_the_table_exists_and_each_test_is_in_it_once() -> None:
    listed = re.findall(r"`tests/peers/(\w+\.py)::(\w+)`", TABLE.read_text("utf-8"))
    written = [
        (path.name, node.name)
        for path in FOLDER.glob("test_*.py")
        if path != Path(__file__)
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    ]
    assert sorted(listed) == sorted(written)


def test_each_row_names_the_bug_where_it_was_seen_its_test_and_why_not_here() -> None:
    rows = [line for line in TABLE.read_text("utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in rows]
    heads = [row for row in cells if row[0] == "what goes wrong"]
    assert {len(row) for row in heads[:-1]} == {4}
    assert {len(row) for row in cells if "`tests/" in " ".join(row)} == {4}
    assert all(all(row) for row in cells)


def test_every_report_of_the_list_has_its_row(shared: Path) -> None:
    text = (shared / "reference/peers.md").read_text("utf-8")
    section = text.partition("\n## 6. ")[2].partition("\n## ")[0]
    reports = set(re.findall(r"#(\d+)", section))
    assert len(reports) > 40
    rows = "".join(line for line in TABLE.read_text("utf-8").splitlines() if line[:2] == "| ")
    assert reports - set(re.findall(r"#(\d+)", rows)) == set()
