"""The watchdog: looks whether what was promised is done, and tells admins when it is not (I10).

It stands beside all that it watches: its own task, its own connection, its own way to people. Every
process has one; the alarm is a row of the database, so that one of them gives it. While the
database is away each process tells by itself.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from tocsin.actions.secondpath import Teller
from tocsin.actions.world import World
from tocsin.core.message import Words
from tocsin.core.notation import duration, mapping
from tocsin.ports import EgressError, SecretMissingError
from tocsin.store import watch
from tocsin.store.db import Database
from tocsin.store.outbox import claim_job
from tocsin.store.watch import ALARM, PING, PINGED, WELL, Findings, SecondPath

log = structlog.get_logger()

EVERY = timedelta(seconds=5)
BROKEN_FOR = timedelta(seconds=30)
"""What is mended within this time is nobody's concern."""
BLIND_FOR = timedelta(seconds=60)
"""… and for a database that cannot be looked into, as while it is restarted."""
CHAINS_EVERY = timedelta(minutes=1)
AGAIN = timedelta(minutes=10)
SOON = timedelta(seconds=30)
"""When it is tried again to tell somebody, after nobody could be told."""
PING_EVERY = timedelta(seconds=60)

_PATIENCE = timedelta(seconds=5)


@asynccontextmanager
async def opened_watchdog(world: World) -> AsyncGenerator["Watchdog"]:
    """A watchdog with a connection of its own, for as long as the block runs."""
    database = Database(world.worker_database.dsn, size=1, patience=_PATIENCE)
    watchdog = Watchdog(world, database)
    try:
        yield watchdog
    finally:
        await watchdog.close()
        await database.close()


