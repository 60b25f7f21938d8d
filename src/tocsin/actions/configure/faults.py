"""What is wrong with a configuration, by place and line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to put right: where it stands, and what it should be. `line` counts from 1."""

    path: Path
    what: str
    line: int | None = None

    def __str__(self) -> str:
        line = "" if self.line is None else f"line {self.line}: "
        place = place_of(self.path)
        return f"{line}{place}: {self.what}" if place else f"{line}{self.what}"


class ConfigureError(Exception):
    """The configuration is refused as a whole; every fault is named."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


class NotFoundError(Exception):
    """There is no such object (or none in the teams that were looked at)."""


class ConflictError(Exception):
    """The object exists already, a name means several, or others depend on the object."""

    def __init__(self, what: str, candidates: tuple[str, ...] = ()) -> None:
        super().__init__(what)
        self.candidates = candidates


def place_of(path: Path) -> str:
    """`teams.soc.members[2]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def with_lines(faults: Iterable[Fault], lines: Mapping[Path, int]) -> tuple[Fault, ...]:
    """The faults with the line of their place, or of what surrounds it, in the file's order."""
    placed = [
        fault if fault.line is not None else replace(fault, line=_line(fault.path, lines))
        for fault in faults
    ]
    return tuple(sorted(placed, key=lambda fault: fault.line or 0))


def _line(path: Path, lines: Mapping[Path, int]) -> int | None:
    for length in range(len(path), -1, -1):
        if (line := lines.get(path[:length])) is not None:
            return line
    return None
