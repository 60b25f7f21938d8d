"""Problem documents (RFC 9457): what went wrong and what to do about it, never a stack trace."""

from collections.abc import Mapping
from http import HTTPStatus

import asyncpg
import msgspec
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from tocsin.actions import configure

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):  # noqa: N818 - the RFC's own word
    """An answer other than the wished one. `detail` is the cause, `remedy` what the caller can do.

    `more` are extension members, such as the candidates of an ambiguous name.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        remedy: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.remedy = remedy
        self.headers = dict(headers or {})
        self.more = dict(more or {})

    def body(self, request_id: str | None = None) -> bytes:
        """The document as JSON."""
        document: dict[str, object] = {
            "type": "about:blank",
            "title": _title(self.status),
            "status": self.status,
            "detail": self.detail,
        }
        if self.remedy is not None:
            document["remedy"] = self.remedy
        if request_id is not None:
            document["request_id"] = request_id
        return msgspec.json.encode(document | self.more)

    def response(self, request_id: str | None = None) -> Response:
        """The document as an answer."""
        headers = {"Cache-Control": "no-store"} | self.headers
        return Response(self.body(request_id), self.status, headers, MEDIA_TYPE)


def not_found(what: str, given: str | None = None) -> Problem:
    """The uniform 404: what does not exist and what is not the caller's look the same.

    `what` is the kind of thing that was asked for, `given` the name or id of it.
    """
    named = what if given is None else f"{what} {given[:80]!r}"
    return _absent(f"there is no {named}")


def no_address() -> Problem:
    """The 404 of an address that is none."""
    return Problem(
        404,
        "Nothing answers at this address.",
        "Check the address; the API begins with /api/v1.",
    )


def coming(what: str) -> Problem:
    """The 501 of what the contract names and this version lacks."""
    return Problem(
        501,
        f"This version of Tocsin has no {what} yet; a later version brings it.",
        "Nothing was stored or changed. Use a later version.",
    )


def unavailable() -> Problem:
    """The database does not answer."""
    return Problem(
        503,
        "The database does not answer just now; nothing of this request was stored.",
        "Send the request again after the time in Retry-After; /readyz says when it is back.",
        headers={"Retry-After": "5"},
    )


def is_unavailable(error: BaseException) -> bool:
    """Whether `error` means that the database is away, rather than a fault of ours."""
    if isinstance(error, DBAPIError):
        cause = error.orig.__cause__ if error.orig is not None else None
        return error.connection_invalidated or (cause is not None and is_unavailable(cause))
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "").startswith(_AWAY)
    return isinstance(error, OSError | TimeoutError | PoolTimeoutError | asyncpg.InterfaceError)


_AWAY = ("08", "53", "57P")
"""SQLSTATE classes: connection lost, no connection or disk left, shutting down or starting up."""


def as_problem(error: Exception) -> Problem:
    """Any exception as what the caller is told; what nobody foresaw is a 500 without details."""
    match error:
        case Problem():
            return error
        case RequestValidationError():
            return _invalid(error)
        case HTTPException():
            return _of_the_framework(error)
        case configure.ConfigureError():
            return _misconfigured(error)
        case configure.NotFoundError():
            return _absent(str(error))
        case configure.ConflictError():
            return _conflict(error)
        case _ if is_unavailable(error):
            return unavailable()
        case _:
            return Problem(
                500,
                "Something failed here that should not have.",
                "Try again; if it stays, give the request_id to whoever runs this Tocsin.",
            )


async def answer(request: Request, error: Exception) -> Response:
    """The exception handler of every application; the gate logs what is ours to mend."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        problem = _method_not_allowed(request)
    else:
        problem = as_problem(error)
    return problem.response(request.scope.get("request_id"))


def _absent(what: str) -> Problem:
    return Problem(
        404,
        f"{what[:1].upper()}{what[1:]} here, or it is not yours to see.",
        "Check the id or name, and that your user is in its team.",
    )


def _method_not_allowed(request: Request) -> Problem:
    """The 405 that names every method of the address, on whichever route it stands."""
    allowed: set[str] = set()
    for route in request.app.routes:
        match, _ = route.matches(request.scope)
        if match is not Match.NONE:
            allowed |= set(getattr(route, "methods", None) or ())
    words = ", ".join(sorted(allowed))
    return Problem(
        405,
        f"This address takes {words}, not {request.method[:20]}.",
        f"Use {words}.",
        headers={"Allow": words},
    )


def _invalid(error: RequestValidationError) -> Problem:
    faults = [
        {"where": ".".join(str(part) for part in fault["loc"]), "what": str(fault["msg"])}
        for fault in error.errors()
    ]
    first = faults[0] if faults else {"where": "body", "what": "it cannot be read"}
    return Problem(
        422,
        f"{first['where']}: {first['what']}.",
        "Correct the named fields and send the request again.",
        more={"faults": faults},
    )


def _misconfigured(error: configure.ConfigureError) -> Problem:
    faults = [
        {"where": ".".join(map(str, fault.path)), "what": fault.what} for fault in error.faults
    ]
    first = error.faults[0] if error.faults else "the definition is refused"
    return Problem(
        422,
        f"{first}.",
        "Correct the named keys and send the request again; nothing was changed.",
        more={"faults": faults},
    )


def _conflict(error: configure.ConflictError) -> Problem:
    more = {"candidates": list(error.candidates)} if error.candidates else {}
    remedy = "Use the id of the one that is meant." if more else "Change what stands in the way."
    return Problem(409, f"{error}.", remedy, more=more)


def _of_the_framework(error: HTTPException) -> Problem:
    if error.status_code == 404:
        return no_address()
    return Problem(error.status_code, str(error.detail), headers=error.headers)


def json_response(value: object, status: int = 200) -> Response:
    """A JSON answer that nobody keeps."""
    headers = {"Cache-Control": "no-store"}
    return Response(msgspec.json.encode(value), status, headers, "application/json")


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
