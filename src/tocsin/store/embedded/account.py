"""The unprivileged account that the private PostgreSQL runs under."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tocsin.store.embedded.errors import EmbeddedError

_UNPRIVILEGED = ("nobody", "daemon")
_ENTER_EACH = 'for folder; do cd "$folder" 2>/dev/null || { echo "$folder"; exit 1; }; done'


@dataclass(frozen=True, slots=True)
class Account:
    """`switch` says that this process is root and has to become the account for each program."""

    uid: int
    gid: int
    switch: bool

    @property
    def name(self) -> str:
        """The user's name for messages; the number where there is none."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return f"uid {self.uid}"

    def spawn(self, args: Sequence[str], output: int | IO[bytes]) -> subprocess.Popen[bytes]:
        """Starts a server that outlives this process: own session, nothing piped to it."""
        return subprocess.Popen(  # noqa: S603 - the programs are those found by `programs`
            args,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",  # the account may not be able to read the folder we were started in
            env=_environment(),
            start_new_session=True,
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
        )

    def run(self, args: Sequence[str], stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Runs a program to its end; standard output and error arrive together in `stdout`.

        Raises OSError when the account cannot execute the program.
        """
        return subprocess.run(  # noqa: S603 - the programs are those found by `programs`
            args,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            cwd="/",
            env=_environment(),
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
        )

    def first_closed(self, folder: Path) -> Path | None:
        """The outermost of `folder` and its parents that the account cannot enter."""
        way = [str(each) for each in reversed((folder, *folder.parents))]
        done = self.run(["/bin/sh", "-c", _ENTER_EACH, "sh", *way])
        return Path(done.stdout.strip()) if done.returncode else None


def own_account() -> Account:
    """The account of this process."""
    return Account(os.geteuid(), os.getegid(), switch=False)


def server_account(*owned: Path) -> Account:
    """The account for the server: our own, or, as root, an existing one without privileges.

    As root, the first of the folders `owned` that exists and belongs to another user decides, so
    that what a normal user began goes on as that user.
    """
    if os.geteuid() != 0:
        return own_account()
    for folder in owned:
        if folder.exists() and (status := folder.stat()).st_uid != 0:
            return Account(status.st_uid, status.st_gid, switch=True)
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, switch=True)
    raise EmbeddedError(
        "PostgreSQL does not run as root, and this system has no user "
        f"{' or '.join(_UNPRIVILEGED)}; run Tocsin as a normal user."
    )


def _environment() -> dict[str, str]:
    """Nothing of ours: PG* variables would bend the server, and TOCSIN_* may hold secrets."""
    kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    ours = {name: os.environ[name] for name in kept if name in os.environ}
    return {"LC_ALL": "C", "TZ": "UTC", **ours}
