"""The alert numbers that a batch will need: reserved ahead, in order, with few gaps."""

from collections.abc import Iterable, Mapping, Sequence

from tocsin.actions.intake.accepting import Accepted, new_alerts_at_most
from tocsin.actions.intake.posted import Posted
from tocsin.core.event import Event
from tocsin.core.kinds import Status
from tocsin.store.db import Database
from tocsin.store.events import reserve_numbers

_MOST_REMEMBERED = 100_000


class Numbers:
    """Reserves a number for each event that will probably raise an alert.

    Most events of a storm belong to alerts that are open. Their keys are remembered, so that they
    take no numbers; people would otherwise see them jump. A guess that was too low is made good
    with `sure`; one that was too high leaves a gap, and numbers never go backwards.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._open: set[tuple[int, str]] = set()

    async def take(self, posted: Sequence[Posted], *, sure: bool) -> Mapping[int, Iterable[int]]:
        """Numbers for each team, as many as `posted` will need, or can need at all if `sure`."""
        counts = new_alerts_at_most(posted) if sure else self._guess(posted)
        return await reserve_numbers(self._database, counts) if counts else {}

    def learn(self, accepted: Iterable[Accepted]) -> None:
        """Remember which keys have an open alert now."""
        if len(self._open) > _MOST_REMEMBERED:
            self._open.clear()
        for done in accepted:
            for alert in done.alerts:
                if alert.external_id is None:
                    continue
                key = (alert.team, alert.external_id)
                if alert.status is Status.CLOSED:
                    self._open.discard(key)
                else:
                    self._open.add(key)

    def _guess(self, posted: Sequence[Posted]) -> dict[int, int]:
        """Each key that is not known to be open once, each event without a key once."""
        counts: dict[int, int] = {}
        new: set[tuple[int, str]] = set()
        for team, key in _events(posted):
            if key is not None and ((team, key) in new or (team, key) in self._open):
                continue
            if key is not None:
                new.add((team, key))
            counts[team] = counts.get(team, 0) + 1
        return counts


def _events(posted: Sequence[Posted]) -> Iterable[tuple[int, str | None]]:
    for item in posted:
        for said in item.said:
            if isinstance(said, Event):
                yield item.team, said.external_id
