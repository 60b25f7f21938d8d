"""The task that keeps the private PostgreSQL running."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from tocsin.store.embedded.cluster import check_data, create_data
from tocsin.store.embedded.errors import EmbeddedError, StillInUseError, from_os, from_output
from tocsin.store.embedded.home import Home, data_folder
from tocsin.store.embedded.lock import FileLock
from tocsin.store.embedded.postmaster import Postmaster, clear_stale, end_orphans, running, start
from tocsin.store.embedded.probe import Answer, ask
from tocsin.store.embedded.programs import Programs, find_programs, readable_programs
from tocsin.store.embedded.serverlog import ServerLog

_WATCH = 0.2  # seconds between two looks at the server
_FIRST_DELAY, _LONGEST_DELAY = 0.1, 5.0  # seconds between two starts
_STABLE = 10.0  # seconds; a server that ran so long is started again almost at once
_REPORT = 5.0  # seconds between two reports while the server recovers
_STOP = 60.0  # seconds for a stop with checkpoint, before one without

_Made = TypeVar("_Made")


class Supervisor:
    """Waits for its turn, then starts the server or takes over the one that runs, and watches."""

    def __init__(self, home: Home, places: Sequence[Path], log: Callable[[str], None]) -> None:
        self._home = home
        self._places = places
        self._log = log
        self._turn = FileLock(home.supervisor_lock)
        self._server: Postmaster | None = None
        self._server_log = ServerLog(home.log_file)
        self.in_use = False  # once somebody relies on the server, no failure ends the task

    async def run(self) -> None:
        """Runs until cancelled. Raises EmbeddedError only while `in_use` is false."""
        await self._turn.exclusive()
        clock = asyncio.get_running_loop()
        delay = _FIRST_DELAY
        while True:
            began = clock.time()
            try:
                await self._watch(await self._bring_up())
                self._log("the private PostgreSQL ended; starting it again")
            except StillInUseError as error:
                self._log(f"{error} Trying again in {delay:.1f} s.")
                self._end_orphans()
            except (EmbeddedError, OSError) as error:
                told = self._told(error)
                if not self.in_use:
                    raise told from error
                self._log(f"{told} Trying again in {delay:.1f} s.")
            if clock.time() - began > _STABLE:
                delay = _FIRST_DELAY
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY)

    async def stop(self) -> None:
        """Stops the server. `run` was cancelled; the caller alone still holds the users' lock."""
        await self._turn.exclusive()
        server = self._server
        if server is None or not server.is_alive():
            found = data_folder(self._home.folder)
            server = running(found[0].resolve()) if found else None
        if server is None:
            return
        server.stop_fast()
        try:
            async with asyncio.timeout(_STOP):
                await _end_of(server)
        except TimeoutError:
            self._log("PostgreSQL does not stop; ending it at once (the next start recovers)")
            server.stop_at_once()
            await _end_of(server)

    def release(self) -> None:
        """Lets another process have its turn; the server, if it runs, goes on."""
        if self._server is not None:
            self._server.leave_running()
            self._server = None
        self._turn.release()

    async def _bring_up(self) -> Postmaster:
        """Returns the server when it answers."""
        data = await self._data()
        server = running(data)
        if server is None:
            answers = await ask(self._home.socket) is not Answer.NONE
            server = await _to_its_end(lambda: self._start(data, answers=answers))
        self._server = server
        await self._until_ready(server)
        return server

    async def _data(self) -> Path:
        found = data_folder(self._home.folder)
        if found is not None:
            return found[0].resolve()
        if self.in_use:
            # Never a new, empty folder under the feet of processes that used the old one.
            raise EmbeddedError(f"the data folder in {self._home.folder} is gone; bring it back.")
        return await _to_its_end(self._create)

    def _create(self) -> Path:
        return create_data(self._home, self._programs(None, self._home.folder), self._log)

    def _start(self, data: Path, *, answers: bool) -> Postmaster:
        found = data_folder(self._home.folder)
        assert found is not None
        named, major = found
        check_data(data, named, major, self._home.account)
        programs = self._programs(major, named)
        clear_stale(self._home, data, answers=answers)
        # Kept here and not by the caller, who may be cancelled before it has the answer.
        self._server = start(self._home, data, programs, self._server_log.open())
        return self._server

    def _end_orphans(self) -> None:
        found = data_folder(self._home.folder)
        if found is not None:
            end_orphans(found[0].resolve())

    def _programs(self, major: int | None, wanted_by: Path) -> Programs:
        programs = find_programs(self._places, major, wanted_by)
        return readable_programs(programs, self._home.account, self._home.private / "programs")

    async def _until_ready(self, server: Postmaster) -> None:
        clock = asyncio.get_running_loop()
        pause, report = 0.02, clock.time() + _REPORT
        while (answer := await ask(self._home.socket)) is not Answer.READY:
            if not server.is_alive():
                raise from_output("starting PostgreSQL", self._server_log.tail(), self._home.folder)
            if clock.time() > report:
                said = (self._server_log.tail().splitlines() or ["nothing"])[-1]
                self._log(f"waiting for PostgreSQL ({answer.value}); it last said: {said}")
                report += _REPORT
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _WATCH)

    async def _watch(self, server: Postmaster) -> None:
        """Returns when the server has ended."""
        missing = 0.0
        while server.is_alive():
            await asyncio.sleep(_WATCH)
            self._server_log.limit()
            missing = 0.0 if self._home.socket.exists() else missing + _WATCH
            if missing > _REPORT:
                # Somebody tidied its folder: it works, and nobody can reach it any more.
                self._log(f"{self._home.socket} has vanished; PostgreSQL has to start anew")
                server.stop_fast()
                missing = 0.0

    def _told(self, error: EmbeddedError | OSError) -> EmbeddedError:
        if isinstance(error, EmbeddedError):
            return error
        return from_os("starting the private PostgreSQL", error, self._home.folder)


async def _end_of(server: Postmaster) -> None:
    while server.is_alive():  # noqa: ASYNC110 - it need not be our child, so nobody tells us
        await asyncio.sleep(0.02)


async def _to_its_end(work: Callable[[], _Made]) -> _Made:
    """Works in a thread. A cancellation waits for its end: it must not outlive our lock."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
