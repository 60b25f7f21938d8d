"""The data folder of the private PostgreSQL."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from tocsin.store.embedded.account import Account
from tocsin.store.embedded.errors import EmbeddedError, from_output
from tocsin.store.embedded.home import Home, sync_folder
from tocsin.store.embedded.programs import Programs

ROLE = "tocsin"
DATABASE = "tocsin"
_MARK = "made-by-tocsin"
_UNFINISHED = ".unfinished-"


def check_data(data: Path, named: Path, major: int, account: Account) -> None:
    """Makes sure that `data` holds data of ours, of the major version in its name.

    `named` is the folder by its own name, which may be a link to `data` on another disk.
    Raises EmbeddedError with the remedy; nothing is changed but the mode, which becomes 0700.
    """
    closed = account.first_closed(data.parent) if account.switch else None
    if closed is not None:
        raise EmbeddedError(f"user {account.name} cannot enter {closed}; allow it (chmod o+x).")
    owner = data.stat().st_uid
    if owner != account.uid:
        raise EmbeddedError(
            f"{data} belongs to {Account(owner, 0, switch=False).name}, and PostgreSQL would run "
            f"as {account.name}; run Tocsin as its owner or as root, or give it to {account.name}"
            f" (chown -R {account.name} {data})."
        )
    version = data / "PG_VERSION"
    if not version.exists() or not (data / _MARK).exists():
        raise EmbeddedError(
            f"{data} was not made by Tocsin ({'PG_VERSION' if not version.exists() else _MARK} is "
            "missing in it); move it away, or set TOCSIN_DATABASE_URL."
        )
    written_by = version.read_text().strip()
    if written_by != str(major):
        raise EmbeddedError(
            f"{data} holds data of PostgreSQL {written_by}, not of {major} as its name says; "
            f"rename {named.name} to pg{written_by}, or bring back the right folder."
        )
    data.chmod(0o700)


def create_data(home: Home, programs: Programs, log: Callable[[str], None]) -> Path:
    """Makes `pgNN` with an empty database; it appears under its name only when complete.

    To be called by the holder of the supervisor's lock, so that it happens once.
    """
    _clear(home)
    log(f"first start: making the data folder of PostgreSQL {programs.version} in {home.folder}")
    staging = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=home.folder))
    try:
        _fill(home, programs, staging)
        data = home.folder / f"pg{programs.major}"
        (staging / "data").rename(data)
        sync_folder(home.folder)
    finally:
        # Once more all of them: the programs of a first start that was killed may have gone on
        # writing for a moment while their folder was removed.
        _clear(home)
    return data


def _clear(home: Home) -> None:
    """Removes what first starts that were killed left behind."""
    for left_over in home.folder.glob(_UNFINISHED + "*"):
        shutil.rmtree(left_over, ignore_errors=True)


def _fill(home: Home, programs: Programs, staging: Path) -> None:
    account, data, password = home.account, staging / "data", staging / "password"
    password.write_text(home.password)  # initdb, running as the account, cannot read ours
    data.mkdir(mode=0o700)
    if account.switch:
        for path in (staging, data, password):
            os.chown(path, account.uid, account.gid)
    _run(
        home,
        [programs.initdb, "-D", str(data), "-U", ROLE, "--locale=C.UTF-8", "-E", "UTF8",
         "--auth=scram-sha-256", f"--pwfile={password}"],
    )  # fmt: skip
    # Single-user mode: the database exists before anybody can connect to the server.
    alone = [programs.postgres, "--single", "-D", str(data), "-c", "exit_on_error=on", "postgres"]
    _run(home, alone, f"CREATE DATABASE {DATABASE}\n")
    mark = data / _MARK
    mark.write_text("Tocsin made this data folder and starts its PostgreSQL.\n")
    if account.switch:
        os.chown(mark, account.uid, account.gid)


def _run(home: Home, args: list[str], stdin: str = "") -> None:
    done = home.account.run(args, stdin)
    if done.returncode != 0:
        raise from_output("making the data folder", done.stdout, home.folder)
