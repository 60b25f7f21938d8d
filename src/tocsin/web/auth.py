"""Who is calling: the bearer token of a request, and the person it stands for."""

from datetime import datetime, timedelta

from starlette.requests import Request

from tocsin.actions.world import World
from tocsin.core.access import Caller
from tocsin.keys import token_is_wellformed
from tocsin.store.callers import caller_by_token
from tocsin.web.problems import Problem

REMEMBERED = timedelta(seconds=0.5)
"""How long what another process revoked or changed may still work in this one."""
_MOST_REMEMBERED = 10_000


class Callers:
    """Tells who calls. Tokens are looked up by keyed hash, so no comparison leaks one.

    A change made in this process counts at once (`forget`), one made elsewhere within a second.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: dict[bytes, tuple[datetime, Caller]] = {}
        self._turn = 0

    def forget(self) -> None:
        """Look everybody up anew: a token, a role or a membership may have changed."""
        self._known.clear()
        self._turn += 1

    async def identify(self, request: Request) -> Caller:
        """The caller of a request. Raises the one 401 `Problem`, whatever is wrong."""
        caller = await self.of(request.headers.get("authorization", ""))
        if caller is None:
            raise Problem(
                401,
                "This call needs the token of a user, and none that works came with it.",
                "Send `Authorization: Bearer tcs_…`; `tocsin token create` makes one.",
                headers={"WWW-Authenticate": 'Bearer realm="tocsin"'},
            )
        return caller

    async def of(self, authorization: str) -> Caller | None:
        """The caller of an Authorization header, as they were within the last second."""
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token_is_wellformed(token):
            return None
        return await self.by_token(token)

    async def by_token(self, token: str) -> Caller | None:
        """The caller of a well-formed token."""
        hashed, now = self._world.keys.hash(token), self._world.clock.now()
        known = self._known.get(hashed)
        if known is not None and now - known[0] < REMEMBERED:
            return known[1]
        turn = self._turn
        async with self._world.database.transaction() as connection:
            caller = await caller_by_token(connection, hashed, now)
        if caller is None:
            self._known.pop(hashed, None)
            return None
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        if turn == self._turn:  # else it may have been read before what was changed
            self._known[hashed] = (now, caller)
        return caller
