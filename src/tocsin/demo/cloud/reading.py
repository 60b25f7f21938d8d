"""How the simulated services read bodies and numbers of a request."""

from collections.abc import Callable
from typing import TypeVar

import msgspec
from starlette.requests import Request

from tocsin.demo.cloud.errors import ServiceError

S = TypeVar("S", bound=msgspec.Struct)
Refuse = Callable[[str], ServiceError]


async def read_body(request: Request, kind: type[S], refuse: Refuse) -> S:
    """The JSON body as `kind`; what `refuse` makes of the fault is raised otherwise."""
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except msgspec.MsgspecError as error:
        raise refuse(str(error)) from error


def read_count(request: Request, name: str, refuse: Refuse) -> int | None:
    """A query option that is a whole number from 0 on; None when it is absent."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise refuse(f"{name} must be a whole number from 0 on, not '{text}'")
    return int(text)
