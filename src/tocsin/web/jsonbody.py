"""Reads JSON more strictly than most parsers, so that what is stored is what was meant."""

import json
import math
from collections import Counter
from typing import Any, cast

from tocsin.web.problems import Problem

MAX_DEPTH = 64


def read(body: bytes) -> object:
    """The value of a JSON document.

    Refused as a 400 `Problem`: what is not UTF-8 JSON, duplicate keys, NaN and Infinity, more than
    64 levels, NUL bytes and halves of surrogate pairs (PostgreSQL stores neither).
    """
    try:
        value: object = json.loads(
            body.decode(), object_pairs_hook=_object, parse_constant=_no_constant
        )
    except UnicodeDecodeError as error:
        raise _bad(f"it is not UTF-8 (byte {error.start})") from None
    except RecursionError:
        raise _bad(f"it is nested deeper than {MAX_DEPTH} levels") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _bad(f"it is not JSON: {error.msg} at {where}") from None
    except ValueError as error:  # a duplicate key, a constant, a number with too many digits
        raise _bad(str(error).partition(";")[0]) from None
    _check(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        double = next(name for name, times in counts.items() if times > 1)
        raise ValueError(f"the key {double[:80]!r} stands twice in one object")
    return found


def _no_constant(word: str) -> object:
    raise ValueError(f"{word} is no number in JSON")


def _check(value: object) -> None:
    """Looks at every text and the depth, without recursion of its own."""
    level: list[object] = [value]
    for _ in range(MAX_DEPTH + 1):
        deeper: list[object] = []
        for item in level:
            if isinstance(item, str):
                _check_text(item)
            elif isinstance(item, float) and not math.isfinite(item):
                raise _bad("a number is too large")
            elif isinstance(item, dict):
                members = cast("dict[str, object]", item)
                deeper += [*members, *members.values()]
            elif isinstance(item, list):
                deeper += cast("list[object]", item)
        if not deeper:
            return
        level = deeper
    raise _bad(f"it is nested deeper than {MAX_DEPTH} levels")


def _check_text(text: str) -> None:
    if "\0" in text:
        raise _bad("a text holds a NUL character")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _bad("a text holds half of a surrogate pair") from None


def _bad(fault: str) -> Problem:
    return Problem(400, f"The body cannot be used: {fault}.", "Correct the body and send it again.")
