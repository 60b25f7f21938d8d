"""Says where a value does not fit a schema, for as much of JSON Schema as descriptions use."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "null": type(None),
}
_UNDERSTOOD = {
    *("type", "enum", "anyOf", "properties", "required", "additionalProperties", "items"),
    *("minItems", "minLength", "maxLength", "minimum", "maximum", "description", "format"),
}


def misfits(value: object, schema: Mapping[str, Any], place: str = "") -> list[str]:
    """Each place of `value` that does not fit, with what is wrong; none when it fits."""
    assert schema.keys() <= _UNDERSTOOD, schema.keys() - _UNDERSTOOD
    return list(_misfits(value, schema, place))


def _misfits(value: object, schema: Mapping[str, Any], place: str) -> Iterator[str]:
    if "anyOf" in schema:
        tries = [misfits(value, form, place) for form in schema["anyOf"]]
        if all(tries):
            yield from min(tries, key=len)
        return
    if not _is_one_of(value, schema.get("type")):
        yield f"{place}: {value!r} is no {schema['type']}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: {value!r} is not in {schema['enum']}"
    if isinstance(value, dict):
        yield from _mapping(cast("dict[str, object]", value), schema, place)
    elif isinstance(value, list):
        items = cast("list[object]", value)
        if len(items) < schema.get("minItems", 0):
            yield f"{place}: too few"
        for number, item in enumerate(items):
            yield from misfits(item, schema.get("items", {}), f"{place}[{number}]")
    elif isinstance(value, str):
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            yield f"{place}: length {len(value)}"
    elif isinstance(value, int) and not _within(value, schema):
        yield f"{place}: {value} is out of limits"


def _within(value: int, schema: Mapping[str, Any]) -> bool:
    return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))


def _mapping(value: Mapping[str, object], schema: Mapping[str, Any], place: str) -> Iterator[str]:
    known = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    for key in schema.get("required", ()):
        if key not in value:
            yield f"{place}: {key} is missing"
    for key, inner in value.items():
        here = f"{place}.{key}"
        if key in known:
            yield from misfits(inner, known[key], here)
        elif others is False:
            yield f"{here}: no such key"
        elif others is not True:
            yield from misfits(inner, others, here)


def _is_one_of(value: object, types: str | list[str] | None) -> bool:
    if types is None:
        return True
    names = [types] if isinstance(types, str) else types
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, _TYPES[name]) for name in names)
