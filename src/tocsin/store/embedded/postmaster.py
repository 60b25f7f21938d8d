"""One running server of the private PostgreSQL."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from tocsin.store.embedded.errors import EmbeddedError, StillInUseError
from tocsin.store.embedded.home import Home, make_socket_folder
from tocsin.store.embedded.programs import Programs

_PROC = Path("/proc")
_PID_FILE = "postmaster.pid"  # its first line is the number of the process
_SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "restart_after_crash": "on",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_line_prefix": "%m [%p] ",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postmaster:
    """A server's first process: our child, or one that another process left running."""

    def __init__(self, pid: int, data: Path, child: subprocess.Popen[bytes] | None = None) -> None:
        self.pid = pid
        self._data = data
        self._child = child

    def is_alive(self) -> bool:
        """False for a dead process, also while nobody has reaped it, and for a reused number."""
        if self._child is not None:
            return self._child.poll() is None
        return _works_in(self.pid, self._data)

    def stop_fast(self) -> None:
        """Asks for an end in which open transactions are rolled back and all is on the disk."""
        self._send(signal.SIGINT)

    def stop_at_once(self) -> None:
        """Ends without a checkpoint; the next start recovers from the log."""
        self._send(signal.SIGQUIT)

    def leave_running(self) -> None:
        """Parts from a child that is to outlive us."""
        if self._child is not None and self._child.poll() is None:
            self._child.returncode = 0  # else Python warns that it still runs, as it should
            self._child = None

    def _send(self, number: signal.Signals) -> None:
        if self.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def start(home: Home, data: Path, programs: Programs, output: int) -> Postmaster:
    """Starts a server as our child that outlives us; it may not answer yet.

    It writes to the descriptor `output`, which is closed here.
    """
    quoted = str(home.sockets).replace('"', '""')
    settings = {**_SETTINGS, "unix_socket_directories": f'"{quoted}"'}
    args = [programs.postgres, "-D", str(data)]
    for name, value in settings.items():
        args += ["-c", f"{name}={value}"]
    try:
        make_socket_folder(home.sockets, home.account)
        child = home.account.spawn(args, output)
    finally:
        os.close(output)
    return Postmaster(child.pid, data, child)


def running(data: Path) -> Postmaster | None:
    """The server that works in the data folder, whoever started it."""
    pid = _recorded(data / _PID_FILE)
    if pid is None or not _works_in(pid, data):
        return None
    return Postmaster(pid, data)


def clear_stale(home: Home, data: Path, *, answers: bool) -> None:
    """Removes lock files that would keep PostgreSQL from starting without reason.

    PostgreSQL itself removes those whose process is gone. It refuses to start where the number is
    taken: by a dead process that nobody reaped (containers), or by one that has nothing to do
    with it. Call only when `running` found nothing; `answers` says that the socket answers.
    Raises StillInUseError while processes of that server are left.
    """
    beside_socket = home.socket.with_name(home.socket.name + ".lock")
    stale = [file for file in (data / _PID_FILE, beside_socket) if _is_taken(_recorded(file))]
    if not stale:
        return
    if answers:
        raise StillInUseError(f"a PostgreSQL that this process cannot see works in {data}.")
    if not _PROC.is_dir():
        return
    if _workers(data):
        raise StillInUseError(f"processes of the last PostgreSQL still work in {data}.")
    for file in stale:
        file.unlink(missing_ok=True)


def end_orphans(data: Path) -> None:
    """Ends what a killed server left behind, as that server would have done after a crash.

    A backend that computes does not notice for a long time that its postmaster is gone, and no
    new server can start before it ends. Nothing that it still does can be committed by anybody.
    """
    if running(data) is None:
        for pid in _workers(data):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _workers(data: Path) -> list[int]:
    if not _PROC.is_dir():
        return []
    numbers = [int(each.name) for each in _PROC.iterdir() if each.name.isdigit()]
    return [pid for pid in numbers if _works_in(pid, data)]


def _recorded(file: Path) -> int | None:
    try:
        first, *_ = file.read_text().splitlines()
    except (FileNotFoundError, ValueError):
        return None
    except OSError as error:
        raise EmbeddedError(f"{error.filename} cannot be read: {error.strerror}.") from error
    return abs(int(first)) if first.strip("-").isdigit() else None


def _is_taken(pid: int | None) -> bool:
    if pid is None:
        return False
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # as the first process of a container we are its parent
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _works_in(pid: int, data: Path) -> bool:
    """Whether a live process has the data folder as its working folder, as every server has."""
    if _PROC.is_dir():
        try:  # a dead process that was not reaped has no working folder
            return (_PROC / str(pid) / "cwd").readlink() == data
        except OSError:
            return False
    listed = subprocess.run(  # noqa: S603 - a number and fixed words
        ["/bin/ps", "-ww", "-o", "stat=,command=", "-p", str(pid)],
        capture_output=True, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    return str(data) in listed and not listed.startswith("Z")
