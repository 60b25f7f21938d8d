"""What the tests of the private PostgreSQL share: homes, processes that use them, questions."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg

from tocsin.store.embedded.programs import usual_places

PATIENCE = 30.0  # seconds until a test gives up waiting on this machine, however busy
WHEEL = usual_places()[0]
DEBIAN = Path("/usr/lib/postgresql/15/bin")
REPOSITORY = Path(__file__).resolve().parents[2]
USER = Path(__file__).with_name("embedded_user.py")


@dataclass
class User:
    """A process that uses the server of a home."""

    process: "subprocess.Popen[str]"
    said: list[str] = field(default_factory=list[str])

    def ready(self) -> str:
        """Waits for the address of the database."""
        word, rest = self._outcome()
        assert word == "ready", rest
        return rest

    def refused(self) -> str:
        """Waits for the reason why the server cannot be used."""
        word, rest = self._outcome()
        assert word == "refused", rest
        assert self.process.wait(PATIENCE) == 0
        return rest

    def leave(self) -> None:
        """Lets the process leave cleanly, and waits for its end."""
        rest, _ = self.process.communicate("leave\n", timeout=PATIENCE)
        self.said += rest.splitlines()
        assert self.process.returncode == 0, rest

    def kill(self) -> None:
        """Ends the process as a power cut would."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def _outcome(self) -> tuple[str, str]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.strip())
            word, _, rest = line.strip().partition(" ")
            if word in {"ready", "refused"}:
                return word, rest
        raise AssertionError("\n".join(self.said))


@dataclass
class Homes:
    """Makes homes and users, and clears all of it away."""

    folders: list[Path] = field(default_factory=list[Path])
    users: list[User] = field(default_factory=list[User])

    def make(self, name: str = "home") -> Path:
        """A folder with a short path that every account can enter."""
        top = Path(tempfile.mkdtemp(prefix="toc-", dir="/tmp"))
        top.chmod(0o755)
        self.folders.append(top)
        return top / name

    def copy(self, of: Path) -> Path:
        """A home with a data folder, as a clean stop leaves it."""
        home = self.make()
        subprocess.run(["cp", "-a", str(of), str(home)], check=True)
        return home

    def use(self, home: Path, places: Sequence[Path] = (), *, before: Sequence[str] = ()) -> User:
        """Starts a process that uses the server of `home`; `before` is put before its command."""
        return self._start([*before, sys.executable, str(USER), str(home), *map(str, places)])

    def use_as(self, uid: int, home: Path) -> User:
        """The same as another account, with the system's Python, which everybody can read."""
        return self._start([system_python(), str(USER), str(home)], uid)

    def clear(self) -> None:
        """Ends what still runs and removes the folders."""
        for user in self.users:
            user.kill()
            for stream in (user.process.stdin, user.process.stdout):
                assert stream is not None
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        for folder in self.folders:
            for pid in workers(folder):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for record in folder.rglob("socket-folder"):
                shutil.rmtree(record.read_text(), ignore_errors=True)
            _until_nobody_works_in(folder)
            shutil.rmtree(folder)

    def _start(self, args: Sequence[str], uid: int | None = None) -> User:
        process = subprocess.Popen(
            args,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
            user=uid,
            group=uid,
            extra_groups=None if uid is None else [],
        )
        self.users.append(User(process))
        return self.users[-1]


def open_homes() -> Iterator[Homes]:
    """The body of the fixture `homes`."""
    homes = Homes()
    try:
        yield homes
    finally:
        homes.clear()


def open_stopped() -> Iterator[Path]:
    """The body of the fixture `stopped`: a home after its first start and a clean stop."""
    for homes in open_homes():
        home = homes.make()
        user = homes.use(home, [WHEEL])
        user.ready()
        user.leave()
        yield home


def system_python() -> str:
    """A Python that every account can execute."""
    return shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable


def ask(dsn: str, question: str) -> object:
    """The one value that the database answers, asked anew while it does not listen."""

    async def once() -> object:
        connection = await asyncpg.connect(dsn, timeout=5)
        try:
            return await connection.fetchval(question)
        finally:
            await connection.close()

    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return asyncio.run(once())
        except (OSError, asyncpg.PostgresError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def postmaster(home: Path) -> int:
    """The number of the server's first process."""
    (record,) = home.glob("pg*/postmaster.pid")
    return int(record.read_text().split()[0])


def uid_of(pid: int) -> int:
    """The account of a process."""
    return Path(f"/proc/{pid}").stat().st_uid


def workers(folder: Path) -> list[int]:
    """The live processes of servers whose data lie below the folder."""
    found: list[int] = []
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            with contextlib.suppress(OSError):
                if (each / "cwd").readlink().is_relative_to(folder):
                    found.append(int(each.name))
    return found


def socket_of(dsn: str) -> Path:
    """The folder of the server's socket."""
    return Path(parse_qs(urlsplit(dsn).query)["host"][0])


def supervises(user: User, home: Path) -> bool:
    """Whether the process holds the lock of the supervisor."""
    lock = (home / "postgres" / "supervisor.lock").stat()
    held = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return any(
        words[1] == "FLOCK" and words[4] == str(user.process.pid)
        and words[5].endswith(f":{lock.st_ino}")
        for words in held
    )  # fmt: skip


def eventually(holds: Callable[[], bool], within: float = PATIENCE) -> float:
    """Waits until it holds; returns how many seconds that took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < within, "it never came to be"
        time.sleep(0.02)
    return time.monotonic() - began


def _until_nobody_works_in(folder: Path) -> None:
    eventually(lambda: not workers(folder))
