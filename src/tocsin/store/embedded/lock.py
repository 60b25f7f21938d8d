"""A lock on a file that ends with the process that holds it."""

import asyncio
import fcntl
import os
from pathlib import Path

_POLL = 0.1  # seconds; part of the two seconds within which another process takes over


class FileLock:
    """An flock(2) lock on a file that exists.

    The file stays; the lock goes when it is released or when the process dies.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def try_shared(self) -> bool:
        """Takes the lock beside other shared holders; False when one holds it alone."""
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Takes the lock alone. When that fails, a shared hold is lost as well, see flock(2)."""
        return self._try(fcntl.LOCK_EX)

    async def shared(self) -> None:
        """Waits for `try_shared`."""
        await self._until(fcntl.LOCK_SH)

    async def exclusive(self) -> None:
        """Waits for `try_exclusive`."""
        await self._until(fcntl.LOCK_EX)

    def release(self) -> None:
        """Gives the lock back; nothing happens when it is not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _try(self, mode: int) -> bool:
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            fcntl.flock(self._file, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    async def _until(self, mode: int) -> None:
        while not self._try(mode):  # noqa: ASYNC110 - another process gives it back, without a word
            await asyncio.sleep(_POLL)
