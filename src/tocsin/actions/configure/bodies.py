"""The bodies of calls about configured objects, as JSON Schema: to make, to change, as shown."""

from collections.abc import Mapping
from dataclasses import dataclass

from tocsin.actions.configure.describing import described
from tocsin.actions.configure.people import URGENCIES
from tocsin.actions.configure.places import Schema, one_of, text
from tocsin.actions.configure.showing import RESOURCES, fixed
from tocsin.actions.world import PlugIns
from tocsin.store.configuration import Kind

_MADE_HERE = {Kind.INTEGRATION: {"secret"}, Kind.RULE: {"position"}}
"""Keys that a new object is given where its body leaves them out."""
_NAMING: Mapping[str, Schema] = {
    "urgency": one_of(URGENCIES),
    "position": {"type": "integer", "minimum": 0},
}
_SHOWN: Mapping[str, Schema] = {
    "from_file": {"type": "boolean"},
    "changed_by": {"type": ["string", "null"]},
    "changed_at": {"type": ["string", "null"], "format": "date-time"},
}

_BY_OPERATIONS: Mapping[Kind, Mapping[str, Schema]] = {
    Kind.OVERRIDE: {"swap": {"type": "boolean"}},
}
"""Keys that only operations write."""


@dataclass(frozen=True, slots=True)
class Bodies:
    """The schemas of one kind: `new` makes an object, `change` changes it, `shown` answers it."""

    new: Schema
    change: Schema
    shown: Schema


def bodies(plug_ins: PlugIns) -> dict[Kind, Bodies]:
    """The bodies of each kind that the API has."""
    schemas = described(plug_ins)
    return {kind: _bodies(kind, schemas[kind]) for kind in RESOURCES.values()}


def _bodies(kind: Kind, block: Schema) -> Bodies:
    naming = {key: _NAMING.get(key, text(100)) for key in fixed(kind)}
    own = {_outside(key): schema for key, schema in block["properties"].items()}
    needed = [*naming, *map(_outside, block.get("required", ()))]
    open_ = {"additionalProperties": block["additionalProperties"]}
    left = _MADE_HERE.get(kind, set[str]())
    new = {
        "type": "object",
        "properties": naming | own,
        "required": [key for key in needed if key not in left],
    }
    changes = {key: schema if key in needed else _or_null(schema) for key, schema in own.items()}
    return Bodies(
        new=new | open_,
        change={"type": "object", "properties": naming | changes} | open_,
        shown=_shown(naming, {**own, **_BY_OPERATIONS.get(kind, {})}),
    )


def _shown(naming: Mapping[str, Schema], own: Mapping[str, Schema]) -> Schema:
    """Open: answers may grow, and a connector's has what its source asks for."""
    always = {"id": {"type": "string"}, "name": {"type": "string"}, **naming}
    warnings: Schema = {
        "type": "array",
        "items": {"type": "string"},
        "description": "After a change, and of notification rules always: what there is to know"
        " that is no fault, such as a rule that never rings before its step times out.",
    }
    return {
        "type": "object",
        "properties": {**always, **own, **_SHOWN, "warnings": warnings},
        "required": [*always, *_SHOWN],
    }


def _outside(key: str) -> str:
    """In calls `name` is what the file uses as the key, so the name for people has another."""
    return "display_name" if key == "name" else key


def _or_null(schema: Schema) -> Schema:
    """Null takes the key away. What takes anything takes null."""
    return {"anyOf": [schema, {"type": "null"}]} if schema else schema
