"""What went wrong with the private PostgreSQL, in words that name the remedy."""

import errno
import shutil
from pathlib import Path

_FULL = ("No space left on device", "Disk quota exceeded")
_IN_USE = ("pre-existing shared memory block", 'lock file "postmaster.pid" already exists')
_NEARLY_NOTHING = 24 << 20  # bytes; one WAL segment is 16 MiB
_REMEDIES = (
    (
        "could not look up effective user ID",
        "the account that runs Tocsin has no entry in /etc/passwd; run it as a user that has one",
    ),
    ("invalid locale name", "the locale C.UTF-8 is missing; install it"),
    (
        "database files are incompatible with server",
        "the data folder was written by another build of PostgreSQL; install the one that wrote it",
    ),
)


class EmbeddedError(Exception):
    """The private PostgreSQL cannot be used. The message names the cause and the remedy."""


class StillInUseError(EmbeddedError):
    """Processes of an earlier server have not ended yet; trying again later helps."""


def from_output(doing: str, output: str, home: Path) -> EmbeddedError:
    """The error for a PostgreSQL program that failed while `doing`, having printed `output`."""
    if any(words in output for words in _FULL) or _is_full(home):
        return disk_full(home)
    last = _telling_line(output)
    if any(words in output for words in _IN_USE):
        return StillInUseError(f"{doing} has to wait: {last}.")
    for words, remedy in _REMEDIES:
        if words in output:
            return EmbeddedError(f"{doing} failed: {last}: {remedy}.")
    return EmbeddedError(f"{doing} failed: {last}; see {home / 'postgres' / 'postgres.log'}.")


def from_os(doing: str, error: OSError, home: Path) -> EmbeddedError:
    """The error for a refused call to the operating system while `doing`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT) or (error.errno is None and _is_full(home)):
        return disk_full(home)
    remedy = (
        "run Tocsin as the user that owns it, or point TOCSIN_HOME elsewhere"
        if isinstance(error, PermissionError)
        else "correct this, or point TOCSIN_HOME elsewhere"
    )
    return EmbeddedError(
        f"{doing} failed: {error.filename or home}: {error.strerror or error}; {remedy}."
    )


def disk_full(home: Path) -> EmbeddedError:
    """The error for a disk that takes no more data."""
    return EmbeddedError(
        f"the disk that holds {home} is full; free some space there, "
        "or point TOCSIN_HOME at a larger disk before the first start."
    )


def _is_full(home: Path) -> bool:
    # The server's log lies on the same disk, so when it is full the log may say nothing.
    return home.exists() and shutil.disk_usage(home).free < _NEARLY_NOTHING


def _telling_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    marks = ("PANIC:", "FATAL:", "error:", "ERROR:")
    telling = [line for line in lines if any(mark in line for mark in marks)]
    return (telling or lines or ["it said nothing"])[-1]
