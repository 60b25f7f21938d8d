"""The private PostgreSQL that runs when no database is configured."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from tocsin.store.embedded.cluster import DATABASE, ROLE
from tocsin.store.embedded.errors import EmbeddedError
from tocsin.store.embedded.home import Home, open_home
from tocsin.store.embedded.lock import FileLock
from tocsin.store.embedded.probe import Answer, ask
from tocsin.store.embedded.programs import usual_places
from tocsin.store.embedded.supervisor import Supervisor

__all__ = ["EmbeddedError", "EmbeddedPostgres"]

_log = logging.getLogger(__name__).info

_POLL = 0.05  # seconds between two questions whether the server answers
_REPORT = 5.0  # seconds between two reports that it does not answer yet


class EmbeddedPostgres:
    """The use of the server under `home` by this process, as an asynchronous context.

    The first process starts the server, later ones share it. While the context is open, one of
    the processes supervises the server, and another takes over within two seconds when that one
    ends or dies. The last process that leaves stops the server; one that is killed leaves it
    running for the next.

    `places` are the `bin` folders in which PostgreSQL's programs are looked for, best first.
    """

    def __init__(
        self,
        home: Path,
        *,
        log: Callable[[str], None] = _log,
        places: Sequence[Path] | None = None,
    ) -> None:
        self._folder = home
        self._log = log
        self._places = usual_places() if places is None else tuple(places)
        self._home: Home | None = None
        self._users: FileLock | None = None
        self._supervisor: Supervisor | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def dsn(self) -> str:
        """The address of the database, password included, for libpq and asyncpg alike."""
        assert self._home is not None, "known inside the context"
        host = quote(str(self._home.sockets), safe="/")
        return f"postgresql://{ROLE}:{self._home.password}@/{DATABASE}?host={host}&port=5432"

    async def __aenter__(self) -> Self:
        """Returns when the server answers, however long its recovery takes.

        Raises EmbeddedError when it cannot be started.
        """
        home = self._home = await asyncio.to_thread(open_home, self._folder, self._log)
        self._users = FileLock(home.users_lock)
        self._supervisor = Supervisor(home, self._places, self._log)
        try:
            await self._users.shared()  # waits while the last user of before stops the server
            self._task = asyncio.create_task(self._supervisor.run(), name="embedded-postgres")
            await self._until_ready(home, self._task)
        except BaseException:
            await self._leave(self._users, self._supervisor)
            raise
        self._supervisor.in_use = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops the server when no other process uses it."""
        assert self._users is not None
        assert self._supervisor is not None
        await self._leave(self._users, self._supervisor)

    async def _until_ready(self, home: Home, supervision: asyncio.Task[None]) -> None:
        clock = asyncio.get_running_loop()
        report = clock.time() + _REPORT
        while await ask(home.socket) is not Answer.READY:
            if supervision.done():
                supervision.result()  # raises why it cannot be started
            if clock.time() > report:
                self._log(f"waiting for the private PostgreSQL in {home.folder}")
                report += _REPORT
            await asyncio.sleep(_POLL)

    async def _leave(self, users: FileLock, supervisor: Supervisor) -> None:
        try:
            if self._task is None:
                return
            self._task.cancel()
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.exception()  # raised to the caller of `__aenter__` already
            # Alone with the lock means that we were the last; newcomers wait until we are done.
            if users.try_exclusive():
                await supervisor.stop()
        finally:
            self._task = None
            supervisor.release()
            users.release()
