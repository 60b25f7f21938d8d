"""The one way to change an object: read, decide, write, begin again when somebody was faster."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID, uuid5

from tocsin.core.reconcile import Comment, Remote, Wanted
from tocsin.microsoft.client import Client, Errand
from tocsin.microsoft.faults import CallError
from tocsin.microsoft.fields import Record
from tocsin.ports import Failed, FailureKind, SourceError, Wrote

ROUNDS = 5
"""How often a write is begun anew because the object changed meanwhile."""

_HOPS = 5
_CONFLICTS = frozenset({409, 412})
_COMMENTS = UUID("b3f1c1de-52c8-4f0e-9a5f-0e0c5f1d7a42")


@dataclass(frozen=True, slots=True)
class Found:
    """An object as it was read, in Microsoft's shape beside ours."""

    raw: Record
    remote: Remote


class Desk(Protocol):
    """One kind of object that can be read, changed, commented. Methods raise `SourceError`."""

    @property
    def writing(self) -> str:
        """The budget that changes and comments are booked from."""
        ...

    async def fetch(self, key: str, errand: Errand) -> Found: ...

    async def change(self, found: Found, wanted: Wanted, errand: Errand) -> Found | None:
        """The object after the change, or None when it already is as wanted."""
        ...

    async def comment(self, found: Found, comment: Comment, errand: Errand) -> bool:
        """Write the comment unless it is there; whether it was written now."""
        ...


async def rewrite(
    desk: Desk, client: Client, key: str, decide: Callable[[Remote], Wanted], errand: Errand
) -> Wrote | Failed:
    """As `Source.write` promises.

    A failure after a part was written is marked `maybe_applied`, as an ambiguous one is: the next
    attempt reads first, and finds out. The write is booked before the read, so that no reads are
    spent while nothing can be written.
    """
    written = False
    try:
        for attempt in range(1, ROUNDS + 1):
            booked = await client.booked(desk.writing, f"write {key}", errand)
            before = await _followed(desk, key, errand)
            wanted = decide(before.remote)
            try:
                after = await desk.change(before, wanted, booked)
            except CallError as error:
                if error.status not in _CONFLICTS or attempt == ROUNDS:
                    raise
                await client.pause(error, attempt, errand)
                continue
            written = written or after is not None
            for comment in wanted.comments:
                written |= await desk.comment(before, comment, booked)
            return Wrote(remote=(after or before).remote, changed=written)
    except SourceError as error:
        failed = error.failed
        return replace(failed, maybe_applied=True) if written else failed
    raise AssertionError("the last round returns or raises")


def comment_guid(key: str, comment: Comment) -> UUID:
    """The same for the same comment on the same object, however often it is tried."""
    return uuid5(_COMMENTS, f"{key}/{comment.id}")


async def _followed(desk: Desk, key: str, errand: Errand) -> Found:
    """The object, or the one that it was merged into."""
    for _ in range(_HOPS):
        found = await desk.fetch(key, errand)
        if found.remote.merged_into is None:
            return found
        key = found.remote.merged_into
    raise SourceError(
        Failed(
            kind=FailureKind.PERMANENT,
            reason=f"Could not follow incident {key}: merged in a circle; look in the portal",
        )
    )
