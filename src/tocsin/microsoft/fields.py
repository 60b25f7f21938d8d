"""Reading fields of Microsoft's JSON, where each of them may be missing or of another kind."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import cast

Record = Mapping[str, object]
NOTHING: Record = {}

_LONGEST = 30_000
_DEEPEST = 8
_WIDEST = 200


def record(value: object) -> Record:
    """`value` when it is a JSON object, else an empty one."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def records(value: object) -> tuple[Record, ...]:
    """The JSON objects in a list; whatever else stands in it is left out."""
    return tuple(found for item in items(value) if (found := record(item)))


def items(value: object) -> list[object]:
    """`value` when it is a list, else an empty one."""
    return cast("list[object]", value) if isinstance(value, list) else []


def strings(value: object) -> tuple[str, ...]:
    """The texts in a list, in order, without empty ones."""
    return tuple(found for item in items(value) if (found := plain(item)))


def text(source: Record, *names: str) -> str:
    """The first of the named fields that holds text or a number, else empty."""
    return next((found for name in names if (found := plain(source.get(name)))), "")


def plain(value: object) -> str:
    """Text that a database takes: no NUL, no lone surrogates, no blanks around it."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    whole = str(value)[:_LONGEST].replace("\x00", "")
    return whole.encode("utf-8", "replace").decode("utf-8").strip()


def instant(source: Record, *names: str) -> datetime | None:
    """The first of the named fields that holds a time; one without offset is UTC."""
    for name in names:
        try:
            found = datetime.fromisoformat(text(source, name))
            aware = found if found.tzinfo else found.replace(tzinfo=UTC)
            return aware.astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def distinct(values: Iterable[str]) -> tuple[str, ...]:
    """Each value once, in order, without empty ones."""
    return tuple(dict.fromkeys(value for value in values if value))


def tamed(value: object, depth: int = 0) -> object:
    """Any JSON made fit to store: texts cleaned, lists and depth capped."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return plain(value)
    if depth >= _DEEPEST:
        return "…"
    if isinstance(value, dict):
        pairs = list(record(cast("object", value)).items())[:_WIDEST]
        return {plain(key): tamed(item, depth + 1) for key, item in pairs}
    if isinstance(value, list | tuple):
        members = list(cast("Iterable[object]", value))
        return [tamed(item, depth + 1) for item in members[:_WIDEST]]
    return plain(str(value))
