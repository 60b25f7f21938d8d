"""The fields of each kind as JSON Schema, found by walking the rules with blocks that take notes.

The rules read every key through the getters of `Block`. Here they read blocks whose getters note
what was asked for and answer something, so a key that a rule begins to read is in the schema by
itself. What a rule asks may depend on an answer: they are walked once for each kind of answer
(nothing, a list, a mapping, a text), and with texts once for each word that a choice has. A key
is required where every walk that came to its block needed it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar, cast

from tocsin.actions.configure.blocks import Block, Faults, spoken
from tocsin.actions.configure.check import Check, Known
from tocsin.actions.configure.faults import Path
from tocsin.actions.configure.people import URGENCIES
from tocsin.actions.configure.places import ANY, Place, Schema, Visit, one_of, text
from tocsin.actions.configure.tree import check_root
from tocsin.actions.world import PlugIns
from tocsin.core.notation import mapping
from tocsin.ports import Channel, Source
from tocsin.store.configuration import Kind

_USER: Path = ("users", ANY)
_TEAM: Path = ("teams", ANY)
_WHERE: Mapping[Kind, Path] = {
    Kind.USER: _USER,
    Kind.METHOD: (*_USER, "contact_methods", ANY),
    Kind.RULE: (*_USER, "notification_rules", URGENCIES[0], 0),
    Kind.TEAM: _TEAM,
    Kind.SCHEDULE: (*_TEAM, "schedules", ANY),
    Kind.OVERRIDE: (*_TEAM, "schedules", ANY, "overrides", 0),
    Kind.POLICY: (*_TEAM, "escalation_policies", ANY),
    Kind.CATEGORY: (*_TEAM, "categories", ANY),
    Kind.INTEGRATION: (*_TEAM, "integrations", ANY),
    Kind.CONNECTOR: (*_TEAM, "connectors", ANY),
    Kind.MAINTENANCE: ("maintenance_windows", ANY),
}
_TEXT = "x"
_ANSWERS: tuple[object, ...] = (None, [_TEXT], {"stored": _TEXT}, _TEXT)
"""The mapping is the only one that stands in the place of a text: a reference to a secret."""

_T = TypeVar("_T")


def described(plug_ins: PlugIns) -> dict[Kind, Schema]:
    """The schema of each kind: the keys of its block in the file, without those of other kinds.

    The words of choices include what is installed; no plug-in is loaded. Connectors stay open:
    which keys there are besides, their source knows.
    """
    root = outline(plug_ins)
    return {kind: root.at(where).schema(_other_kinds(where)) for kind, where in _WHERE.items()}


def outline(plug_ins: PlugIns) -> Place:
    """The whole configuration file as the rules read it."""
    root = Place()
    names = _names_of(plug_ins)
    for answer in _ANSWERS:
        walk = _Walk(root, answer)
        while walk.turn < walk.turns:
            check = _NotingCheck(Known(), names, walk=walk)
            check_root(_block((), check.faults, walk), check)
            walk.turn += 1
    return root


def _other_kinds(where: Path) -> set[str | int]:
    """The keys of a block under which objects of other kinds stand."""
    size = len(where)
    return {other[size] for other in _WHERE.values() if len(other) > size and other[:size] == where}


@dataclass(slots=True)
class _Walk:
    """One kind of answer. With texts, `turn` says which word a choice answers."""

    root: Place
    answer: object
    turn: int = 0
    turns: int = 1

    def word(self, words: Sequence[str]) -> str | None:
        """What a choice answers."""
        if not isinstance(self.answer, str):
            return None
        self.turns = max(self.turns, len(words))
        return words[self.turn % len(words)]


class _Anything(Mapping[str, object]):
    """A mapping that answers the same whatever it is asked for."""

    def __init__(self, answer: object) -> None:
        self._answer = answer

    def __getitem__(self, key: str) -> object:
        return self._answer

    def __contains__(self, key: object) -> bool:
        return self._answer is not None

    def __iter__(self) -> Iterator[str]:
        return iter((ANY,))

    def __len__(self) -> int:
        return 1


@dataclass(slots=True, kw_only=True)
class _NotingBlock(Block):
    """A block that notes what it is asked for."""

    walk: _Walk
    visit: Visit

    def _place(self, key: str) -> Place:
        self.visit.asked.add(key)
        return self.walk.root.at((*self.path, key))

    def raw(self, key: str) -> object:
        """The answer of this walk; the key is noted, not its form."""
        self._place(key)
        return self.walk.answer

    def need(self, *keys: str) -> None:
        """Each of the keys is required."""
        self.visit.needed.update(keys)
        for key in keys:
            self._place(key)

    def text(self, key: str, *, most: int = 200) -> str | None:
        """A text of so many characters."""
        self._place(key).note(text(most))
        return self.walk.answer if isinstance(self.walk.answer, str) else None

    def choice(self, key: str, words: Sequence[str]) -> str | None:
        """A closed set of words; those that are numbers may be written as numbers."""
        self._place(key).note(one_of(words))
        return self.walk.word(words)

    def flag(self, key: str) -> bool | None:
        """A boolean."""
        self._place(key).note({"type": "boolean"})
        return None

    def number(self, key: str, least: int, most: int) -> int | None:
        """An integer within limits."""
        self._place(key).note({"type": "integer", "minimum": least, "maximum": most})
        return None

    def duration(
        self, key: str, least: timedelta = timedelta(), most: timedelta = timedelta(days=366)
    ) -> timedelta | None:
        """A text whose description names the limits."""
        limits = f"A duration such as 30s, 2m or 1h30m, from {spoken(least)} to {spoken(most)}"
        self._place(key).note({"type": "string", "description": limits})
        return None

    def block(self, key: str) -> Block | None:
        """A block that takes notes."""
        return self.inner(None, (*self.path, key))

    def entries(self, key: str) -> Iterator[tuple[Path, object]]:
        """One entry, which is what this walk answers."""
        path = (*self.path, key, 0)
        self.walk.root.at(path)
        yield path, self.walk.answer

    def words(self, key: str, *, most: int = 200) -> tuple[str, ...]:
        """A list of texts."""
        self._place(key).at((0,)).note(text(most))
        return ()

    def choices(self, key: str, words: Sequence[str]) -> tuple[str, ...]:
        """A list of words from a closed set."""
        self._place(key).least = 1
        self._place(key).at((0,)).note(one_of(words))
        return ()

    def anything(self, key: str) -> object:
        """Any value."""
        self._place(key)
        return self.walk.answer

    def inner(self, value: object, path: Path) -> Block | None:
        """A block that takes notes, whatever stands there."""
        del value
        return _block(path, self.faults, self.walk)

    def end(self) -> None:
        """No other keys than those noted so far."""
        self.walk.root.at(self.path).closed = True

    def _read(self, key: str, reader: Callable[[str], _T], example: str) -> _T | None:
        del reader
        like = f"Written like {example.removesuffix(' (in quotes)')}"
        self._place(key).note({"type": "string", "description": like})
        return None


@dataclass(slots=True, kw_only=True)
class _NotingCheck(Check):
    """Notes the form of what refers to something; finds nothing wrong and loads nothing."""

    walk: _Walk

    def reference(self, path: Path, value: Mapping[str, object]) -> None:
        """A reference to a secret: by the keys that it has, or by those that it may have."""
        for key in mapping(value) or ("secret_env", "stored"):
            self.walk.root.at((*path, key)).note({"type": "string"})

    def references_in(self, value: object, path: Path) -> None:
        """A mapping with references somewhere inside; its keys are not known here."""
        if mapping(value):
            self.walk.root.at(path).note({"type": "object"})

    def channel(self, name: str) -> type[Channel] | None:
        """No channel is loaded to look at an address that is none."""
        del name
        return None

    def _refer(
        self, path: Path, name: object, noun: str, names: Mapping[str, object] | frozenset[str]
    ) -> None:
        del name, noun, names
        self.walk.root.at(path).note({"type": "string"})


def _block(path: Path, faults: Faults, walk: _Walk) -> _NotingBlock:
    visit = Visit()
    walk.root.at(path).visits.append(visit)
    return _NotingBlock(_Anything(walk.answer), path, faults, walk=walk, visit=visit)


class _Unasked:
    """Stands for a source: what its settings are is not asked here."""

    @staticmethod
    def check_settings(_settings: Mapping[str, Any]) -> str | None:
        return None


def _names_of(plug_ins: PlugIns) -> PlugIns:
    """The names of what is installed, with nothing behind them that could be loaded."""
    sources = dict.fromkeys(plug_ins.sources, lambda: cast("type[Source]", _Unasked))
    return PlugIns(channels=plug_ins.channels, inlets=plug_ins.inlets, sources=sources)
