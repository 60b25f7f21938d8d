"""The part of OData's $filter that the simulated services understand."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, TypeVar

from tocsin.demo.cloud.stamps import read_stamp

T = TypeVar("T")
Value = str | int | datetime | None
Predicate = Callable[[T], bool]


class FilterError(ValueError):
    """The filter is malformed or names something that this list cannot be filtered by."""


@dataclass(frozen=True, slots=True)
class Field(Generic[T]):
    """A property that may stand in a filter: its kind of literal and where its value comes from."""

    kind: Literal["text", "time", "number"]
    get: Callable[[T], Value]


def parse_filter(text: str, fields: Mapping[str, Field[T]]) -> Predicate[T]:
    """Understands `and`, `or`, `not`, parentheses, the six comparisons, contains and startswith.

    FilterError for anything else, for unknown fields and for a literal of the wrong kind.
    """
    if text.count("(") > _DEPTH:
        raise FilterError("the filter is nested too deeply")
    parser = _Parser(_tokens(text), fields)
    predicate = parser.disjunction()
    if (rest := parser.peek()) is not None:
        raise FilterError(f"unexpected {rest.text!r} at position {rest.at}")
    return predicate


_DEPTH = 50

_TOKEN = re.compile(
    r"(?P<text>'(?:[^']|'')*')"
    r"|(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))"
    r"|(?P<number>-?\d+)"
    r"|(?P<word>[A-Za-z_][\w/.]*)"
    r"|(?P<mark>[(),])"
)

_COMPARISONS: dict[str, Callable[[object, object], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
}

_ORDERINGS: dict[str, Callable[[float, float], bool]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}

_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda value, part: part in value,
    "startswith": lambda value, part: value.startswith(part),
}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise FilterError(f"unexpected {text[position]!r} at position {position}")
        tokens.append(_Token(match.lastgroup, match.group(), position))
        position = match.end()
    return tokens


class _Parser(Generic[T]):
    """Recursive descent; each method reads one rule of the grammar."""

    def __init__(self, tokens: list[_Token], fields: Mapping[str, Field[T]]) -> None:
        self._tokens = tokens
        self._fields = fields
        self._next = 0

    def peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def disjunction(self) -> Predicate[T]:
        parts = [self._conjunction()]
        while self._took("or"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else lambda item: any(part(item) for part in parts)

    def _conjunction(self) -> Predicate[T]:
        parts = [self._factor()]
        while self._took("and"):
            parts.append(self._factor())
        return parts[0] if len(parts) == 1 else lambda item: all(part(item) for part in parts)

    def _factor(self) -> Predicate[T]:
        if self._took("not"):
            inner = self._factor()
            return lambda item: not inner(item)
        if self._took("("):
            inner = self.disjunction()
            self._expect(")")
            return inner
        name = self._word()
        if name in _FUNCTIONS:
            return self._call(name)
        return self._comparison(name)

    def _call(self, name: str) -> Predicate[T]:
        test = _FUNCTIONS[name]
        self._expect("(")
        field_name = self._word()
        field = self._field(field_name)
        self._expect(",")
        part = self._literal(field_name, field)
        self._expect(")")
        if not isinstance(part, str):
            raise FilterError(f"{name} compares text")

        def holds(item: T) -> bool:
            value = field.get(item)
            return isinstance(value, str) and test(value.casefold(), part.casefold())

        return holds

    def _comparison(self, name: str) -> Predicate[T]:
        field = self._field(name)
        word = self._word()
        if word in _ORDERINGS and field.kind == "text":
            raise FilterError(f"{name} can only be compared with eq and ne")
        if word not in _ORDERINGS and word not in _COMPARISONS:
            raise FilterError(f"unknown operator {word!r}")
        literal = self._literal(name, field)
        if word in _COMPARISONS:
            compare = _COMPARISONS[word]
            return lambda item: compare(field.get(item), literal)
        return lambda item: _ordered(word, field.get(item), literal)

    def _field(self, name: str) -> Field[T]:
        if name not in self._fields:
            raise FilterError(f"this list cannot be filtered by {name!r}")
        return self._fields[name]

    def _literal(self, name: str, field: Field[T]) -> Value:
        token = self._take()
        if token.kind == "word" and token.text == "null":
            return None
        if token.kind != field.kind:
            raise FilterError(f"{name} is compared with a {field.kind} literal, not {token.text}")
        match field.kind:
            case "text":
                return token.text[1:-1].replace("''", "'")
            case "number":
                return int(token.text)
            case "time":
                return _moment(token.text)

    def _word(self) -> str:
        token = self._take()
        if token.kind != "word":
            raise FilterError(f"unexpected {token.text!r} at position {token.at}")
        return token.text

    def _took(self, text: str) -> bool:
        token = self.peek()
        if token is None or token.kind == "text" or token.text != text:
            return False
        self._next += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._took(text):
            raise FilterError(f"expected {text!r}")

    def _take(self) -> _Token:
        token = self.peek()
        if token is None:
            raise FilterError("the filter ends too early")
        self._next += 1
        return token


def _moment(text: str) -> datetime:
    try:
        return read_stamp(text)
    except ValueError as error:
        raise FilterError(f"{text} is no moment") from error


def _ordered(word: str, value: Value, literal: Value) -> bool:
    """Nothing is greater or less than null."""
    match value, literal:
        case datetime(), datetime():
            distance = (value - literal).total_seconds()
        case int(), int():
            distance = value - literal
        case _:
            return False
    return _ORDERINGS[word](distance, 0)
