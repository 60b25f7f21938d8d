"""What the documents say, as far as it can be checked."""

import re
from pathlib import Path

import pytest

from tests.house import ARCHITECTURE, ROOT

DOCUMENTS = [
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if "node_modules" not in path.parts
]
DECISIONS = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))
SECTIONS = ["Context", "Decision", "Consequences", "Alternatives", "Where it is enforced"]
TEST_NAME = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", document.read_text("utf-8"))
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_every_test_that_a_document_names_exists(document: Path) -> None:
    missing = [
        f"{file}::{name}"
        for file, name in TEST_NAME.findall(document.read_text("utf-8"))
        if not (ROOT / file).is_file() or f"def {name}" not in (ROOT / file).read_text("utf-8")
    ]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_every_make_target_that_a_document_names_exists(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = re.findall(r"(?:`|^)make ([a-z]+)", document.read_text("utf-8"), re.MULTILINE)
    assert [name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)] == []


def test_every_invariant_has_its_row() -> None:
    rows = re.findall(r"^\| (I\d+) \|", ARCHITECTURE.read_text("utf-8"), re.MULTILINE)
    assert rows == [f"I{number}" for number in range(1, 13)]


@pytest.mark.parametrize("decision", DECISIONS, ids=_name)
def test_every_decision_has_the_same_sections(decision: Path) -> None:
    assert re.findall(r"^## (.+)$", decision.read_text("utf-8"), re.MULTILINE) == SECTIONS


def test_every_decision_stands_in_the_list() -> None:
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (ROOT / "docs/adr/README.md").read_text())
    assert listed == [path.name for path in DECISIONS]


def test_the_glossary_explains_each_word_once() -> None:
    text = (ROOT / "docs/glossary.md").read_text("utf-8")
    words = re.findall(r"^\| ([a-z ]+) \| [A-Z]", text, re.MULTILINE)
    assert "alert" in words
    assert sorted(set(words)) == sorted(words)


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_names_versions_and_hashes_and_no_index(lock: str) -> None:
    lines = (ROOT / lock).read_text("utf-8").splitlines()
    assert [line for line in lines if "://" in line or "index-url" in line] == []
    starts = [line for line in lines if line[:1].isalnum()]
    assert [line for line in starts if not re.match(r"[\w.\[\],-]+==[\w.+!]+( ;| \\)", line)] == []
