"""What every benchmark stands on: a private PostgreSQL with databases, and `serve` processes."""

import asyncio
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import msgspec

from bench.configuration import configuration
from bench.outside import Job, Observed
from tocsin.store.embedded import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[1]
TOCSIN = Path(sys.executable).with_name("tocsin")


class BenchError(Exception):
    """A part that is measured did not do what it should; the message holds what it said."""


@dataclass(frozen=True, slots=True)
class Served:
    """A running `tocsin serve`, ready after `started` seconds; without web its port is 0."""

    port: int
    pid: int
    started: float

    def cpu(self) -> float:
        """Seconds of CPU that the process has used, where the system tells (else 0)."""
        stat = Path(f"/proc/{self.pid}/stat")
        if not stat.exists():
            return 0.0
        user, system = stat.read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> float:
        """Resident memory in MB (10⁶ bytes), where the system tells (else 0)."""
        statm = Path(f"/proc/{self.pid}/statm")
        if not statm.exists():
            return 0.0
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@dataclass(slots=True)
class Stage:
    """The server of one run; each benchmark takes databases of its own from it."""

    folder: Path
    dsn: str
    _databases: int = 0

    async def database(self) -> str:
        """The address of a new, empty database on the server."""
        self._databases += 1
        name = f"bench_{self._databases}"
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute(f"CREATE DATABASE {name}")
        finally:
            await connection.close()
        head, _, query = self.dsn.partition("?")
        return f"{head.rpartition('/')[0]}/{name}?{query}"

    async def apply(self, dsn: str | None, text: str, home: Path | None = None) -> None:
        """Run `tocsin apply` with this configuration. Raises `BenchError`."""
        file = (home or self.folder) / "configuration.yaml"
        file.write_text(text)
        process = await asyncio.create_subprocess_exec(
            TOCSIN, "apply", "-f", file,
            env=self.environment(dsn, home),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        if process.returncode:
            raise BenchError(f"apply: {said.decode()}")

    @asynccontextmanager
    async def serve(
        self, dsn: str | None, *arguments: str, home: Path | None = None
    ) -> AsyncGenerator[Served]:
        """A `tocsin serve` process on a database, or with a private one under `home`."""
        begun = time.monotonic()
        with (self.folder / "serve.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                TOCSIN, "serve", "--port", "0", *arguments,
                env=self.environment(dsn, home),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )  # fmt: skip
        assert process.stdout is not None
        try:
            line = (await process.stdout.readline()).decode()
            if "ready" not in line:
                raise BenchError(f"serve: {(self.folder / 'serve.log').read_text()[-2000:]}")
            port = line.strip().rpartition(":")[2].rstrip("/")
            yield Served(int(port) if port.isdigit() else 0, process.pid, time.monotonic() - begun)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await process.wait()

    def environment(self, dsn: str | None, home: Path | None) -> dict[str, str]:
        """What a process of Tocsin is started with; nothing of the caller's own settings."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
        kept["TOCSIN_HOME"] = str(home or self.folder / "serving")
        kept["TOCSIN_ALLOW_PRIVATE_TARGETS"] = "127.0.0.0/8,::1/128"
        kept["TOCSIN_BENCH_CLOUD_SECRET"] = "bench"
        if dsn is not None:
            kept["TOCSIN_DATABASE_URL"] = dsn
        return kept

    @asynccontextmanager
    async def serving_a_team(self, *arguments: str) -> AsyncGenerator[tuple[Served, str, int]]:
        """`serve` on a new database with one team; also the database and the phone's port."""
        dsn, phone = await self.database(), free_port()
        await self.apply(dsn, configuration(phone))
        async with self.serve(dsn, *arguments) as served:
            yield served, dsn, phone

    async def program(
        self, name: str, *arguments: str, given: bytes = b"", extra: Mapping[str, str] | None = None
    ) -> bytes:
        """Run a program of this package in a process of its own; returns what it printed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", f"bench.{name}", *arguments,
            cwd=ROOT,
            env={**os.environ, **(extra or {})},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, _ = await process.communicate(given)
        if process.returncode:
            raise BenchError(f"{name}: exit {process.returncode}")
        return said

    async def outside(self, job: Job) -> Observed:
        """Let the world outside do a job."""
        said = await self.program("outside", given=msgspec.json.encode(job))
        return msgspec.json.decode(said, type=Observed)


@asynccontextmanager
async def stage() -> AsyncGenerator[Stage]:
    """A fresh server for as long as the block runs; everything is removed afterwards."""
    with home() as folder:
        async with EmbeddedPostgres(folder / "home", log=lambda _: None) as private:
            yield Stage(folder, private.dsn)


@contextmanager
def home() -> Generator[Path]:
    """A folder for as long as the block runs, in which a private PostgreSQL can live."""
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as made:
        folder = Path(made)
        folder.chmod(0o711)  # as root PostgreSQL runs as somebody else, who has to pass here
        (folder / "serving").mkdir()
        yield folder


def free_port() -> int:
    """A port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def fetch(dsn: str, sql: str) -> int:
    """The one number that a query answers."""
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(sql) or 0)
    finally:
        await connection.close()
