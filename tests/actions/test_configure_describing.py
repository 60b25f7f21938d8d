"""The schemas of what is configured: they come from the rules, and say what the rules say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as File
from typing import Any, cast

import pytest
from inline_snapshot import snapshot

from tests.actions.configured import PLUG_INS, SMALL
from tests.actions.fitting import misfits
from tocsin.actions.configure import RESOURCES, bodies, read
from tocsin.actions.configure.blocks import Block
from tocsin.actions.configure.check import Check, known_names
from tocsin.actions.configure.describing import described, outline
from tocsin.actions.configure.faults import Path
from tocsin.actions.configure.places import Schema
from tocsin.actions.configure.shape import split
from tocsin.actions.configure.tree import check_root, check_tree
from tocsin.store.configuration import Kind

SCHEMAS = described(PLUG_INS)
FILE = outline(PLUG_INS).schema()
UNKNOWN = "no_rule_asks_for_this"
TURNS = range(14)  # the words of the longest choice, and one


@dataclass(slots=True, kw_only=True)
class Watched(Block):
    """A block that keeps for the test what it and those inside it were asked for."""

    seen: dict[Path, set[str]] = field(default_factory=dict[Path, set[str]])

    def inner(self, value: object, path: Path) -> Block | None:
        """A watched one."""
        found = Block.inner(self, value, path)
        if found is None:
            return None
        self.seen[path] = found.asked
        return Watched(found.value, path, self.faults, found.asked, seen=self.seen)


def _example(schema: Mapping[str, Any], turn: int) -> object:
    """A value with every key of the schema at every place; `turn` picks among forms and words."""
    if "anyOf" in schema:
        forms = schema["anyOf"]
        return _example(forms[turn % len(forms)], turn)
    if "enum" in schema:
        return schema["enum"][turn % len(schema["enum"])]
    match schema.get("type"):
        case "object":
            known = schema.get("properties", {})
            made = {key: _example(inner, turn) for key, inner in known.items()}
            others = schema.get("additionalProperties")
            if isinstance(others, dict):
                made["x"] = _example(cast("Schema", others), turn)
            return made
        case "array":
            return [_example(schema["items"], turn)]
        case "boolean":
            return True
        case "integer":
            return schema["minimum"]
        case _:
            return "x"


def _closed(value: object, schema: Mapping[str, Any], path: Path = ()) -> Iterator[Path]:
    """The place of every mapping in an example that takes no other keys."""
    for form in schema.get("anyOf", (schema,)):
        if isinstance(value, dict) and form.get("type") == "object":
            block = cast("dict[str, object]", value)
            known = form.get("properties", {})
            others = form.get("additionalProperties")
            if others is False and known.keys() >= block.keys():
                yield path
            for key, inner in block.items():
                if (found := known.get(key, others)) and isinstance(found, dict):
                    yield from _closed(inner, cast("Schema", found), (*path, key))
        elif isinstance(value, list) and form.get("type") == "array":
            for number, inner in enumerate(cast("list[object]", value)):
                yield from _closed(inner, form["items"], (*path, number))


def _at(value: object, path: Path) -> dict[str, object]:
    for part in path:
        value = cast("dict[str | int, object]", value)[part]
    return cast("dict[str, object]", value)


def _properties(schema: Mapping[str, Any], path: Path) -> set[str]:
    """The keys that a schema of the file has at a place, in any of its forms."""
    forms = [schema]
    for part in path:
        forms = [inner for form in forms for inner in _inside(form, part)]
    return {
        key
        for form in forms
        for one in form.get("anyOf", (form,))
        for key in one.get("properties", ())
    }


def _inside(schema: Mapping[str, Any], part: str | int) -> Iterator[Schema]:
    for form in schema.get("anyOf", (schema,)):
        if isinstance(part, int):
            if form.get("type") == "array":
                yield form["items"]
        elif part in form.get("properties", {}):
            yield form["properties"][part]
        elif isinstance(form.get("additionalProperties"), dict):
            yield form["additionalProperties"]


def _checked(tree: Mapping[str, object]) -> Check:
    check = Check(known_names(tree), PLUG_INS)
    check_tree(tree, check)
    return check


def test_every_kind_of_the_api_has_its_keys_and_takes_no_others() -> None:
    assert set(SCHEMAS) == set(RESOURCES.values())
    for kind, schema in SCHEMAS.items():
        assert schema["type"] == "object"
        assert schema["properties"]
        # Only the source of a connector knows its further keys.
        assert schema["additionalProperties"] is (kind is Kind.CONNECTOR)


@pytest.mark.parametrize("turn", TURNS)
def test_the_rules_know_every_key_of_the_schemas_and_refuse_any_other(turn: int) -> None:
    tree = cast("dict[str, object]", _example(FILE, turn))
    closed = set(_closed(tree, FILE))
    assert len(closed) > 20
    for path in closed:
        _at(tree, path)[UNKNOWN] = 1
    unknown = {
        fault.path
        for fault in _checked(tree).faults.found
        if fault.what.startswith("there is no such key here")
    }
    assert unknown == {(*path, UNKNOWN) for path in closed}


@pytest.mark.parametrize("turn", TURNS)
def test_the_schemas_have_every_key_that_the_rules_ask_for(turn: int) -> None:
    tree = cast("dict[str, object]", _example(FILE, turn))
    check = Check(known_names(tree), PLUG_INS)
    root = Watched(tree, (), check.faults)
    check_root(root, check)
    seen = {(): root.asked, **root.seen}
    assert len(seen) > 30
    missing = {
        (*path, key) for path, asked in seen.items() for key in asked - _properties(FILE, path)
    }
    assert not missing


def test_what_the_schemas_require_the_rules_require() -> None:
    for turn in TURNS:
        tree = cast("dict[str, object]", _example(FILE, turn))
        for path, key in list(_required(tree, FILE)):
            block = _at(tree, path)
            kept = block.pop(key)
            faults = {(fault.path, fault.what) for fault in _checked(tree).faults.found}
            block[key] = kept
            assert (path, f"`{key}` is missing") in faults


def _required(
    value: object, schema: Mapping[str, Any], path: Path = ()
) -> Iterator[tuple[Path, str]]:
    for form in schema.get("anyOf", (schema,)):
        if isinstance(value, dict) and form.get("type") == "object":
            block = cast("dict[str, object]", value)
            if block.keys() >= set(form.get("required", ())):
                yield from ((path, key) for key in form.get("required", ()))
            for key, inner in block.items():
                for found in _inside(form, key):
                    yield from _required(inner, found, (*path, key))
        elif isinstance(value, list) and form.get("type") == "array":
            for number, inner in enumerate(cast("list[object]", value)):
                yield from _required(inner, form["items"], (*path, number))


def test_the_required_keys_of_each_kind() -> None:
    assert {kind.value: schema.get("required", []) for kind, schema in SCHEMAS.items()} == (
        snapshot(
            {
                "user": [],
                "contact method": ["channel"],
                "notification rule": ["via"],
                "team": ["time_zone"],
                "schedule": [],
                "override": ["from", "to"],
                "escalation policy": ["steps"],
                "category": [],
                "integration": ["inlet", "secret"],
                "connector": ["source"],
                "maintenance window": ["from", "reason", "to"],
            }
        )
    )


def test_choices_are_closed_sets_of_words_and_name_what_is_installed() -> None:
    def unloadable() -> Any:  # noqa: ANN401 - stands for any plug-in's class
        pytest.fail("a plug-in was loaded to describe it")

    installed = replace(
        PLUG_INS,
        channels={"pigeon": unloadable},
        inlets={"smoke": unloadable},
        sources={"tower": unloadable},
    )
    found = described(installed)
    assert "pigeon" in found[Kind.METHOD]["properties"]["channel"]["enum"]
    assert "smoke" in found[Kind.INTEGRATION]["properties"]["inlet"]["enum"]
    assert "tower" in found[Kind.CONNECTOR]["properties"]["source"]["enum"]
    assert found[Kind.USER]["properties"]["role"] == snapshot(
        {"type": "string", "enum": ["viewer", "user", "scheduler", "team_admin", "admin"]}
    )
    assert found[Kind.SCHEDULE]["properties"]["tier"] == snapshot(
        {"type": ["string", "integer"], "enum": ["1", "2", "3", "manager", 1, 2, 3]}
    )


def test_what_may_be_written_in_two_ways_has_both_forms() -> None:
    member = SCHEMAS[Kind.TEAM]["properties"]["members"]["items"]
    assert misfits("mara", member) == []
    assert misfits({"user": "ada", "role": "team_admin"}, member) == []
    assert misfits({"role": "team_admin"}, member)
    secret = SCHEMAS[Kind.INTEGRATION]["properties"]["secret"]
    assert misfits({"stored": "plant"}, secret) == misfits("plant-secret-0001", secret) == []
    step = SCHEMAS[Kind.POLICY]["properties"]["steps"]["items"]
    severity = step["properties"]["when"]["properties"]["severity"]
    assert misfits("high", severity) == misfits(["high", "low"], severity) == []
    assert misfits([], severity)
    rotation = SCHEMAS[Kind.SCHEDULE]["properties"]["rotations"]["items"]["properties"]
    daily = {"days": ["mon"], "from": "09:00", "to": "17:00"}
    weekly = {"from_day": "mon", "from": "09:00", "to_day": "fri", "to": "17:00"}
    assert misfits([daily, weekly], rotation["restrictions"]) == []
    assert misfits([daily | weekly], rotation["restrictions"])
    assert misfits([["mara", "jonas"], "ada"], rotation["participants"]) == []


def test_a_contact_method_that_a_browser_subscribes_needs_no_address() -> None:
    assert misfits({"channel": "webpush"}, SCHEMAS[Kind.METHOD]) == []


def test_the_example_fits_the_schemas(shared: File) -> None:
    tree = read((shared / "examples/soc.yaml").read_bytes()).value
    assert misfits(tree, FILE) == []
    items = [item for item in split(tree).values() if item.key.kind in SCHEMAS]
    assert {item.key.kind for item in items} == set(SCHEMAS) - {Kind.MAINTENANCE}
    for item in items:
        assert misfits(item.body, SCHEMAS[item.key.kind], str(item.key)) == []


def test_a_change_takes_null_for_what_can_be_left_out_and_needs_nothing() -> None:
    change = bodies(PLUG_INS)[Kind.METHOD].change
    assert misfits({}, change) == misfits({"enabled": None}, change) == []
    assert misfits({"channel": None}, change)
    assert misfits({UNKNOWN: 1}, change) == [f".{UNKNOWN}: no such key"]


def test_a_new_object_names_itself_and_its_owner() -> None:
    assert {kind.value: body.new["required"] for kind, body in bodies(PLUG_INS).items()} == (
        snapshot(
            {
                "team": ["name", "time_zone"],
                "user": ["name"],
                "contact method": ["user", "name", "channel"],
                "notification rule": ["user", "urgency", "via"],
                "schedule": ["team", "name"],
                "override": ["team", "schedule", "from", "to"],
                "escalation policy": ["team", "name", "steps"],
                "integration": ["team", "name", "inlet"],
                "category": ["team", "name"],
                "connector": ["team", "name", "source"],
                "maintenance window": ["name", "from", "reason", "to"],
            }
        )
    )


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("members: [mara,", "members: [[mara],", "there is no user"),
        ("members: [mara,", "members: [{user: [mara]},", "there is no user"),
        ('mara"}', 'mara", signing_key: {stored: [x]}}', "is not stored here"),
        ("secret: plant-secret-0001", "secret: {stored: {a: b}}", "is not stored here"),
    ],
)  # fmt: skip
def test_a_list_or_mapping_in_the_place_of_a_name_is_a_fault(
    old: str, new: str, fault: str
) -> None:
    assert SMALL.count(old) == 1
    found = _checked(read(SMALL.replace(old, new)).value).faults.found
    assert any(fault in one.what for one in found), found
