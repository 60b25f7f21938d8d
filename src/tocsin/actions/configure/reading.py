"""Configuration text becomes plain values that know their lines.

YAML 1.2 with its core schema (https://yaml.org/spec/1.2.2/#103-core-schema): `no`, `on`, `12:00`
and dates are text. Keys are text as written. Two keys alike are a fault, and so are tags.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from tocsin.actions.configure.faults import ConfigureError, Fault, Path, with_lines

MOST_CHARACTERS = 1_048_576
MOST_NODES = 200_000
"""Values after aliases are followed: what an anchor repeats counts each time."""
DEEPEST = 50

_INT = re.compile(r"[-+]?[0-9]{1,300}|0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class Document:
    """The file's values (dict, list, str, int, float, bool, None), and the line of each place."""

    value: dict[str, object]
    lines: Mapping[Path, int] = field(default_factory=dict[Path, int])


def read(content: str | bytes) -> Document:
    """The document in a file. Raises `ConfigureError` with every fault that can be told apart."""
    text = _decoded(content) if isinstance(content, bytes) else content
    if len(text) > MOST_CHARACTERS:
        what = f"the file has {len(text)} characters; {MOST_CHARACTERS} are the most"
        raise ConfigureError([Fault((), what, 1)])
    builder = _Builder(_parsed(text))
    root = builder.root()
    faults = list(builder.faults)
    if root is None:
        raise ConfigureError([*faults, Fault((), "the file is empty", 1)])
    resolver = _Resolver(faults)
    value = resolver.value(root, ())
    if not isinstance(value, dict):
        faults.append(Fault((), "the file is a mapping, beginning with `version: 1`", root.line))
    if faults:
        raise ConfigureError(with_lines(faults, resolver.lines))
    return Document(cast("dict[str, object]", value), resolver.lines)


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigureError([Fault((), "the file is not UTF-8 text", line)]) from None


@dataclass(slots=True)
class _Node:
    """A value before aliases and merges are followed."""

    line: int
    scalar: str | None = None
    plain: bool = False
    items: "list[_Node] | None" = None
    pairs: "list[tuple[_Node, _Node]] | None" = None


@dataclass(frozen=True, slots=True)
class _Shape:
    """What an event of the parser says."""

    line: int
    anchor: str | None
    tag: str | None
    text: str
    plain: bool


def _shape(event: Any) -> _Shape:  # noqa: ANN401 - the library types its events in part
    anchor = getattr(event, "anchor", None)
    tag = getattr(event, "tag", None)
    implicit = getattr(event, "implicit", None)
    return _Shape(
        line=int(event.start_mark.line) + 1,
        anchor=None if anchor is None else str(anchor),
        tag=None if tag is None else str(tag),
        text=str(getattr(event, "value", "")),
        plain=isinstance(implicit, tuple)
        and bool(cast("tuple[bool, ...]", implicit)[0])
        and not getattr(event, "style", None),
    )


def _parsed(text: str) -> Iterator[Event]:
    try:
        yield from cast("Iterator[Event]", YAML(typ="safe", pure=True).parse(text))  # pyright: ignore[reportUnknownMemberType] - the library is typed in part
    except YAMLError as error:
        raise ConfigureError([_syntax_fault(error, text)]) from None
    except (ValueError, AssertionError, AttributeError, IndexError) as error:
        # what the library raises for impossible escapes and directives
        raise ConfigureError([Fault((), f"this is not YAML: {error}", 1)]) from None


def _syntax_fault(error: YAMLError, text: str) -> Fault:
    mark = getattr(error, "problem_mark", None)
    position = getattr(error, "position", None)
    if mark is not None:
        line = int(mark.line) + 1
    else:
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    return Fault((), f"this is not YAML: {what}", line)


