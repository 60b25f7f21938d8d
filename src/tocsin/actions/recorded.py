"""How duty is covered and shared out, by what was recorded and what is planned."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from tocsin.actions.world import World
from tocsin.core.coverage import Place, Share, Stint, TeamCoverage, shares, team_coverage
from tocsin.store import dutyrecord, holidays, named


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The duty of a team in [from_, to): the past as it was, the future as it is planned."""

    from_: datetime
    to: datetime
    zone: str
    stints: tuple[Stint, ...]
    places: tuple[Place, ...]
    members: tuple[str, ...]
    holidays: Mapping[date, str]

    def coverage(self) -> TeamCoverage:
        """When somebody is on duty; duty taken by hand counts in its tier."""
        return team_coverage(self.stints, self.places, self.from_, self.to)

    def shares(self, tier: str | None = None) -> tuple[Share, ...]:
        """What each member, and whoever else was on duty, does; in one tier or in all."""
        stints = (one for one in self.stints if tier in {None, one.place.tier})
        span = self.from_, self.to
        return shares(stints, self.members, span, self.zone, self.holidays)


async def recorded(world: World, team: int, from_: datetime, to: datetime) -> Recorded:
    """What is known of the duty of a team that exists."""
    now = world.clock.now()
    async with world.database.transaction() as connection:
        return Recorded(
            from_=from_,
            to=to,
            zone=await named.zone_of(connection, team),
            stints=tuple(await dutyrecord.stints(connection, team, from_, to, now)),
            places=await dutyrecord.places(connection, team),
            members=await dutyrecord.members(connection, team),
            holidays=await holidays.holidays_of(connection, team, from_, to),
        )
