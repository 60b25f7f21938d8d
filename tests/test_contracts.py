"""The contracts of the house: kept by the source, and broken by one planted import each."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house import ROOT, SOURCE

# Contract id, file that gets the import, the import.
PLANTED = [
    ("house", "store/planted.py", "import tocsin.actions"),
    ("house", "store/planted.py", "import tocsin.channels"),
    ("house", "core/planted.py", "import tocsin.ports"),
    ("house", "planted.py", ""),
    ("plug-ins", "channels/planted.py", "import tocsin.channels.other"),
    ("plug-ins", "inlets/planted.py", "import tocsin.inlets.other"),
    ("core", "core/planted.py", "import asyncio"),
    ("core", "core/planted.py", "from logging import getLogger"),
    ("by-name", "cli/planted.py", "import tocsin.microsoft"),
    ("by-name", "actions/planted.py", "from tocsin import channels"),
    ("settings", "web/planted.py", "import tocsin.settings"),
    ("simulator", "demo/planted.py", "import tocsin.microsoft"),
    ("cycles", "core/planted.py", "import tocsin.core.other"),
]
TOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
CONTRACTS = {each["id"]: each["name"] for each in TOOLS["importlinter"]["contracts"]}


def test_the_source_keeps_every_contract() -> None:
    result = _lint(SOURCE)
    assert result.returncode == 0, result.stdout


def test_every_contract_has_a_planted_offence() -> None:
    assert {contract for contract, _, _ in PLANTED} == set(CONTRACTS)


@pytest.mark.parametrize(("contract", "file", "statement"), PLANTED)
def test_a_planted_import_breaks_its_contract(
    contract: str, file: str, statement: str, tmp_path: Path
) -> None:
    source = tmp_path / "src"
    shutil.copytree(SOURCE, source, ignore=shutil.ignore_patterns("__pycache__"))
    planted = source / "tocsin" / file
    planted.write_text(f'"""Planted."""\n{statement}\n')
    if statement.endswith(".other"):  # a neighbour, which imports the planted module in return
        back = statement.replace(".other", ".planted")
        planted.with_name("other.py").write_text(f'"""Other."""\n{back}\n')
    result = _lint(source, contract)
    assert result.returncode == 1
    assert f"{CONTRACTS[contract]} BROKEN" in result.stdout


def _lint(source: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    """Runs import-linter on the package below `source`, with the contracts of this repository."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    command += ["--config", str(ROOT / "pyproject.toml")]
    for contract in contracts:
        command += ["--contract", contract]
    return subprocess.run(
        command,
        cwd=source,
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
    )
