"""Calls about API tokens and signing keys, each of which is shown once."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import StringConstraints

from tocsin.actions import configure
from tocsin.core import ids
from tocsin.core.access import Action, Scope, may_grant, owns
from tocsin.core.notation import duration
from tocsin.store.configuration import Kind
from tocsin.web.api import finding
from tocsin.web.api.asking import Asking, May
from tocsin.web.api.bodies import Moment, Name, Strict
from tocsin.web.api.configuration import guard, identified, located
from tocsin.web.api.selecting import Selection, by_user
from tocsin.web.problems import Problem

router = APIRouter(tags=["configuration"])

Object = dict[str, Any]
ReadOwn = Annotated[Asking, Depends(May(Action.READ_OWN))]
WriteOwn = Annotated[Asking, Depends(May(Action.WRITE_OWN))]


class NewToken(Strict):
    """A token to be made; `user` is the caller unless an admin names another."""

    user: Name | None = None
    name: Annotated[str, StringConstraints(max_length=200)] = ""
    scope: Scope = Scope.WRITE
    expires_at: Moment | None = None
    expires: Name | None = None


@router.get("/tokens", summary="The caller's tokens; an admin sees everybody's")
async def list_tokens(asking: ReadOwn, user: Name | None = None) -> Object:
    """Without the tokens themselves; `user` selects those of one."""
    mine = None if owns(asking.caller, 0) else [asking.caller.user]
    if user is not None:
        async with asking.world.database.transaction() as connection:
            owner = await finding.user(connection, asking, user)
        asking.of_user(owner.row, f"token of the user {owner.name}")
        mine = [owner.row]
    return {"items": await configure.show_tokens(asking.world, mine), "next": None}


@router.post("/tokens", status_code=201, summary="Make a token")
async def create_token(asking: WriteOwn, body: NewToken, response: Response) -> Object:
    """`token` in the answer is shown this once. Its scope is at most that of the caller's."""
    if not may_grant(asking.caller, body.scope):
        raise Problem(
            403,
            f"A token of scope {asking.caller.scope.value} cannot make one of {body.scope.value}.",
            "Use a token of that scope, or `tocsin token create`.",
        )
    expires_at = body.expires_at
    if body.expires is not None:
        if expires_at is not None:
            raise Problem(422, "Give `expires` or `expires_at`, not both.", "Leave one out.")
        try:
            expires_at = asking.world.clock.now() + duration(body.expires)
        except ValueError as error:
            raise Problem(422, f"expires: {error}.", "Write it like 90d.") from None
    user = asking.caller.user
    if body.user is not None:
        async with asking.world.database.transaction() as connection:
            user = (await finding.user(connection, asking, body.user)).row
    made = await configure.create_token(
        asking.world,
        ids.encode(0, user),
        name=body.name,
        scope=body.scope,
        expires_at=expires_at,
        guard=guard(asking, "user", body.user),
    )
    return located(response, "tokens", made)


@router.delete("/tokens/{given}", status_code=204, summary="Make a token worthless")
async def delete_token(asking: WriteOwn, given: str) -> Response:
    """By its id."""
    await configure.delete_token(asking.world, given, guard=guard(asking, "token", given))
    asking.doors.callers.forget()
    return Response(status_code=204)


@router.post("/contact-methods/{given}/rotate-key", summary="A new signing key")
async def rotate_key(
    asking: WriteOwn, given: str, selection: Annotated[Selection, Depends(by_user)]
) -> Object:
    """`signing_key` in the answer is shown this once."""
    check = guard(asking, "contact method", given)
    reference = await identified(asking, Kind.METHOD, given, selection)
    key = await configure.rotate_key(asking.world, reference, guard=check)
    return {"signing_key": key}
