"""The seeded driver that kills, pauses, cuts off, and lets phones fail."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

from tests.crash.crews import Crew, Member
from tests.crash.phones import Fault, Phones
from tests.crash.plants import BUSY, PEOPLE, person

_SERVER = "postmaster"
_FAILING = 30
"""Phones that fail at the same time at most."""

_UP = 2.0
_STARTING = 0.05
"""Seconds for which one must be up to be killed as likely as any other, and how likely, beside
them, is one that is only about to start. As often is one paused or cut off that is not up."""

_WEB = 6.0
"""Seconds for which the web process is paused or cut off at most."""


@dataclass
class Troubles:
    """What is done to a crew and its phones. `longest` bounds pauses and cuts, in seconds.

    Of the two workers one at a time is paused or cut off, and while it is, it is not killed; so
    that each comes to wake up, and the other has a chance to work.
    """

    crew: Crew
    phones: Phones
    seed: int
    longest: float = 40.0
    kills: int = 0
    done: Counter[str] = field(default_factory=Counter[str])

    async def run(self, kills: int) -> None:
        """Make all kinds of trouble until so many processes were killed; then all is mended."""
        others = [
            asyncio.create_task(work)
            for work in (self._keep_server(), self._pauses(), self._cuts(), self._faults())
        ]
        try:
            await self._kills(kills)
        finally:
            for other in others:
                other.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            self.phones.faults.clear()
        for other in others:
            if not other.cancelled() and (fault := other.exception()) is not None:
                raise fault
        await self.crew.server.start()

    def _chance(self, kind: str) -> Random:
        """Each kind of trouble has its own, so that none bends the course of another."""
        return Random(f"{self.seed} {kind}")

    async def _kills(self, kills: int) -> None:
        chance = self._chance("kills")
        while self.kills < kills:
            await asyncio.sleep(chance.uniform(0.7, 1.7))
            victim = self._victim(chance)
            if victim is None:
                continue
            self.kills += 1
            if victim == _SERVER:
                self.crew.server.kill()
            else:
                self._member(victim).kill()
            self.done[f"kill -9 of {victim}"] += 1

    def _victim(self, chance: Random) -> str | None:
        """Somebody who runs, the sooner the longer it is up; None to let all of them be.

        Where starting takes long this slows the driver: what never comes up can lose nothing.
        """
        ages = {
            member.name: (2.0 if member is self.crew.web else 3.0, member.age)
            for member in self.crew.members
            if not member.busy and member.runs
        }
        if self.crew.server.runs and not self.crew.server_busy:
            eldest = max(member.age for member in self.crew.members)  # none starts without it
            ages[_SERVER] = (1.5, min(self.crew.server.age, eldest))
        weights: dict[str | None, float] = {None: 0.0}
        for name, (weight, age) in ages.items():
            weights[name] = weight * min(1.0, max(_STARTING, age / _UP))
            weights[None] += weight - weights[name]
        return chance.choices(list(weights), list(weights.values()))[0] if ages else None

    async def _keep_server(self) -> None:
        """Start PostgreSQL anew whenever it was killed, sometimes after a while."""
        chance = self._chance("server")
        while True:
            if not self.crew.server.runs:
                await asyncio.sleep(chance.choice((0, 0, 0, 0.5, 2)))
                await self.crew.server.start()
            await asyncio.sleep(0.05)

    async def _pauses(self) -> None:
        chance = self._chance("pauses")
        while True:
            await asyncio.sleep(chance.uniform(2, 10))
            seconds = self._seconds(chance)
            if chance.random() < 0.15:
                async with self._busy_server():
                    await self._pause_server(min(seconds, 10))
                continue
            async with self._busy(chance) as member:
                if member is not None:
                    await self._pause(member, seconds)

    async def _cuts(self) -> None:
        chance = self._chance("cuts")
        while True:
            await asyncio.sleep(chance.uniform(2, 12))
            seconds = self._seconds(chance)
            way = chance.choice(("hangs", "refuses"))
            async with self._busy(chance) as member:
                if member is not None:
                    await self._cut(member, way, seconds)

    async def _faults(self) -> None:
        """Phones fail for some seconds, a few at a time."""
        chance = self._chance("phones")
        ends: list[tuple[float, str]] = []
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(chance.uniform(0.1, 0.5))
            for at, who in ends:
                if at <= clock():
                    self.phones.faults.pop(who, None)
            ends = [(at, who) for at, who in ends if at > clock()]
            who = person(chance.randrange(chance.choice((BUSY, PEOPLE))))
            if who not in self.phones.faults and len(ends) < _FAILING:
                fault = chance.choice(list(Fault))
                self.phones.faults[who] = fault
                self.done[f"phone {fault}"] += 1
                ends.append((clock() + chance.uniform(1, 5), who))

    def _seconds(self, chance: Random) -> float:
        """Mostly some seconds, one time in five up to the longest."""
        long = chance.random() < 0.2
        return min(self.longest, chance.uniform(8, 40) if long else chance.uniform(1, 8))

    def _bearable(self, member: Member, seconds: float) -> float:
        """Without the one web process nothing comes in, and there is nothing to lose."""
        return min(seconds, _WEB) if member is self.crew.web else seconds

    def _member(self, name: str) -> Member:
        return next(member for member in self.crew.members if member.name == name)

    @asynccontextmanager
    async def _busy(self, chance: Random) -> AsyncGenerator[Member | None]:
        """Somebody to whom something is done for a while; None when there is nobody."""
        held = any(worker.busy for worker in self.crew.workers)
        starting = chance.random() < _STARTING
        free = [
            member
            for member in self.crew.members
            if not member.busy
            and (member.ready or (starting and member.runs))
            and not (held and member in self.crew.workers)
        ]
        weights = [1 if member is self.crew.web else 3 for member in free]
        member = chance.choices(free, weights)[0] if free else None
        if member is not None:
            member.busy = True
        try:
            yield member
        finally:
            if member is not None:
                member.busy = False

    @asynccontextmanager
    async def _busy_server(self) -> AsyncGenerator[None]:
        self.crew.server_busy = True
        try:
            yield
        finally:
            self.crew.server_busy = False

    async def _pause(self, member: Member, seconds: float) -> None:
        seconds = self._bearable(member, seconds)
        self.done[f"pause of {member.name}"] += 1
        member.tell(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            member.tell(signal.SIGCONT)

    async def _pause_server(self, seconds: float) -> None:
        self.done[f"pause of {_SERVER}"] += 1
        self.crew.server.tell(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.crew.server.tell(signal.SIGCONT)

    async def _cut(self, member: Member, way: str, seconds: float) -> None:
        seconds = self._bearable(member, seconds)
        self.done[f"database {way} for {member.name}"] += 1
        if way == "hangs":
            member.door.stand_still()
        else:
            await member.door.shut()
        try:
            await asyncio.sleep(seconds)
        finally:
            if way == "hangs":
                member.door.go_on()
            else:
                await _opened(member)


async def _opened(member: Member) -> None:
    """Open its door again, as soon as nobody else happens to use the port."""
    for _ in range(100):
        try:
            return await member.door.open()
        except OSError:
            await asyncio.sleep(0.1)
    raise AssertionError(f"port {member.door.port} stays taken")
