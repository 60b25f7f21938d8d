"""Alert numbers that were reserved for a batch, until an alert has each."""

from collections import deque
from collections.abc import Iterable, Mapping

from tocsin.store.db import Database
from tocsin.store.events import reserve_numbers


class Numbers:
    """Hands out alert numbers of teams, first those that were given back.

    Most events of a storm belong to alerts that are open: without this each would leave a gap,
    and each batch would cost a transaction. What is left when a process ends is a gap.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._left: dict[int, deque[int]] = {}

    async def take(self, counts: Mapping[int, int]) -> dict[int, list[int]]:
        """So many numbers for each team."""
        taken = {team: self._known(team, count) for team, count in counts.items()}
        missing = {
            team: count - len(taken[team])
            for team, count in counts.items()
            if count > len(taken[team])
        }
        if missing:
            try:
                fresh = await reserve_numbers(self._database, missing)
            except BaseException:
                self.give_back(taken)
                raise
            for team, numbers in fresh.items():
                taken[team].extend(numbers)
        return taken

    def give_back(self, unused: Mapping[int, Iterable[int]]) -> None:
        """Numbers that no alert has got."""
        for team, numbers in unused.items():
            self._left.setdefault(team, deque()).extend(numbers)

    def _known(self, team: int, count: int) -> list[int]:
        left = self._left.get(team)
        return [left.popleft() for _ in range(min(count, len(left)))] if left else []
