"""The log file of the private PostgreSQL, kept small."""

import os
import shutil
from pathlib import Path

from tocsin.store.embedded.home import open_private

_LARGEST = 16 << 20  # bytes; one older file of that size is kept beside it
_TAIL = 8192  # bytes


class ServerLog:
    """The file that the server appends to, as its standard output and error."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begin = 0

    def open(self) -> int:
        """A descriptor for a server about to start; `tail` tells what is written from now on."""
        self.limit()
        self._begin = self._size()
        return open_private(self._path, os.O_WRONLY | os.O_APPEND)

    def tail(self) -> str:
        """The end of what the server has said since `open`."""
        size = self._size()
        begin = self._begin if self._begin <= size else 0
        if not size:
            return ""
        with self._path.open("rb") as file:
            file.seek(max(begin, size - _TAIL))
            return file.read().decode(errors="replace")

    def limit(self) -> None:
        """Puts a large log aside. The server keeps its file, so it is copied, then emptied."""
        if self._size() <= _LARGEST:
            return
        aside = self._path.with_suffix(".log.1")
        os.close(open_private(aside, os.O_WRONLY))
        shutil.copyfile(self._path, aside)
        os.truncate(self._path, 0)

    def _size(self) -> int:
        return self._path.stat().st_size if self._path.exists() else 0
