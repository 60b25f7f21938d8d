"""Tests on the fields of an event: `is`, `contains`, `regex`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import cast

import regex

MOST_PATTERN = 1000
_MOST_TEXT = 10_000
"""Characters of a field that a pattern looks at."""

_PATIENCE = 0.01
"""Seconds of a processor that one search may take. One that takes longer finds nothing."""

Fields = Mapping[str, tuple[object, ...]]
"""The values of each field, by its name in small letters. Made by `fields`."""


class How(StrEnum):
    """How a value is compared."""

    IS = "is"
    CONTAINS = "contains"
    REGEX = "regex"


@dataclass(frozen=True, slots=True)
class FieldTest:
    """One test of one field; true where any value of the field passes.

    Large and small letters are alike for `is` and `contains`, and in names of fields.
    """

    field: str
    how: How
    wanted: object


@dataclass(frozen=True, slots=True)
class Match:
    """All of `every`, and at least one of `some` where there are any; without tests anything."""

    every: tuple[FieldTest, ...] = ()
    some: tuple[FieldTest, ...] = ()


ANYTHING = Match()


def fields(named: Mapping[str, Iterable[object]], details: Mapping[str, object]) -> Fields:
    """What tests can look at: `named`, and each of `details` as `NAME` and as `details.NAME`."""
    found: dict[str, tuple[object, ...]] = {name: tuple(values) for name, values in named.items()}
    for name, value in details.items():
        values = tuple(cast("list[object]", value)) if isinstance(value, list) else (value,)
        for key in (name.casefold(), f"details.{name.casefold()}"):
            found[key] = (*found.get(key, ()), *values)
    return found


def matches(match: Match, found: Fields) -> bool:
    """Whether these fields pass."""
    if not all(_passes(test, found) for test in match.every):
        return False
    return not match.some or any(_passes(test, found) for test in match.some)


@lru_cache(maxsize=1024)
def pattern(text: str) -> "regex.Pattern[str]":
    """A pattern, compiled. Raises `ValueError` with what is wrong."""
    if len(text) > MOST_PATTERN:
        raise ValueError(f"it has more than {MOST_PATTERN} characters")
    try:
        return regex.compile(text)
    except (regex.error, OverflowError, RecursionError, ValueError) as fault:
        raise ValueError(f"it is no regular expression: {fault}") from None


def _passes(test: FieldTest, found: Fields) -> bool:
    values = found.get(test.field.casefold(), ())
    return any(_fits(test, value) for value in values if value is not None)


def _fits(test: FieldTest, value: object) -> bool:
    text = _text(value)
    match test.how:
        case How.IS:
            return text.casefold() == _text(test.wanted).casefold()
        case How.CONTAINS:
            return _text(test.wanted).casefold() in text.casefold()
        case How.REGEX:
            return _finds(_text(test.wanted), text[:_MOST_TEXT])


def _finds(wanted: str, text: str) -> bool:
    """Whether a pattern is found; one that takes too long is not, so that people are paged."""
    try:
        return pattern(wanted).search(text, timeout=_PATIENCE) is not None
    except (TimeoutError, ValueError):
        return False


def _text(value: object) -> str:
    """As JSON and YAML write it, where these differ from Python."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
