"""Where two plans put different people on duty."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from tocsin.core.coverage.model import Stint

_People = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Differing:
    """In [from_, to), UTC, a tier has other people; `before` and `after` are in order of name.

    Whoever is on duty in a tier is whom a step of a policy that asks for it pages.
    """

    tier: str
    from_: datetime
    to: datetime
    before: _People
    after: _People


def difference(before: Iterable[Stint], after: Iterable[Stint]) -> tuple[Differing, ...]:
    """The stretches in which a tier has other people, tier by tier, in order, as long as can be."""
    edges: dict[str, list[tuple[datetime, int, str, int]]] = {}
    for side, stints in enumerate((before, after)):
        for stint in stints:
            own = edges.setdefault(stint.place.tier, [])
            own.append((stint.from_, side, stint.user, 1))
            own.append((stint.to, side, stint.user, -1))
    return tuple(found for tier in sorted(edges) for found in _of_tier(tier, sorted(edges[tier])))


def _of_tier(tier: str, edges: Iterable[tuple[datetime, int, str, int]]) -> Iterator[Differing]:
    present: tuple[dict[str, int], dict[str, int]] = ({}, {})
    since: datetime | None = None
    held: Differing | None = None
    for at, side, user, step in edges:
        if since is not None and since < at:
            piece = Differing(tier, since, at, _people(present[0]), _people(present[1]))
            if held is not None and not _goes_on(held, piece):
                yield held
                held = None
            if piece.before != piece.after:
                held = (
                    piece
                    if held is None
                    else Differing(tier, held.from_, at, held.before, held.after)
                )
        present[side][user] = present[side].get(user, 0) + step
        since = at
    if held is not None:
        yield held


def _goes_on(held: Differing, piece: Differing) -> bool:
    same_people = (held.before, held.after) == (piece.before, piece.after)
    return same_people and held.to == piece.from_


def _people(present: dict[str, int]) -> _People:
    return tuple(sorted(user for user, times in present.items() if times > 0))