class _Builder:
    """Nodes from the parser's events, without recursion; an alias is the node it names."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self._open: list[_Node] = []
        self._keys: list[_Node | None] = []
        self._anchors: dict[str, _Node] = {}
        self._root: _Node | None = None
        self._documents = 0
        self.faults: list[Fault] = []

    def root(self) -> _Node | None:
        """The whole document, None when there is none."""
        for event in self._events:
            shape = _shape(event)
            match event:
                case DocumentStartEvent():
                    self._documents += 1
                    if self._documents > 1:
                        what = "a second document begins; one file is one document"
                        raise ConfigureError([*self.faults, Fault((), what, shape.line)])
                case AliasEvent():
                    self._alias(shape.anchor or "", shape.line)
                case ScalarEvent():
                    self._add(shape, _Node(shape.line, scalar=shape.text, plain=shape.plain))
                case SequenceStartEvent():
                    self._enter(shape, _Node(shape.line, items=[]))
                case MappingStartEvent():
                    self._enter(shape, _Node(shape.line, pairs=[]))
                case SequenceEndEvent() | MappingEndEvent():
                    self._leave()
                case _:
                    pass
        return self._root

    def _enter(self, shape: "_Shape", node: _Node) -> None:
        if len(self._open) >= DEEPEST:
            fault = Fault((), f"values are nested more than {DEEPEST} deep", node.line)
            raise ConfigureError([*self.faults, fault])
        self._add(shape, node)
        self._open.append(node)
        self._keys.append(None)

    def _leave(self) -> None:
        self._open.pop()
        self._keys.pop()

    def _alias(self, name: str, line: int) -> None:
        target = self._anchors.get(name)
        if target is None or any(target is node for node in self._open):
            self.faults.append(Fault((), f"*{name} names no value that stands before it", line))
            target = _Node(line, scalar="", plain=True)
        self._place(target)

    def _add(self, shape: "_Shape", node: _Node) -> None:
        if shape.tag not in {None, "!"}:
            what = f"the tag {shape.tag} is not allowed: remove it"
            self.faults.append(Fault((), what, node.line))
        if shape.anchor is not None:
            self._anchors[shape.anchor] = node
        self._place(node)

    def _place(self, node: _Node) -> None:
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if parent.items is not None:
            parent.items.append(node)
        elif parent.pairs is not None and (key := self._keys[-1]) is not None:
            parent.pairs.append((key, node))
            self._keys[-1] = None
        else:
            self._keys[-1] = node


class _Resolver:
    """Plain values from nodes; counts what it makes, so that aliases cannot make it endless."""

    def __init__(self, faults: list[Fault]) -> None:
        self._faults = faults
        self._count = 0
        self.lines: dict[Path, int] = {}

    def value(self, node: _Node, path: Path) -> object:
        self._count += 1
        if self._count > MOST_NODES or len(path) > DEEPEST:
            what = "aliases make the file too large: write the values out"
            raise ConfigureError([*self._faults, Fault((), what, node.line)])
        self.lines.setdefault(path, node.line)
        if node.items is not None:
            return [self.value(item, (*path, index)) for index, item in enumerate(node.items)]
        if node.pairs is not None:
            return self._mapping(node.pairs, path)
        return self._scalar(node, path)

    def _mapping(self, pairs: list[tuple[_Node, _Node]], path: Path) -> dict[str, object]:
        made: dict[str, object] = {}
        merges = [value for key, value in pairs if key.plain and key.scalar == "<<"]
        for key, value in pairs:
            if key.scalar is None:
                self._faults.append(Fault(path, "a key is text, not a list or mapping", key.line))
            elif key.plain and key.scalar == "<<":
                continue
            elif key.scalar in made:
                self.lines[(*path, key.scalar)] = key.line  # the second is the one to remove
                self._faults.append(Fault((*path, key.scalar), "this key stands here twice"))
            else:
                self._check_text(key.scalar, path)
                self.lines[(*path, key.scalar)] = key.line
                made[key.scalar] = self.value(value, (*path, key.scalar))
        for merge in merges:
            self._merge(merge, made, path)
        return made

    def _merge(self, node: _Node, made: dict[str, object], path: Path) -> None:
        """`<<: *base` and `<<: [*one, *two]`: what the mapping has itself wins, then the first."""
        for source in node.items if node.items is not None else [node]:
            if source.pairs is None:
                what = "`<<` merges a mapping or a list of mappings"
                self._faults.append(Fault((*path, "<<"), what, node.line))
                continue
            for key, value in self._mapping(source.pairs, (*path, "<<")).items():
                if key not in made:
                    made[key] = value
                    self.lines[(*path, key)] = node.line

    def _scalar(self, node: _Node, path: Path) -> object:
        text = node.scalar or ""
        if not node.plain:
            self._check_text(text, path)
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INT.fullmatch(text):
            return self._integer(text, path)
        if _NO_NUMBER.fullmatch(text):
            self._faults.append(Fault(path, "this is no number that can be stored"))
        elif _FLOAT.fullmatch(text):
            return self._float(text, path)
        self._check_text(text, path)
        return text

    def _integer(self, text: str, path: Path) -> object:
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        number = int(text, base)
        if abs(number) >= 2**63:
            self._faults.append(Fault(path, "the number is too large; put text in quotes"))
        return number

    def _float(self, text: str, path: Path) -> object:
        number = float(text)
        if number in {float("inf"), float("-inf")}:
            self._faults.append(Fault(path, f"{text[:20]} is too large"))
        return number

    def _check_text(self, text: str, path: Path) -> None:
        if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
            self._faults.append(Fault(path, "the text holds a character that cannot be stored"))
