"""Calls of the contract that this version does not answer yet."""

from typing import Any

from fastapi import APIRouter

from tocsin.web.api.asking import Asking, ReadTeamConfiguration
from tocsin.web.problems import Problem, coming

router = APIRouter(tags=["later"])

KINDS = {"webhooks": "outgoing webhooks"}
"""The path of each kind, and what it is called."""
_METHODS = {"": ("GET", "POST"), "/{given}": ("GET", "PATCH", "DELETE")}


def _calls(path: str, what: str) -> None:
    """Every call of a kind: 501 to whoever may use this API at all."""

    async def call(asking: ReadTeamConfiguration) -> dict[str, Any]:
        raise _coming_for(asking, what)

    for rest, methods in _METHODS.items():
        for method in methods:
            summary = f"A later version: {what}"
            router.add_api_route(f"/{path}{rest}", call, methods=[method], summary=summary)


def _coming_for(_: Asking, what: str) -> Problem:
    return coming(what)


for _path, _what in KINDS.items():
    _calls(_path, _what)
