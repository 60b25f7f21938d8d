"""What is noted about each place of the configuration, and the JSON Schema that it comes to."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from tocsin.actions.configure.faults import Path

Schema = dict[str, Any]

ANY = "*"
"""Stands for any key: the names in a mapping of names, and keys that only a plug-in knows."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What one walk asked a block for, and the keys among these that had to be there."""

    asked: set[str] = field(default_factory=set[str])
    needed: set[str] = field(default_factory=set[str])


@dataclass(slots=True)
class Place:
    """One place. `inside` has the keys of a mapping, and 0 for the entries of a list.

    `visits` has one entry for each block that stood here; a `closed` one takes no other keys than
    those it asked for. A list has `least` entries or more.
    """

    forms: list[Schema] = field(default_factory=list[Schema])
    inside: "dict[str | int, Place]" = field(default_factory=dict[str | int, "Place"])
    visits: list[Visit] = field(default_factory=list[Visit])
    closed: bool = False
    least: int = 0

    def at(self, path: Path) -> "Place":
        """The place at a path from here; all entries of a list are one place."""
        place = self
        for part in path:
            place = place.inside.setdefault(0 if isinstance(part, int) else part, Place())
        return place

    def note(self, form: Schema) -> None:
        """One form that the value may have."""
        if form not in self.forms:
            self.forms.append(form)

    def schema(self, without: AbstractSet[str | int] = frozenset()) -> Schema:
        """Every form that was noted as one schema; `without` are keys to leave out.

        A form that another repeats with further limits is left out: both were asked for at once.
        """
        forms = list(self.forms)
        if 0 in self.inside:
            entries: Schema = {"type": "array", "items": self.inside[0].schema()}
            forms.append(entries | ({"minItems": self.least} if self.least else {}))
        forms += self._mappings(without)
        strict = [one for one in forms if not any(one.items() < other.items() for other in forms)]
        return strict[0] if len(strict) == 1 else {"anyOf": strict} if strict else {}

    def _mappings(self, without: AbstractSet[str | int]) -> list[Schema]:
        """One form for each set of keys that is asked for where others are not."""
        asked = list(dict.fromkeys(frozenset(visit.asked) for visit in self.visits))
        if not asked and self.inside.keys() - {0}:
            asked = [frozenset[str]()]  # known by its references only
        return [
            self._mapping(keys, without)
            for keys in asked
            if not any(keys < others for others in asked)
        ]

    def _mapping(self, asked: frozenset[str], without: AbstractSet[str | int]) -> Schema:
        needs = [visit.needed for visit in self.visits if visit.asked <= asked]
        others = set[str | int]().union(*(visit.asked for visit in self.visits)) - asked
        hidden = {0, ANY, *others, *without}
        keys = {str(key): place for key, place in self.inside.items() if key not in hidden}
        needed = set[str].intersection(*needs) if needs else set[str]()
        schema: Schema = {"type": "object"}
        if keys:
            schema["properties"] = {key: place.schema() for key, place in keys.items()}
        if needed - without:
            schema["required"] = sorted(needed - without)
        if ANY in self.inside:
            schema["additionalProperties"] = self.inside[ANY].schema() or True
        elif self.closed:
            schema["additionalProperties"] = False
        return schema


def text(most: int) -> Schema:
    """A text of 1 to `most` characters."""
    return {"type": "string", "minLength": 1, "maxLength": most}


def one_of(words: Sequence[str]) -> Schema:
    """A closed set of words; those that are numbers may be written as numbers."""
    numbers = [int(word) for word in words if word.isdecimal()]
    kinds = ["string", "integer"] if numbers else "string"
    return {"type": kinds, "enum": [*map(str, words), *numbers]}
