"""The Microsoft Sentinel solution is built the same each time, and keeps Microsoft's rules."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from deploy.solution import arm, content, rules
from deploy.solution.__main__ import build, main
from deploy.solution.package import main_template, written
from deploy.solution.pieces import deferred, pieces
from deploy.solution.sources import FOLDER, Json, Part, Sources, read_sources
from deploy.solution.wizard import create_ui_definition
from tests.house import ROOT
from tocsin.microsoft.table import COLUMNS, stream_columns, table_columns

PUBLISHED = ROOT.parent / "shared/reference/data/microsoft"


@pytest.fixture(name="sources")
def _sources() -> Sources:
    return read_sources()


@pytest.fixture(name="template")
def _template(sources: Sources) -> Json:
    return main_template(sources)


def _one(template: Json, kind: str) -> Json:
    resources = cast("list[Json]", template["resources"])
    return next(one for one in resources if str(one["type"]).endswith(f"/{kind}"))


def _properties(resource: Json) -> Json:
    return cast("Json", resource["properties"])


def _templates(template: Json) -> list[Json]:
    resources = cast("list[Json]", template["resources"])
    return [_properties(one) for one in resources if str(one["type"]).endswith("/contentTemplates")]


def test_the_solution_keeps_every_rule(sources: Sources) -> None:
    assert rules.faults(sources) == []


def test_the_same_sources_give_the_same_bytes(sources: Sources, tmp_path: Path) -> None:
    first, second = build(sources, tmp_path / "one"), build(sources, tmp_path / "two")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    with zipfile.ZipFile(first[-1]) as packed:
        assert packed.namelist() == ["mainTemplate.json", "createUiDefinition.json"]
        assert packed.read("mainTemplate.json") == first[0].read_bytes()


def test_the_builder_runs_as_a_program_whatever_the_hashes(tmp_path: Path) -> None:
    outputs: list[bytes] = []
    for seed in ("1", "2"):
        out = tmp_path / seed
        command = [sys.executable, "-m", "deploy.solution", "--out", str(out)]
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        subprocess.run(command, check=True, cwd=ROOT, env=environment, capture_output=True)
        outputs.append((out / "mainTemplate.json").read_bytes())
    assert outputs[0] == outputs[1]


def test_nothing_that_is_built_lies_in_the_repository() -> None:
    assert [path for path in FOLDER.rglob("*") if path.parent.name == "Package"] == []


def test_table_rule_and_connector_have_the_same_columns(template: Json) -> None:
    schema = cast("Json", _properties(_one(template, "tables"))["schema"])
    collection = _properties(_one(template, "dataCollectionRules"))
    streams = cast("dict[str, Json]", collection["streamDeclarations"])
    assert schema["columns"] == table_columns()
    assert streams == {"Custom-SIGNL4_CL": {"columns": stream_columns()}}
    assert [column["name"] for column in table_columns()] == list(COLUMNS)


def test_the_document_tells_of_every_column() -> None:
    told = (ROOT / "docs/sentinel-solution.md").read_text("utf-8")
    rows = [f"| `{name}` | {kind.value} | {about} |" for name, (kind, about) in COLUMNS.items()]
    assert "\n".join(rows) == "\n".join(_table_in(told))


def test_the_rule_has_an_endpoint_of_its_own_as_in_the_published_sample(template: Json) -> None:
    rule = _one(template, "dataCollectionRules")
    sample = _published("loganalytics/dcr-direct.sample.json")
    assert rule["kind"] == sample["kind"]
    assert set(_properties(rule)) == set(_properties(sample))
    (flow,) = cast("list[Json]", _properties(rule)["dataFlows"])
    (sample_flow,) = cast("list[Json]", _properties(sample)["dataFlows"])
    assert set(flow) == set(sample_flow)
    assert flow["outputStream"] == "Custom-SIGNL4_CL"


def test_the_types_of_columns_are_those_of_the_published_models() -> None:
    tables = cast("Json", _published("loganalytics/operationalinsights-2025-07-01.json")["Tables"])
    kinds = cast("list[str]", tables["Constant-ColumnTypeEnum"])
    assert {column["type"] for column in table_columns()} <= set(kinds)
    assert {column["type"] for column in stream_columns()} <= {kind.casefold() for kind in kinds}


def test_the_connector_fits_the_published_schema(sources: Sources) -> None:
    schema = _published("solution/REST_API_ConnectorSchema.json")
    for part in sources.connectors:
        assert _misfits(part.body, schema, part.path) == []
    without = {key: value for key, value in sources.connectors[0].body.items() if key != "title"}
    assert _misfits(without, schema, "") == [": title is missing"]


def test_another_table_is_meant_everywhere() -> None:
    renamed = read_sources(table="PAGES_CL")
    assert rules.faults(renamed) == []
    whole = written(main_template(renamed)) + written(create_ui_definition(renamed))
    assert "SIGNL4_CL" not in whole
    assert "Custom-PAGES_CL" in whole


def test_a_name_that_no_table_can_have_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--table", "pages; drop"])
    assert "named like SIGNL4_CL" in capsys.readouterr().err


def test_every_part_becomes_a_template_that_the_package_names(
    sources: Sources, template: Json
) -> None:
    package = _properties(_one(template, "contentPackages"))
    criteria = cast("list[Json]", cast("Json", package["dependencies"])["criteria"])
    kinds = ["DataConnector", "Workbook", "AnalyticsRule", "HuntingQuery", "Playbook"]
    assert [one["kind"] for one in criteria] == kinds
    assert [one["contentKind"] for one in _templates(template)] == kinds
    assert len(list(pieces(sources))) == len(kinds)


def test_the_workbook_arrives_whole(sources: Sources, template: Json) -> None:
    held = cast("Json", _templates(template)[1]["mainTemplate"])
    workbook = _properties(cast("list[Json]", held["resources"])[0])
    assert json.loads(str(workbook["serializedData"])) == sources.workbooks[0].body


def test_the_workbook_shows_pages_times_people_and_what_is_open(sources: Sources) -> None:
    items = cast("list[Json]", sources.workbooks[0].body["items"])
    names = {name for name, _ in content.workbook_queries(items)}
    assert {"glance", "open", "pages", "arrival", "time", "who", "paged"} <= names


def test_the_expressions_of_a_playbook_wait_until_it_is_made(
    sources: Sources, template: Json
) -> None:
    held = cast("Json", _templates(template)[-1]["mainTemplate"])
    body = sources.playbooks[0].body
    resources = cast("list[Json]", held["resources"])
    assert held["parameters"] == deferred(body["parameters"])
    assert resources[:-1] == deferred(body["resources"])
    assert str(resources[0]["name"]).startswith("[[variables(")


def test_the_playbook_hands_the_hint_to_tocsin_without_showing_the_secret(
    sources: Sources,
) -> None:
    body = sources.playbooks[0].body
    workflow = _properties(cast("list[Json]", body["resources"])[1])
    definition = cast("Json", workflow["definition"])
    (trigger,) = cast("dict[str, Json]", definition["triggers"]).values()
    (action,) = cast("dict[str, Json]", definition["actions"]).values()
    inputs = cast("Json", action["inputs"])
    assert cast("Json", trigger["inputs"])["path"] == "/incident-creation"
    assert (inputs["method"], inputs["body"]) == ("POST", "@triggerBody()")
    assert str(inputs["uri"]).endswith("/in/sentinel/@{parameters('TocsinSecret')}")
    assert action["runtimeConfiguration"] == {"secureData": {"properties": ["inputs"]}}
    parameters = cast("dict[str, Json]", body["parameters"])
    assert parameters["TocsinSecret"]["type"] == "securestring"


def _table_in(document: str) -> list[str]:
    after = document.partition("<!-- columns -->")[2]
    return after.partition("<!-- /columns -->")[0].splitlines()[3:]


def _published(path: str) -> Json:
    file = PUBLISHED / path
    if not file.is_file():
        pytest.skip(f"the published data {path} do not lie beside the project")
    return cast("Json", json.loads(file.read_text("utf-8")))


def _misfits(value: object, schema: Json, where: str) -> list[str]:
    """The words of JSON Schema draft 4 that the published schemas use."""
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int}
    kind = schema.get("type")
    if kind is not None and not isinstance(value, kinds[str(kind)]):
        return [f"{where}: {kind} is wanted"]
    found: list[str] = []
    if isinstance(value, dict):
        given = cast("Json", value)
        wanted = cast("Sequence[str]", schema.get("required", []))
        found += [f"{where}: {key} is missing" for key in wanted if key not in given]
        for key, inner in cast("Mapping[str, Json]", schema.get("properties", {})).items():
            if key in given:
                found += _misfits(given[key], inner, f"{where}.{key}")
    if isinstance(value, list):
        members = cast("list[object]", value)
        places = cast("list[Json]", schema.get("items", []))
        for number, (member, inner) in enumerate(zip(members, places, strict=False)):
            found += _misfits(member, inner, f"{where}[{number}]")
    return found


def _changed(part: Part, change: Callable[[Json], object]) -> Part:
    body = deepcopy(part.body)
    change(body)
    return Part(part.path, body)


OFFENCES: list[tuple[str, Callable[[Sources], Sources], str]] = [
    (
        "domain",
        lambda s: replace(s, metadata={**s.metadata, "categories": {"domains": ["Paging"]}}),
        "categories: Paging is not one of Microsoft's domains",
    ),
    (
        "no domain",
        lambda s: replace(s, metadata={**s.metadata, "categories": {"domains": []}}),
        "categories: at least one domain is wanted",
    ),
    (
        "offer",
        lambda s: replace(s, metadata={**s.metadata, "offerId": "Tocsin.Solution"}),
        "offerId: small letters, digits and hyphens are wanted",
    ),
    (
        "support",
        lambda s: replace(
            s, metadata={**s.metadata, "support": {"name": "T", "email": "mail", "tier": "Gold"}}
        ),
        "support: mail is not a mail address",
    ),
    (
        "version",
        lambda s: replace(s, data={**s.data, "Version": "1.1.0"}),
        "ReleaseNotes.md: the first row has to tell of 1.1.0",
    ),
    (
        "forgotten file",
        lambda s: replace(s, data={**s.data, "Workbooks": []}),
        "Workbooks/TocsinPages.json is named nowhere",
    ),
    (
        "brand",
        lambda s: replace(s, data={**s.data, "Description": "Pages for Sentinel"}),
        "'Sentinel' without 'Microsoft'",
    ),
    (
        "permissions",
        lambda s: replace(
            s, connectors=[_changed(s.connectors[0], lambda b: b.update(permissions={}))]
        ),
        "the permissions are not those of a REST API connector",
    ),
    (
        "connector id",
        lambda s: replace(s, connectors=[_changed(s.connectors[0], lambda b: b.update(id="a b"))]),
        "the id has blanks",
    ),
    (
        "workbook id",
        lambda s: replace(
            s,
            workbooks=[
                _changed(s.workbooks[0], lambda b: b.update(fromTemplateId="sentinel-UserWorkbook"))
            ],
        ),
        "fromTemplateId has to be sentinel- and a name of its own",
    ),
    (
        "rule id",
        lambda s: replace(s, rules=[_changed(s.rules[0], lambda b: b.update(id="rule-1"))]),
        "the id is not a GUID",
    ),
    (
        "spans",
        lambda s: replace(s, rules=[_changed(s.rules[0], lambda b: b.update(queryFrequency="2d"))]),
        "5m <= queryFrequency <= queryPeriod <= 14d does not hold",
    ),
    (
        "a rule that feeds itself",
        lambda s: replace(s, rules=[_changed(s.rules[0], lambda b: b.update(name="Another"))]),
        "it would raise incidents about its own incidents",
    ),
    (
        "a detail that is not there",
        lambda s: replace(
            s, rules=[_changed(s.rules[0], lambda b: b.update(customDetails={"a": "Actor"}))]
        ),
        "the query does not end with Actor",
    ),
    (
        "a column that is not there",
        lambda s: replace(
            s, hunts=[_changed(s.hunts[0], lambda b: b.update(query=f"{b['query']}| where Owner"))]
        ),
        "Owner is not a column",
    ),
    (
        "playbook",
        lambda s: replace(
            s, playbooks=[_changed(s.playbooks[0], lambda b: b.update(metadata={"title": "T"}))]
        ),
        "metadata.support.tier is missing",
    ),
    (
        "logo",
        lambda s: replace(s, logo='<svg style="x"/>'),
        "style= is not allowed",
    ),
]


@pytest.mark.parametrize(
    ("offend", "told"),
    [(offend, told) for _, offend, told in OFFENCES],
    ids=[name for name, _, _ in OFFENCES],
)
def test_each_offence_is_told(
    offend: Callable[[Sources], Sources], told: str, sources: Sources
) -> None:
    assert [fault for fault in rules.faults(offend(sources)) if told in fault] != []


SECRET: Json = {"type": "securestring", "metadata": {"description": "d"}}
ARM_OFFENCES: list[tuple[Callable[[Json], object], str]] = [
    (lambda t: t.update({"$schema": "x"}), "$schema is not that of a deployment template"),
    (lambda t: t.update(contentVersion="1.0"), "four numbers are wanted"),
    (lambda t: t.update(things=[]), "things is no part of a template"),
    (lambda t: _variables(t).update(spare="x"), "variables('spare') is declared, and never read"),
    (lambda t: _variables(t).pop("solutionName"), "variables('solutionName') is read, and not"),
    (lambda t: _variables(t).update(odd="[concat('a']"), "brackets do not match"),
    (lambda t: _variables(t).update(odd="[concat('a)]"), "a quote is not closed"),
    (lambda t: _first(t).update(apiVersion="new"), "apiVersion is not a date"),
    (lambda t: _first(t).update(name="[parameters('workspace')]"), "the name has 1 parts"),
    (lambda t: _first(t).update(location="westeurope"), "location must come from a parameter"),
    (lambda t: _first(t).update(dependsOn=["[resourceId('A/b', 'c')]"]), "not in the template"),
    (lambda t: _first(t).update(colour="red"), "colour is no part of a resource"),
    (lambda t: cast("Json", t["parameters"]).update(key=SECRET), "'key') is declared, and never"),
    (
        lambda t: cast("Json", t["parameters"]).update(key={**SECRET, "defaultValue": "hunter2"}),
        "a secret must not have a default",
    ),
    (
        lambda t: (
            cast("Json", t["parameters"]).update(key=SECRET),
            cast("Json", t["outputs"]).update(key={"value": "[parameters('key')]"}),
        ),
        "output key shows a secret",
    ),
    (
        lambda t: _properties(_first(t)).update(
            id="/subscriptions/11111111-1111-1111-1111-111111111111"
        ),
        "a subscription is named",
    ),
]


def _variables(template: Json) -> Json:
    return cast("Json", template["variables"])


def _first(template: Json) -> Json:
    return cast("list[Json]", template["resources"])[0]


@pytest.mark.parametrize(
    ("offend", "told"), ARM_OFFENCES, ids=[told[:40] for _, told in ARM_OFFENCES]
)
def test_each_offence_in_a_template_is_told(
    offend: Callable[[Json], object], told: str, template: Json
) -> None:
    assert arm.faults(template) == []
    changed = deepcopy(template)
    offend(changed)
    assert [fault for fault in arm.faults(changed) if told in fault] != []


def test_a_variable_that_a_held_template_reads_must_be_declared_in_it(template: Json) -> None:
    changed = deepcopy(template)
    held = cast("Json", _templates(changed)[-1]["mainTemplate"])
    held["variables"] = {}
    assert [fault for fault in arm.faults(changed) if fault.startswith("inside")] != []


def test_the_wizard_asks_for_what_the_template_needs(sources: Sources, template: Json) -> None:
    wizard = create_ui_definition(sources)
    asked = cast("Json", cast("Json", wizard["parameters"])["outputs"])
    del asked["workspace"]
    asked["colour"] = "red"
    assert list(rules.outputs(wizard, template)) == [
        "createUiDefinition: colour is not a parameter of the template",
        "createUiDefinition: workspace is not asked for",
    ]