class Watchdog:
    """Looks every 5 s. `run` ends only when it is cancelled."""

    def __init__(self, world: World, database: Database) -> None:
        self._world = world
        self._database = database
        self._teller = Teller(world)
        self._path = SecondPath()
        self._broken_since: datetime | None = None
        self._blind_since: datetime | None = None
        self._alone_at: datetime | None = None  # when this process told without the database
        self._silent_until: datetime | None = None
        self._chains: tuple[datetime, int] | None = None  # when last looked at, what was found
        self._told = 0
        self._looked_at: datetime | None = None

    async def run(self) -> None:
        """Look again and again, whatever happens."""
        while True:
            try:
                await self.turn()
            except Exception:
                log.exception("the watchdog stumbled; it goes on")
            await self._world.clock.sleep(EVERY)

    async def close(self) -> None:
        """Let go of connections."""
        await self._teller.close()

    async def turn(self) -> None:
        """Look once, and do what follows from it."""
        now = self._world.clock.now()
        self._heed_the_clock(now)
        try:
            async with self._database.transaction() as connection:
                findings = await watch.look(connection, now)
                self._path = await watch.second_path(connection)
        except Exception as fault:  # noqa: BLE001 - whatever it was, nobody can look
            await self._blind(fault, now)
            return
        self._blind_since = None
        findings = replace(findings, unrepeated=await self._unrepeated(now))
        if findings.broken:
            self._broken_since = self._broken_since or now
            if now - self._broken_since >= BROKEN_FOR:
                await self._alarm(_broken(findings, self._world.public_url), now, alone=False)
        else:
            self._broken_since = None
            await self._well(now)

    def _heed_the_clock(self, now: datetime) -> None:
        """Times from before the clock was set back would keep it silent: begin anew."""
        if self._looked_at is not None and now < self._looked_at:
            self._broken_since = self._blind_since = self._silent_until = self._chains = None
        self._looked_at = now

    async def _unrepeated(self, now: datetime) -> int:
        """What was found within the last minute, else what is found now."""
        if self._chains is None or now - self._chains[0] >= CHAINS_EVERY:
            found = self._chains[1] if self._chains else 0
            try:
                async with self._database.transaction() as connection:
                    found = await watch.unrepeated(connection, now)
            except Exception:
                log.exception("repetitions were not looked at")
            self._chains = (now, found)
        return self._chains[1]

    async def _blind(self, fault: Exception, now: datetime) -> None:
        if self._blind_since is None:
            self._blind_since = now
            log.warning("the watchdog cannot look", fault=repr(fault))
        if now - self._blind_since >= BLIND_FOR:
            await self._alarm(_unseen(fault, self._blind_since, now), now, alone=True)

    async def _alarm(self, words: Words, now: datetime, *, alone: bool) -> None:
        """Tell everybody, once, then every ten minutes. `alone`: without asking the database."""
        if self._silent_until is not None and now < self._silent_until:
            return
        if not alone and not await self._claimed(ALARM, AGAIN, now):
            return
        log.error("the watchdog gives alarm", what=words.text)
        self._told += 1
        if not await self._teller.tell(self._path, words, self._told):
            self._silent_until = now + SOON
            if not alone:  # perhaps another process reaches somebody
                await self._take_back()
            return
        if alone:
            self._alone_at = now
            self._silent_until = now + AGAIN

    async def _well(self, now: datetime) -> None:
        """All is well: say so where an alarm was given, and to the dead-man address."""
        self._silent_until = None
        self._told = 0
        ping = self._path.block.get("ping")
        async with self._database.transaction() as connection:
            await watch.mark(connection, WELL, now)
            ended = await watch.end_alarm(connection)
            due = ping is not None and await claim_job(
                connection, PING, _every(self._path.block), now
            )
        if ended or self._alone_at is not None:
            self._alone_at = None
            log.info("the watchdog sees that all is well again")
            await self._teller.tell(self._path, _mended())
        if due:
            await self._ping(ping, now)

    async def _ping(self, ping: object, now: datetime) -> None:
        fault = await self._asked(ping)
        if fault is not None:
            log.error("the dead-man address did not take the ping", reason=fault)
            return
        async with self._database.transaction() as connection:
            await watch.mark(connection, PINGED, now)

    async def _asked(self, ping: object) -> str | None:
        """Get the dead-man address once; why it did not answer 2xx, else None."""
        try:
            reference = mapping(ping)
            url = self._world.secrets(reference) if reference else str(ping)
            answer = await self._world.egress.request("GET", url)
        except (EgressError, SecretMissingError) as fault:
            return str(fault)
        return None if 200 <= answer.status < 300 else f"it answered {answer.status}"

    async def _claimed(self, name: str, every: timedelta, now: datetime) -> bool:
        async with self._database.transaction() as connection:
            return await claim_job(connection, name, every, now)

    async def _take_back(self) -> None:
        async with self._database.transaction() as connection:
            await watch.end_alarm(connection)


def _every(block: Mapping[str, Any]) -> timedelta:
    every = block.get("every")
    return PING_EVERY if every is None else duration(str(every))


def _broken(found: Findings, url: str) -> Words:
    parts = [
        (found.pages_late, "page(s) late", found.page_lateness),
        (found.timers_late, "step(s) of alerts late", found.timer_lateness),
        (found.forgotten, "open alert(s) forgotten", None),
        (found.unrepeated, "page(s) not repeated", None),
        (found.failing, "page(s) that providers do not take", None),
    ]
    said = "; ".join(
        f"{count} {what}" + ("" if age is None else f", the worst by {age:.0f} s")
        for count, what, age in parts
        if count
    )
    help_ = f"See that `tocsin serve` runs with a worker; {url}/readyz and its log say more."
    return _words("Tocsin does not page as it should", said, help_)


def _unseen(fault: Exception, since: datetime, now: datetime) -> Words:
    seconds = (now - since).total_seconds()
    what = f"its database cannot be used for {seconds:.0f} s ({type(fault).__name__})"
    return _words("Tocsin pages nobody", what, "See that PostgreSQL runs and can be reached.")


def _mended() -> Words:
    return _words("Tocsin is well again", "all that was promised is done", "")


def _words(subject: str, what: str, help_: str) -> Words:
    text = f"{subject}: {what}."
    return Words(subject=subject, text=text, body=f"{text}\n{help_}".strip())
