"""Makes what a sender wrote fit to be stored."""

import hashlib
import math
from collections.abc import Mapping
from typing import Final, cast

TITLE_LIMIT: Final = 300
TEXT_LIMIT: Final = 20_000
KEY_LIMIT: Final = 255
_DEPTH: Final = 16
_CUT: Final = "…"
_LARGEST_INTEGER: Final = 2**63
_UNWANTED: Final = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127))
"""Control characters but tab and line ends. PostgreSQL takes no NUL, people read none of them."""


def clean(text: str) -> str:
    """Without control characters; lone surrogates, which UTF-8 cannot hold, become "?"."""
    if not text.isascii():
        text = text.encode(errors="replace").decode()
    return text if text.isprintable() else text.translate(_UNWANTED)


def line(text: str, limit: int = TITLE_LIMIT) -> str:
    """One line of at most `limit` characters."""
    return _shortened(" ".join(clean(text).split()), limit)


def prose(text: str, limit: int = TEXT_LIMIT) -> str:
    """Many lines, at most `limit` characters together."""
    return _shortened(clean(text).strip(), limit)


def key(text: str) -> str:
    """A key as sent; one longer than an index takes keeps its beginning and gets its hash."""
    text = clean(text).strip()
    if len(text) <= KEY_LIMIT:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{text[: KEY_LIMIT - len(digest) - 1]}~{digest}"


def tree(value: object, depth: int = _DEPTH) -> object:
    """A decoded JSON value that encodes again anywhere, with `depth` levels at most.

    Deeper levels are left out; numbers that JSON or 64 bits cannot hold become text.
    """
    if isinstance(value, str):
        return clean(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < _LARGEST_INTEGER else f"{value:x} (hexadecimal)"
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth == 0:
        return _CUT
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value).items()
        return {clean(str(name)): tree(inner, depth - 1) for name, inner in pairs}
    if isinstance(value, list | tuple):
        items = cast("list[object]", value)
        return [tree(inner, depth - 1) for inner in items]
    return clean(str(value))


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + _CUT
