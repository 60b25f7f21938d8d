"""A PostgreSQL server of one's own that is killed and started again at the same place."""

import asyncio
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from tocsin.store.embedded.account import Account, server_account
from tocsin.store.embedded.programs import (
    Programs,
    find_programs,
    readable_programs,
    usual_places,
)

PATIENCE = 60.0
"""Seconds until the server must accept connections, however busy the machine."""

_OPTIONS = {
    "fsync": "off",  # what was written outlives a kill in the kernel's hands, if not a power cut
    "listen_addresses": "",
    "max_connections": "200",
    "timezone": "UTC",
    "synchronous_commit": "off",  # what counts is that Tocsin asks for more than the default
}


@dataclass
class Server:
    """The server whose data lie below `folder`, which exists and may be entered by everybody."""

    folder: Path
    _since: float | None = None
    _account: Account = field(default_factory=server_account)
    _programs: Programs | None = None
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def dsn(self) -> str:
        """The address of its database, on a socket."""
        return f"postgresql://postgres@/postgres?host={self._sockets}"

    async def start(self) -> None:
        """Run it, and wait until it accepts connections; the first time with an empty database."""
        if self._programs is None:
            self._programs = await asyncio.to_thread(self._made)
        deadline = time.monotonic() + PATIENCE
        while not await self._accepts():
            assert time.monotonic() < deadline, self._log.read_text()
            # What a killed one left working holds its memory for a moment: until then a new one
            # refuses to start.
            if self._process is None or self._process.poll() is not None:
                self._spawn(self._programs)
            await asyncio.sleep(0.05)
        self._since = time.monotonic()

    @property
    def age(self) -> float:
        """Seconds since it accepts connections; 0 while it does not."""
        return 0.0 if self._since is None else time.monotonic() - self._since

    @property
    def runs(self) -> bool:
        """Whether its first process is there, ready or not."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End its first process at once, unasked; the others notice and end."""
        self._since = None
        self.tell(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(PATIENCE)

    def tell(self, number: signal.Signals) -> None:
        """Send its first process a signal, if it is there."""
        if self._process is not None:
            self._process.send_signal(number)

    def stop(self) -> None:
        """End it at once, cleanly."""
        self.tell(signal.SIGCONT)
        self.tell(signal.SIGINT)
        if self._process is not None:
            self._process.wait(PATIENCE)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _sockets(self) -> Path:
        return self.folder / "sockets"

    @property
    def _log(self) -> Path:
        return self.folder / "postgres.log"

    def _made(self) -> Programs:
        found = find_programs(usual_places(), None, self.folder)
        programs = readable_programs(found, self._account, self.folder / "programs")
        for path in (self._data, self._sockets):
            path.mkdir(mode=0o700)
            if self._account.switch:
                os.chown(path, self._account.uid, self._account.gid)
        done = self._account.run(
            [programs.initdb, "-D", str(self._data), "-U", "postgres", "--auth=trust", "-E", "UTF8",
             "--locale=C.UTF-8", "--no-sync", "--no-instructions"],
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return programs

    def _spawn(self, programs: Programs) -> None:
        options = [f"-c{name}={value}" for name, value in _OPTIONS.items()]
        command = [programs.postgres, "-D", str(self._data), "-k", str(self._sockets), *options]
        with self._log.open("ab") as log:
            self._process = self._account.spawn(command, log)

    async def _accepts(self) -> bool:
        if not self.runs:
            return False
        try:
            connection = await asyncpg.connect(self.dsn, timeout=5)
        except (OSError, asyncpg.PostgresError, TimeoutError):
            return False
        await connection.close(timeout=2)
        return True
