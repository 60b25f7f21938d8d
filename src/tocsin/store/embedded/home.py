"""The part of TOCSIN_HOME that belongs to the private PostgreSQL."""

import contextlib
import fcntl
import os
import re
import secrets
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from tocsin.store.embedded.account import Account, server_account
from tocsin.store.embedded.errors import EmbeddedError, from_os

# A socket's path has at most 107 bytes on Linux and 103 on macOS; "/.s.PGSQL.5432" takes 14.
_LONGEST_SOCKET_FOLDER = 85
_DATA = re.compile(r"pg(\d+)")


@dataclass(frozen=True, slots=True)
class Home:
    """Where things lie: `folder` is TOCSIN_HOME, `private` our folder in it.

    `sockets` is the folder of the server's socket; `password` that of the role `tocsin`.
    """

    folder: Path
    private: Path
    sockets: Path
    account: Account
    password: str

    @property
    def users_lock(self) -> Path:
        """Held (shared) by every process that uses the server."""
        return self.private / "users.lock"

    @property
    def supervisor_lock(self) -> Path:
        """Held (alone) by the process that supervises the server."""
        return self.private / "supervisor.lock"

    @property
    def log_file(self) -> Path:
        return self.private / "postgres.log"

    @property
    def socket(self) -> Path:
        return self.sockets / ".s.PGSQL.5432"


def open_home(folder: Path, log: Callable[[str], None]) -> Home:
    """Makes what is missing in `folder` and says where everything lies.

    Raises EmbeddedError for a folder that cannot be used, or whose data are not ours.
    """
    folder = folder.resolve()
    try:
        return _open(folder, log)
    except OSError as error:
        raise from_os("preparing the private PostgreSQL", error, folder) from error


def data_folder(home: Path) -> tuple[Path, int] | None:
    """The one data folder (`pg18`) and its major version, if there is one.

    Raises EmbeddedError when there are several: which one holds the truth is not ours to guess.
    """
    matches = [(each, _DATA.fullmatch(each.name)) for each in sorted(home.iterdir())]
    found = [(each, int(match[1])) for each, match in matches if match]
    if len(found) > 1:
        names = " and ".join(str(each) for each, _ in found)
        raise EmbeddedError(f"there are several data folders, {names}; move all but one away.")
    return found[0] if found else None


def make_socket_folder(path: Path, account: Account) -> None:
    """Makes the folder of the socket, or makes sure that it is a folder of the account alone."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
        if account.switch:
            os.chown(path, account.uid, account.gid)
    status = path.lstat()
    is_ours = status.st_uid == account.uid and not status.st_mode & 0o077
    if path.is_symlink() or not path.is_dir() or not is_ours:
        raise EmbeddedError(
            f"{path}, the folder of PostgreSQL's socket, is not a folder of user {account.name} "
            "alone (mode 0700); remove it."
        )


def open_private(path: Path, flags: int) -> int:
    """Opens a file (mode 0600) that belongs to the owner of its folder; returns the descriptor."""
    file = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    _give_to_owner_of(path.parent, file)
    return file


def write_private(path: Path, text: str) -> None:
    """Writes a whole file or nothing: on the disk before it appears under its name."""
    unfinished = path.with_name(path.name + ".new")
    file = open_private(unfinished, os.O_WRONLY | os.O_TRUNC)
    try:
        os.write(file, text.encode())
        os.fsync(file)
    finally:
        os.close(file)
    unfinished.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Brings the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _open(folder: Path, log: Callable[[str], None]) -> Home:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(_private_mode())
    data = data_folder(folder)
    account = server_account(*([data[0]] if data else []), folder)
    private = folder / "postgres"
    if not private.is_dir():
        private.mkdir(exist_ok=True)
        private.chmod(_private_mode())
        _give_to_owner_of(folder, private)
    if account.switch:
        _let_enter(folder, private, account, log)
    with _alone(private / "setup.lock"):
        for name in ("users.lock", "supervisor.lock"):
            os.close(open_private(private / name, os.O_RDWR))
        sockets = _socket_folder(private)
        make_socket_folder(sockets, account)
        return Home(folder, private, sockets, account, _password(folder, private))


def _private_mode() -> int:
    # Root's folder can be entered, but not listed, by the server's account.
    return 0o711 if os.geteuid() == 0 else 0o700


def _give_to_owner_of(folder: Path, made: Path | int) -> None:
    # What root makes in the folder of a normal user must stay usable for that user.
    owner = folder.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.chown(made, owner.st_uid, owner.st_gid)


def _let_enter(folder: Path, private: Path, account: Account, log: Callable[[str], None]) -> None:
    closed = account.first_closed(private)
    if closed == folder and folder != Path.home() and folder.stat().st_uid == 0:
        # TOCSIN_HOME itself is Tocsin's; its parents are not, and are left as they are.
        folder.chmod(folder.stat().st_mode | 0o011)
        log(f"{folder}: user {account.name}, who runs PostgreSQL, may now enter it (mode o+x)")
        closed = account.first_closed(private)
    if closed is not None:
        raise EmbeddedError(
            f"user {account.name}, who runs PostgreSQL for root, cannot enter {closed}; allow it "
            f"(chmod o+x {closed}), or point TOCSIN_HOME elsewhere, or run Tocsin as a normal user."
        )


def _socket_folder(private: Path) -> Path:
    near = private / "run"
    if len(os.fsencode(near)) <= _LONGEST_SOCKET_FOLDER:
        return near
    record = private / "socket-folder"
    if not record.exists():
        # /run is root's alone; for others /tmp, where a random name cannot be taken beforehand.
        base = Path("/run") if os.geteuid() == 0 and Path("/run").is_dir() else Path("/tmp")  # noqa: S108 - see above
        write_private(record, str(base / f"tocsin-{secrets.token_hex(6)}"))
    return Path(record.read_text())


def _password(folder: Path, private: Path) -> str:
    path = private / "password"
    if path.exists():
        return path.read_text()
    data = data_folder(folder)
    if data is not None:
        raise EmbeddedError(
            f"{data[0]} was not made by Tocsin ({path} is missing); move it away, "
            "or bring the password back, or set TOCSIN_DATABASE_URL."
        )
    write_private(path, secrets.token_urlsafe(24))
    return path.read_text()


@contextlib.contextmanager
def _alone(path: Path) -> Generator[None]:
    """Held only for a moment, hence waited for without asking the event loop."""
    file = open_private(path, os.O_RDWR)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)
