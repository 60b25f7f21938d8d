"""Two workers and one web process under load while a seeded driver breaks all that can break.

`python -m tests.crash.chaos --kills N --seed S`; the last line is the verdict.
"""

import argparse
import asyncio
import secrets
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from random import Random

from tests.crash.crews import Crew, opened_crew
from tests.crash.loads import Load
from tests.crash.phones import Phones, opened_phones
from tests.crash.plants import configuration
from tests.crash.servers import Server
from tests.crash.systems import System
from tests.crash.tallies import Tally, ledger_of, tally, until_drained
from tests.crash.troubles import Troubles
from tests.store.embedded_homes import Homes

DRAIN = 420.0
"""Seconds after the last kill within which all is to be made good: a page that failed often waits
up to 300 s, and may then meet a lease of 30 s more."""

_SHOWN = 20
"""Broken promises that are shown with their ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is done to it. `longest` bounds pauses and cuts; `rate` is events per second."""

    kills: int
    seed: int
    rate: float = 25.0
    longest: float = 40.0
    drain: float = DRAIN


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it; `verified` is what `tocsin ledger verify` found wrong, if anything."""

    tally: Tally
    fell: tuple[str, ...]
    refused: tuple[str, ...]
    verified: str | None

    @property
    def clean(self) -> bool:
        """Whether every promise was kept and nothing went wrong that should not."""
        return self.tally.clean and not (self.fell or self.refused or self.verified)


async def chaos(plan: Plan, phones: Phones, tell: Callable[[str], None]) -> Outcome:
    """Run it all, telling what goes on; everything but the last line."""
    homes = Homes()
    try:
        async with _opened(homes, phones) as crew:
            load = Load(lambda: crew.web.url, phones, Random(f"{plan.seed} load"), plan.rate)
            troubles = Troubles(crew, phones, plan.seed, plan.longest)
            await _break(plan, crew, load, troubles, tell)
            return await _judged(crew, load, phones, tell)
    finally:
        homes.clear()


@asynccontextmanager
async def _opened(homes: Homes, phones: Phones) -> AsyncGenerator[Crew]:
    """A configured installation whose processes are ready."""
    home = homes.make()
    home.mkdir()
    (folder := home.with_name("server")).mkdir()
    folder.chmod(0o755)
    server = Server(folder)
    try:
        await server.start()
        system = System(home, homes, database=server.dsn)
        file = home.with_name("chaos.yaml")
        file.write_text(configuration(phones.port))
        await asyncio.to_thread(system.run, "apply", "-f", str(file))
        async with opened_crew(system, server) as crew:
            await crew.all_ready()
            yield crew
    finally:
        server.stop()


async def _break(
    plan: Plan, crew: Crew, load: Load, troubles: Troubles, tell: Callable[[str], None]
) -> None:
    """Load and trouble, then the load that is still under way, then what is still to be sent."""
    enough = asyncio.Event()
    answering = asyncio.create_task(load.answer())
    telling = asyncio.create_task(_progress(load, troubles, plan, tell))
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(load.send(enough))
            await troubles.run(plan.kills)
            tell("all is mended; waiting for what is under way")
            load.end()
            enough.set()
        await crew.all_ready()
        await until_drained(crew.system, plan.drain)
    finally:
        answering.cancel()
        telling.cancel()
        await asyncio.gather(answering, telling, return_exceptions=True)
    # What was answered last may have told others, while nothing else was left to send.
    await until_drained(crew.system, plan.drain)


async def _judged(crew: Crew, load: Load, phones: Phones, tell: Callable[[str], None]) -> Outcome:
    result = await tally(crew.system, load, phones)
    await crew.stop()
    for fault in result.faults[:_SHOWN]:
        tell(f"BROKEN: {fault.text}")
        for line in () if fault.alert is None else await ledger_of(crew.system, fault.alert):
            tell(line)
    verified = await asyncio.to_thread(_verified, crew.system)
    outcome = Outcome(result, tuple(crew.fell()), tuple(load.refused()), verified)
    if not outcome.clean:
        tell(f"what every process said stands in {_kept(crew)}")
    for said in (*outcome.fell, *outcome.refused, *filter(None, [verified])):
        tell(f"WRONG: {said}")
    return outcome


def _kept(crew: Crew) -> Path:
    """A folder with the logs, which are else removed with the installation."""
    folder = Path(tempfile.mkdtemp(prefix="tocsin-chaos-"))
    for log in crew.system.home.parent.rglob("*.log"):
        shutil.copy(log, folder)
    return folder


def _verified(system: System) -> str | None:
    """What `tocsin ledger verify` says is wrong; None when it is content, or is not there."""
    if "ledger" not in entry_points(group="tocsin.commands").names:
        return None
    done = system.tried("ledger", "verify", within=300)
    return None if done.returncode == 0 else done.stdout


async def _progress(
    load: Load, troubles: Troubles, plan: Plan, tell: Callable[[str], None]
) -> None:
    began = time.monotonic()
    while True:
        await asyncio.sleep(10)
        tell(
            f"{time.monotonic() - began:5.0f} s: {troubles.kills} of {plan.kills} kills,"
            f" {sum(load.accepted().values())} events accepted,"
            f" {len(load.phones.pages)} pages arrived, {load.answered} answered;"
            f" ready: {', '.join(troubles.crew.ready()) or 'nobody'}"
        )


def _shape(lateness: list[float]) -> str:
    """How the lateness of first pages is spread."""
    if len(lateness) < 2:
        return "no first pages"
    cuts = statistics.quantiles(lateness, n=100)
    late = sum(each > 45 for each in lateness)
    return (
        f"first pages late by: half {cuts[49]:.2f} s, 90 % {cuts[89]:.2f} s,"
        f" 99 % {cuts[98]:.2f} s; more than 45 s: {late}"
    )


def _asked() -> Plan:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=60, help="processes to kill (default 60)")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32), help="to do it again")
    parser.add_argument("--rate", type=float, default=25, help="events per second (default 25)")
    asked = parser.parse_args()
    return Plan(kills=asked.kills, seed=asked.seed, rate=asked.rate)


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Run what the command line asks for; 0 when every promise was kept."""
    plan = _asked()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clears up, as after Ctrl-C
    _tell(f"chaos: --kills {plan.kills} --seed {plan.seed} --rate {plan.rate:g}")
    with contextmanager(opened_phones)() as phones:
        outcome = asyncio.run(chaos(plan, phones, _tell))
        _tell(_shape(outcome.tally.lateness))
        _tell(outcome.tally.figures())
        _tell(outcome.tally.verdict())
    return 0 if outcome.clean else 1


if __name__ == "__main__":
    sys.exit(main())
