"""What a template of Azure Resource Manager must keep to, as far as its text can tell."""

import re
from collections.abc import Iterator
from typing import cast

from deploy.solution.sources import Json

_KEYS = {"$schema", "contentVersion", "metadata", "parameters", "variables", "resources", "outputs"}
_TYPES = {"string", "securestring", "int", "bool", "object", "secureObject", "array"}
_RESOURCE_KEYS = {
    "type", "apiVersion", "name", "location", "kind", "tags", "identity", "properties",
    "dependsOn", "condition",
}  # fmt: skip
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
_READ = re.compile(r"\b(parameters|variables)\('([^']+)'\)")
_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_GUID = re.compile(r"subscriptions/[0-9a-f]{8}-[0-9a-f]{4}", re.IGNORECASE)
_TEMPLATE = re.compile(
    r"https://schema\.management\.azure\.com/schemas/\d{4}-\d{2}-\d{2}/deploymentTemplate\.json#"
)


def faults(template: Json) -> list[str]:
    """What is wrong with a template; empty when nothing is."""
    return [
        *_shape(template),
        *(fault for resource in _resources(template) for fault in _resource(resource, template)),
        *_reading(template),
        *_brackets(template),
        *_secrets(template),
        *_inner(template),
    ]


def _shape(template: Json) -> Iterator[str]:
    if not _TEMPLATE.fullmatch(str(template.get("$schema"))):
        yield "$schema is not that of a deployment template"
    if not re.fullmatch(r"(\d+\.){3}\d+|\[.+\]", str(template.get("contentVersion"))):
        yield "contentVersion: four numbers are wanted, as in 1.0.0.0"
    for key in sorted(set(template) - _KEYS):
        yield f"{key} is no part of a template"
    for name, given in _objects(template.get("parameters")):
        if given.get("type") not in _TYPES:
            yield f"parameter {name}: {given.get('type')} is not a type"
        if not cast("Json", given.get("metadata", {})).get("description"):
            yield f"parameter {name}: a description is missing"
        if given.get("type") == "securestring" and given.get("defaultValue"):
            yield f"parameter {name}: a secret must not have a default"


def _resource(resource: Json, template: Json) -> Iterator[str]:
    kind, name = str(resource.get("type")), str(resource.get("name"))
    where = f"resource {kind}"
    for key in sorted(set(resource) - _RESOURCE_KEYS):
        yield f"{where}: {key} is no part of a resource"
    if not _VERSION.fullmatch(str(resource.get("apiVersion"))):
        yield f"{where}: apiVersion is not a date"
    if "/" not in kind or not name:
        yield f"{where}: type or name is missing"
    # One part of the name for each part of the type behind the provider.
    parts = len(_expanded(name, template).split("/"))
    if parts != kind.count("/"):
        yield f"{where}: the name has {parts} parts, the type {kind.count('/')}"
    place = resource.get("location")
    if place is not None and not str(place).lstrip("[").startswith("parameters("):
        yield f"{where}: the location must come from a parameter"
    for wanted in cast("list[str]", resource.get("dependsOn", [])):
        if not any(_means(wanted, other, template) for other in _resources(template)):
            yield f"{where}: it waits for {wanted}, which is not in the template"


def _means(wanted: str, resource: Json, template: Json) -> bool:
    """Whether an expression with a resource's id means this one: by type, and the name's end.

    What lies below `providers` of a workspace is the same as an extension of the workspace.
    """
    kind = str(resource["type"]).rpartition("/")[2].casefold()
    named = [found.casefold() for found in _LITERAL.findall(wanted)]
    if not any(one.rpartition("/")[2] == kind for one in named):
        return False
    last = _expanded(str(resource["name"]), template).rpartition("/")[2]
    return _expanded(wanted, template).rstrip(")]").endswith(last.rstrip(")]"))


def _expanded(expression: str, template: Json) -> str:
    """The expression with the simple variables it reads put in, without quotes and calls."""
    values = cast("Json", template.get("variables", {}))

    def put(found: re.Match[str]) -> str:
        value = str(values.get(found[2], found[2]))
        shown = found[2] if found[1] == "parameters" or value.startswith("[") else value
        return f"'{shown}'"

    inside = _READ.sub(put, expression)
    return "".join(_LITERAL.findall(inside)) if inside.startswith("[") else inside


def _reading(template: Json) -> Iterator[str]:
    """Everything read is declared, everything declared is read."""
    read = {
        (found[1], found[2]) for text in _expressions(template) for found in _READ.finditer(text)
    }
    declared = {
        (group, name) for group in ("parameters", "variables") for name in _names(template, group)
    }
    for group, name in sorted(read - declared):
        yield f"{group}('{name}') is read, and not declared"
    for group, name in sorted(declared - read):
        yield f"{group}('{name}') is declared, and never read"


def _brackets(template: Json) -> Iterator[str]:
    for text in _expressions(template):
        bare = _LITERAL.sub("''", text)
        if bare.count("(") != bare.count(")") or bare.count("[") != bare.count("]"):
            yield f"brackets do not match in {text[:60]}"
        if "'" in bare.replace("''", ""):
            yield f"a quote is not closed in {text[:60]}"


def _secrets(template: Json) -> Iterator[str]:
    secret = {
        name
        for name, given in _objects(template.get("parameters"))
        if str(given.get("type")).casefold().startswith("secure")
    }
    for name, output in _objects(template.get("outputs")):
        if any(found[2] in secret for found in _READ.finditer(str(output.get("value")))):
            yield f"output {name} shows a secret"
    for text in _strings(template.get("resources")):
        if _GUID.search(text):
            yield "a subscription is named in the template"


def _inner(template: Json) -> Iterator[str]:
    """The templates that the template's resources hold, as they are once it has been deployed."""
    for resource in _resources(template):
        properties = cast("Json", resource.get("properties", {}))
        if "mainTemplate" in properties:
            held = properties["mainTemplate"]
            inner = cast("Json", _undeferred(held))
            declared = {group: set(_names(inner, group)) for group in ("parameters", "variables")}
            for text in _strings(held):
                if text.startswith("[["):
                    for found in _READ.finditer(text):
                        if found[2] not in declared[found[1]]:
                            yield f"inside {resource['name']}: {found[0]} is not declared"
            for one in _resources(inner):
                if not _VERSION.fullmatch(str(one.get("apiVersion"))):
                    yield f"inside {resource['name']}: apiVersion is not a date"


def _undeferred(value: object) -> object:
    if isinstance(value, str):
        return value[1:] if value.startswith("[[") else value
    if isinstance(value, dict):
        return {key: _undeferred(item) for key, item in cast("Json", value).items()}
    if isinstance(value, list):
        return [_undeferred(item) for item in cast("list[object]", value)]
    return value


def _expressions(value: object) -> Iterator[str]:
    """Texts that this deployment computes: those that begin with one bracket."""
    for text in _strings(value):
        if text.startswith("[") and not text.startswith("[[") and text.endswith("]"):
            yield text


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in cast("Json", value).values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _strings(item)


def _resources(template: Json) -> list[Json]:
    return cast("list[Json]", template.get("resources", []))


def _objects(value: object) -> list[tuple[str, Json]]:
    return list(cast("dict[str, Json]", value or {}).items())


def _names(template: Json, group: str) -> list[str]:
    return list(cast("Json", template.get(group) or {}))
