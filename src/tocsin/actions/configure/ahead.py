"""What a file changes in who is on duty in the time to come, team by team."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tocsin.actions.configure.difference import Act, Change
from tocsin.actions.whatif import Definition, compare, definition, worked_out
from tocsin.core.coverage import Comparison, Limits, team_plan
from tocsin.store.configuration import Kind
from tocsin.store.db import Connection

_SHIFTING = {Kind.TEAM, Kind.SCHEDULE, Kind.OVERRIDE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How far ahead a plan looks, and from when on something is pointed out.

    `every`: all teams of the file are looked at, else those whose duty its changes may alter.
    """

    ahead: timedelta = timedelta(days=28)
    limits: Limits = field(default_factory=Limits)
    every: bool = False


@dataclass(slots=True)
class Lookahead:
    """Reads what is defined before and after the changes, and compares it.

    `touched` are the teams whose duty the changes may alter, `named` all others to look at; these
    are read once.
    """

    look: Look
    now: datetime
    touched: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    before: dict[str, Definition] = field(default_factory=dict[str, Definition])
    after: dict[str, Definition] = field(default_factory=dict[str, Definition])

    async def read_before(self, connection: Connection, teams: Mapping[str, int]) -> None:
        """Read what is stored of the teams, before anything is written."""
        self.before = await self._read(connection, teams, self.touched | self.named)

    async def read_after(self, connection: Connection, teams: Mapping[str, int]) -> None:
        """Read what is stored of the teams, after everything is written."""
        same = {name: self.before[name] for name in self.named & set(self.before)}
        self.after = same | await self._read(
            connection, teams, (self.touched | self.named) - set(same)
        )

    async def compared(self) -> dict[str, Comparison]:
        """What becomes different, by team."""
        span = self.now, self.now + self.look.ahead
        found: dict[str, Comparison] = {}
        for name in sorted({*self.before, *self.after}):
            was, will_be = self.before.get(name), self.after.get(name)
            before = None if was is None else await worked_out(was, *span)
            if will_be is not None and will_be is was and before is not None:
                after = before
            elif will_be is not None:
                after = await worked_out(will_be, *span)
            else:  # the team goes
                zone = "UTC" if was is None else was.zone
                after = team_plan((), *span, zone=zone, holidays={})
            found[name] = await compare(before, after, self.look.limits)
        return found

    async def _read(
        self, connection: Connection, teams: Mapping[str, int], names: Iterable[str]
    ) -> dict[str, Definition]:
        until = self.now + self.look.ahead
        return {
            name: await definition(connection, teams[name], self.now, until)
            for name in sorted(names)
            if name in teams
        }


def lookahead(
    look: Look | None,
    now: datetime,
    changes: Iterable[Change],
    named: Iterable[str],
    held: Iterable[str],
) -> Lookahead:
    """What is to be looked at: `named` are the file's teams, `held` those that there are."""
    if look is None:
        return Lookahead(Look(), now)
    touched = frozenset(_touched(changes, held))
    return Lookahead(look, now, touched, frozenset(named) - touched if look.every else frozenset())


def _touched(changes: Iterable[Change], held: Iterable[str]) -> Iterator[str]:
    teams = list(held)
    for change in changes:
        if change.key.kind in _SHIFTING and change.act is not Act.ADOPT:
            yield change.key.owner
        if change.key.kind is Kind.USER and change.held and change.wanted:
            active = (change.held.body.get("active"), change.wanted.body.get("active"))
            if (active[0] is False) != (active[1] is False):
                yield from teams
