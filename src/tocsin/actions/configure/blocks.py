"""Reading one mapping of the configuration key by key, collecting every fault.

A getter answers None where the key is absent or at fault; the fault is noted with its place.
A key whose value is null counts as absent. `end()` reports the keys that nobody asked for.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from difflib import get_close_matches
from typing import TypeVar, cast

from tocsin.actions.configure.faults import Fault, Path
from tocsin.core import ids, notation

MOST_TEXT = 4000
_DEEPEST = 50
_ID = re.compile(r"[a-z2-7]{26}|[a-z2-7]{32}")
_YEARS = range(1901, 8900)  # what schedules are worked out for, with room for zones

_T = TypeVar("_T")


@dataclass(slots=True)
class Faults:
    """Where the faults of one validation are collected."""

    found: list[Fault] = field(default_factory=list[Fault])

    def add(self, path: Path, what: str) -> None:
        """Note a fault at a place."""
        self.found.append(Fault(path, what))


@dataclass(slots=True)
class Block:
    """A mapping at `path`; remembers which of its keys were asked for."""

    value: Mapping[str, object]
    path: Path
    faults: Faults
    asked: set[str] = field(default_factory=set[str])

    def raw(self, key: str) -> object:
        """The value as it stands, None where it is absent."""
        self.asked.add(key)
        return self.value.get(key)

    def fault(self, key: str | None, what: str) -> None:
        """Note a fault at a key of this block, or at the block."""
        self.faults.add(self.path if key is None else (*self.path, key), what)

    def need(self, *keys: str) -> None:
        """Note each of the keys that is missing."""
        for key in keys:
            if self.raw(key) is None:
                self.fault(None, f"`{key}` is missing")

    def text(self, key: str, *, most: int = 200) -> str | None:
        """A text that is not empty."""
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, str):
            self.fault(key, f"give a text; {_shown(value)} is none (put it in quotes)")
        elif not value.strip() or len(value) > most:
            self.fault(key, f"give a text of 1 to {most} characters")
        elif "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
            self.fault(key, "the text holds a character that cannot be stored")
        else:
            return value
        return None

    def choice(self, key: str, words: Sequence[str]) -> str | None:
        """One of a closed set of words."""
        value = self.raw(key)
        if value is None:
            return None
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value) in words:
            return str(value)
        self.fault(key, f"{_shown(value)} is not one of {', '.join(words)}")
        return None

    def flag(self, key: str) -> bool | None:
        """`true` or `false`."""
        value = self.raw(key)
        if value is not None and not isinstance(value, bool):
            self.fault(key, f"{_shown(value)} is not true or false")
            return None
        return value

    def number(self, key: str, least: int, most: int) -> int | None:
        """A whole number within limits."""
        value = self.raw(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.fault(key, f"give a whole number from {least} to {most}, not {_shown(value)}")
            return None
        return value

    def duration(
        self, key: str, least: timedelta = timedelta(), most: timedelta = timedelta(days=366)
    ) -> timedelta | None:
        """A length of time within limits."""
        span = self._read(key, notation.duration, "30s, 2m, 4h or 1d")
        if span is not None and not least <= span <= most:
            self.fault(key, f"give a duration from {spoken(least)} to {spoken(most)}")
            return None
        return span

    def clock(self, key: str) -> time | None:
        """A time of day."""
        return self._read(key, notation.clock, '"09:00" (in quotes)')

    def moment(self, key: str) -> datetime | None:
        """A date with time, with or without an offset."""
        found = self._read(key, notation.moment, "2026-11-02T09:00")
        if found is not None and found.year not in _YEARS:
            self.fault(key, f"give a year from {_YEARS[0]} to {_YEARS[-1]}")
            return None
        return found

    def block(self, key: str) -> "Block | None":
        """A nested mapping."""
        value = self.raw(key)
        return None if value is None else self.inner(value, (*self.path, key))

    def named(self, key: str) -> Iterator[tuple[str, "Block"]]:
        """A mapping of names to mappings; a fault in one does not hide the others."""
        outer = self.block(key)
        if outer is None:
            return
        for name, value in outer.value.items():
            path = (*outer.path, name)
            if (wrong := name_fault(name)) is not None:
                self.faults.add(path, wrong)
            inner = self.inner(value, path)
            if inner is not None:
                yield name, inner

    def blocks(self, key: str) -> Iterator["Block"]:
        """A list of mappings."""
        for path, value in self.entries(key):
            inner = self.inner(value, path)
            if inner is not None:
                yield inner

    def entries(self, key: str) -> Iterator[tuple[Path, object]]:
        """The entries of a list as they stand, each with its place."""
        value = self.raw(key)
        if value is None:
            return
        if not isinstance(value, list):
            self.fault(key, f"give a list, not {_shown(value)}")
            return
        for index, item in enumerate(cast("list[object]", value)):
            yield (*self.path, key, index), item

    def words(self, key: str, *, most: int = 200) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(
            word
            for path, item in self.entries(key)
            if (word := self._word(item, path, most)) is not None
        )

    def choices(self, key: str, words: Sequence[str]) -> tuple[str, ...]:
        """A list of words from a closed set, at least one where the key is given."""
        found = self.words(key)
        for item in found:
            if item not in words:
                self.fault(key, f"{_shown(item)} is not one of {', '.join(words)}")
        if self.raw(key) == []:
            self.fault(key, f"give at least one of {', '.join(words)}")
        return found

    def anything(self, key: str) -> object:
        """Any value that can be stored."""
        value = self.raw(key)
        check_storable(value, (*self.path, key), self.faults)
        return value

    def inner(self, value: object, path: Path) -> "Block | None":
        """A value that stands further inside, as a mapping."""
        if not isinstance(value, dict):
            self.faults.add(path, f"give a mapping (key: value), not {_shown(value)}")
            return None
        return Block(cast("dict[str, object]", value), path, self.faults)

    def end(self) -> None:
        """Note every key that was not asked for."""
        for key in self.value:
            if key not in self.asked:
                near = get_close_matches(str(key), sorted(self.asked), n=1)
                known = f"did you mean {near[0]}?" if near else "remove it"
                self.fault(str(key), f"there is no such key here; {known}")

    def _read(self, key: str, reader: Callable[[str], _T], example: str) -> _T | None:
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, str):
            self.fault(key, f"{_shown(value)} is not written like {example}")
            return None
        try:
            return reader(value)
        except ValueError as error:
            self.fault(key, str(error))
            return None

    def _word(self, item: object, path: Path, most: int) -> str | None:
        if isinstance(item, str) and item.strip() and len(item) <= most:
            check_storable(item, path, self.faults)
            return item
        self.faults.add(path, f"give a text of 1 to {most} characters, not {_shown(item)}")
        return None


def check_storable(value: object, path: Path, faults: Faults) -> None:
    """Note what the database cannot keep: NUL, halves of surrogate pairs, numbers, depth."""
    if len(path) > _DEEPEST:
        faults.add(path, "values are nested too deep")
    elif isinstance(value, str):
        if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
            faults.add(path, "the text holds a character that cannot be stored")
        elif len(value) > MOST_TEXT:
            faults.add(path, f"the text has more than {MOST_TEXT} characters")
    elif isinstance(value, int | float) and not -(2**63) < value < 2**63:
        faults.add(path, "the number is too large, or none")  # NaN compares with nothing
    elif isinstance(value, dict):
        for key, inner in cast("dict[str, object]", value).items():
            check_storable(key, path, faults)
            check_storable(inner, (*path, key), faults)
    elif isinstance(value, list):
        for index, inner in enumerate(cast("list[object]", value)):
            check_storable(inner, (*path, index), faults)


def name_fault(name: str) -> str | None:
    """Why `name` cannot be the name of an object, or None."""
    if not 0 < len(name) <= 100 or name != name.strip():
        return "a name has 1 to 100 characters, no blank at its ends"
    if "/" in name or any(
        char < " " or char == "\x7f" or "\ud800" <= char <= "\udfff" for char in name
    ):
        return "a name has no slash and no control character"
    if _ID.fullmatch(name) or ids.decode(name) is not None:
        return "a name does not look like an id (26 or 32 small letters and digits 2 to 7)"
    return None


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return repr(text if len(text) <= 60 else text[:57] + "...")


def spoken(span: timedelta) -> str:
    """A length of time as a fault names it: `90s`, `2m`, `7d`."""
    seconds = int(span.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
