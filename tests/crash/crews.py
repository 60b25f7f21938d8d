"""The processes of one installation, each with its own way to the database, kept running."""

import asyncio
import signal
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import ClassVar

from tests.crash.doors import Door, opened_door
from tests.crash.servers import Server
from tests.crash.systems import Serve, System

NOWHERE = "http://127.0.0.1:1"


@dataclass
class Member:
    """One `tocsin serve`, started anew whenever it ended.

    `busy` while something else is done to it; `fell` holds what was last said by each process
    that had been ready and ended by itself.
    """

    name: str
    options: tuple[str, ...]
    system: System
    door: Door
    url: str = NOWHERE
    busy: bool = False
    starts: int = 0
    fell: list[str] = field(default_factory=list[str])
    _serve: Serve | None = None
    _ready: bool = False
    _since: float = 0.0
    _killed: bool = False

    @property
    def ready(self) -> bool:
        """Whether it said that it is ready, and is there."""
        return self._ready and self.runs

    @property
    def age(self) -> float:
        """Seconds since it was ready; 0 while it is not."""
        return time.monotonic() - self._since if self.ready else 0.0

    @property
    def runs(self) -> bool:
        """Whether its process is there, ready or not."""
        return self._serve is not None and self._serve.process.poll() is None

    def kill(self) -> None:
        """End it as a power cut would; `keep` starts it anew."""
        assert self._serve is not None
        self._killed = True
        self._serve.kill()

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal, if it is there."""
        assert self._serve is not None
        self._serve.process.send_signal(number)

    async def keep(self) -> None:
        """Start it, and start it anew when it ended, as a supervisor does; until cancelled."""
        while True:
            self._start()
            while self._looks():  # noqa: ASYNC110 - it is another process that ends
                await asyncio.sleep(0.1)
            self._note()
            await asyncio.sleep(0.2)

    async def stop(self) -> None:
        """End it cleanly, within the time that `Serve.stop` allows."""
        assert self._serve is not None
        await self._serve.stop()

    def _start(self) -> None:
        self.starts += 1
        self._ready = self._killed = False
        way = {"TOCSIN_DATABASE_URL": self.door.address, "TOCSIN_PUBLIC_URL": NOWHERE}
        self._serve = self.system.serve(*self.options, env=way)

    def _looks(self) -> bool:
        """Whether it is still there; notes when it says that it is ready."""
        assert self._serve is not None
        if not self._ready and (said := self._serve.text()).count("Tocsin is ready: "):
            address = said.partition("Tocsin is ready: ")[2].split()[0]
            self.url = address if address.startswith("http") else NOWHERE
            self._ready, self._since = True, time.monotonic()
        return self._serve.process.poll() is None

    def _note(self) -> None:
        """One that cannot start without the database ends, as it should, and is started anew."""
        assert self._serve is not None
        if self._ready and not self._killed:
            code = self._serve.process.returncode
            self.fell.append(f"{self.name} ended with {code}: {self._serve.text()[-3000:]}")


@dataclass
class Crew:
    """Two workers and one web process against one PostgreSQL server."""

    WORKER: ClassVar[tuple[str, ...]] = ("--no-web",)
    WEB: ClassVar[tuple[str, ...]] = ("--no-worker",)

    server: Server
    system: System
    workers: tuple[Member, Member]
    web: Member
    server_busy: bool = False
    _keepers: list["asyncio.Task[None]"] = field(default_factory=list["asyncio.Task[None]"])

    @property
    def members(self) -> tuple[Member, ...]:
        """All three processes."""
        return (*self.workers, self.web)

    def ready(self) -> list[str]:
        """Who is ready just now."""
        return [member.name for member in self.members if member.ready]

    async def all_ready(self) -> None:
        """Returns when each is ready."""
        while not all(each.ready for each in self.members):  # noqa: ASYNC110 - set by `keep`
            await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """Let each process end cleanly, and start none anew."""
        self.let_be()
        await asyncio.gather(*(member.stop() for member in self.members))

    def keep(self) -> None:
        """Start everything, and keep it running."""
        self._keepers += [asyncio.create_task(member.keep()) for member in self.members]

    def let_be(self) -> None:
        """Start nothing anew any more."""
        for keeper in self._keepers:
            keeper.cancel()

    def fell(self) -> Iterator[str]:
        """What was said by processes that ended by themselves."""
        for member in self.members:
            yield from member.fell


@asynccontextmanager
async def opened_crew(system: System, server: Server) -> AsyncGenerator[Crew]:
    """The processes of a configured installation, started; each reaches `server` by a door."""
    async with AsyncExitStack() as stack:

        async def member(name: str, options: tuple[str, ...]) -> Member:
            door = await stack.enter_async_context(opened_door(server.dsn))
            return Member(name, options, system, door)

        workers = (await member("worker 1", Crew.WORKER), await member("worker 2", Crew.WORKER))
        crew = Crew(server, system, workers, await member("web", Crew.WEB))
        crew.keep()
        try:
            yield crew
        finally:
            crew.let_be()
            system.clear()
