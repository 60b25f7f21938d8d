"""The Bicep files, as far as they can be checked without their compiler."""

import re

import pytest

from tests.house import ROOT
from tocsin.microsoft.deploy import STREAM
from tocsin.microsoft.table import stream_columns

FOLDER = ROOT / "deploy/azure"
FILES = sorted(FOLDER.glob("*.bicep"))
TEXTS = {file.name: file.read_text("utf-8") for file in FILES}
STRING = re.compile(r"'(?:\\.|[^'\\])*'")
COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)
KEYWORDS = {"param", "var", "resource", "module", "output", "targetScope"}
VERSIONS = {
    "Microsoft.OperationalInsights/workspaces": "2025-07-01",
    "Microsoft.OperationalInsights/workspaces/tables": "2025-07-01",
    "Microsoft.Insights/dataCollectionRules": "2024-03-11",
    "Microsoft.Authorization/roleAssignments": "2022-04-01",
    "Microsoft.Web/connections": "2016-06-01",
    "Microsoft.Logic/workflows": "2019-05-01",
    "Microsoft.SecurityInsights/automationRules": "2025-09-01",
}


@pytest.mark.parametrize("name", TEXTS)
def test_brackets_and_strings_close_and_each_statement_is_one_that_bicep_has(name: str) -> None:
    text = STRING.sub("''", COMMENT.sub("", TEXTS[name]))
    assert "'" not in text.replace("''", "")
    open_ones: list[str] = []
    for char in text:
        if char in "{[(":
            open_ones.append(char)
        elif char in "}])":
            assert open_ones.pop() + char in {"{}", "[]", "()"}
    assert open_ones == []
    starts = re.findall(r"^([A-Za-z]\w*)", text, re.MULTILINE)
    assert set(starts) <= KEYWORDS


@pytest.mark.parametrize("name", TEXTS)
def test_every_parameter_and_variable_is_used_and_every_resource_has_the_version_of_setup(
    name: str,
) -> None:
    text = TEXTS[name]
    for declared in re.findall(r"^(?:param|var) (\w+)", text, re.MULTILINE):
        assert len(re.findall(rf"\b{declared}\b", text)) > 1, declared
    for kind, version in re.findall(r"^resource \w+ '([^@']+)@([^']+)'", text, re.MULTILINE):
        assert VERSIONS[kind] == version


def test_modules_are_handed_exactly_what_they_ask_for() -> None:
    main = TEXTS["main.bicep"]
    calls = re.findall(r"(?ms)^module \w+ '([\w.]+)'.*?params: \{\n(.*?)\n  \}", main)
    assert len(calls) == 2
    for file, params in calls:
        asked = set(re.findall(r"^param (\w+)", TEXTS[file], re.MULTILINE))
        assert set(re.findall(r"^\s+(\w+):", params, re.MULTILINE)) == asked


def test_the_table_has_the_columns_that_setup_makes() -> None:
    found = re.findall(r"name: '(\w+)'\n\s+type: '(\w+)'", TEXTS["table.bicep"])
    assert [{"name": name, "type": kind} for name, kind in found] == stream_columns()
    assert f"'{STREAM}'" in TEXTS["table.bicep"]


def test_the_address_of_the_hint_is_secure_everywhere() -> None:
    for name in ("main.bicep", "hint.bicep"):
        assert re.search(r"@secure\(\)\nparam hintUrl string", TEXTS[name])
    assert not any(
        "output" in line and "hintUrl" in line for line in TEXTS["hint.bicep"].split("\n")
    )
