"""Puts the fields of what is configured into the description of the API."""

from typing import Any

from fastapi import FastAPI

from tocsin.actions import configure
from tocsin.actions.world import PlugIns
from tocsin.store.configuration import Kind
from tocsin.web.api.asking import Doors
from tocsin.web.api.configuration import RESOURCES

Object = dict[str, Any]

_STATE: Object = {"type": "object", "properties": {"state": {"type": "object"}}}


class Described(FastAPI):
    """An application whose description knows the words of the installed plug-ins."""

    def openapi(self) -> Object:
        """The description, made when it is first asked for."""
        document = super().openapi()
        components: Object = document.setdefault("components", {})
        schemas: Object = components.setdefault("schemas", {})
        if _noun(Kind.TEAM) not in schemas:
            doors: Doors = self.state.doors
            add_fields(document["paths"], schemas, doors.parts.world.plug_ins)
        return document


def add_fields(paths: Object, schemas: Object, plug_ins: PlugIns) -> None:
    """Say in `paths` what the calls about each kind take and answer; `schemas` get the fields."""
    bodies = configure.bodies(plug_ins)
    for resource in RESOURCES:
        noun, body = _noun(resource.kind), bodies[resource.kind]
        schemas |= {noun: body.shown, f"New{noun}": body.new, f"{noun}Change": body.change}
        one, many = _reference(noun), paths[f"/{resource.path}"]
        _answers(many["get"], "200", _list_of(one))
        _takes(many["post"], _reference(f"New{noun}"))
        _answers(many["post"], "201", one)
        single = paths[f"/{resource.path}/{{given}}"]
        with_state = {"allOf": [one, _STATE]} if resource.kind is Kind.CONNECTOR else one
        _answers(single["get"], "200", with_state)
        _takes(single["patch"], _reference(f"{noun}Change"))
        _answers(single["patch"], "200", one)


def _noun(kind: Kind) -> str:
    return kind.value.title().replace(" ", "")


def _reference(name: str) -> Object:
    return {"$ref": f"#/components/schemas/{name}"}


def _list_of(one: Object) -> Object:
    return {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": one},
            "next": {"type": ["string", "null"]},
        },
        "required": ["items", "next"],
    }


def _takes(operation: Object, schema: Object) -> None:
    operation["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": schema}},
    }


def _answers(operation: Object, status: str, schema: Object) -> None:
    operation["responses"][status]["content"] = {"application/json": {"schema": schema}}
