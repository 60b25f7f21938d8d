"""How the configuration writes durations, times of day, moments and nested values."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import cast

_PART = re.compile(r"(\d{1,9})(ms|s|m|h|d|w)")
_DURATION = re.compile(r"(?:\d{1,9}(?:ms|s|m|h|d|w))+")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?")
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?)?"
)
_LONGEST = timedelta(days=3660)


def duration(text: str) -> timedelta:
    """A length of time such as `30s`, `2m`, `4h`, `1d`, `1h30m`. Raises `ValueError`.

    >>> duration("1h30m")
    datetime.timedelta(seconds=5400)
    """
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is not a duration with units, such as 30s or 1h30m")
    parts = [timedelta(seconds=int(n) * _SECONDS[unit]) for n, unit in _PART.findall(text)]
    total = sum(parts, timedelta())
    if total > _LONGEST:
        raise ValueError(f"{text[:60]!r} is longer than ten years")
    return total


def duration_text(length: timedelta) -> str:
    """A duration as `duration` reads it, in whole seconds.

    >>> duration_text(timedelta(hours=26, seconds=30))
    '1d2h30s'
    """
    left, words = int(length.total_seconds()), ""
    for unit, seconds in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, seconds)
        words += f"{count}{unit}" if count else ""
    return words or "0s"


def clock(text: str) -> time:
    """A time of day such as `09:00`; `24:00` is `time(0)`. Raises `ValueError`."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:60]!r} is not a time of day such as 09:00")
    hour, minute, second = (int(part or 0) for part in found.groups())
    if hour == 24 and (minute or second):
        raise ValueError(f"{text!r}: no time of day is later than 24:00")
    return time(hour % 24, minute, second)


def moment(text: str) -> datetime:
    """A date, or a date and time such as `2026-11-02T09:00`, aware only where an offset is given.

    A date alone is its midnight. Raises `ValueError`.
    """
    if _MOMENT.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError as fault:
            raise ValueError(f"{text!r} is not in the calendar: {fault}") from None
    raise ValueError(f"{text[:60]!r} is not a date with time such as 2026-11-02T09:00")


def utc_text(at: datetime) -> str:
    """An aware time as answers and timelines have it: RFC 3339 in UTC, ending in Z.

    >>> utc_text(datetime.fromisoformat("2026-11-24T08:00:00+01:00"))
    '2026-11-24T07:00:00Z'
    """
    return at.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def mapping(value: object) -> Mapping[str, object]:
    """`value` where it is a mapping, else an empty one."""
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def listing(value: object) -> Sequence[object]:
    """`value` where it is a list, else an empty one."""
    return cast("list[object]", value) if isinstance(value, list) else ()


def texts(value: object) -> tuple[str, ...]:
    """The entries of a list as text."""
    return tuple(str(item) for item in listing(value))


def optional_text(value: object) -> str | None:
    """`value` as text, None where it is absent."""
    return None if value is None else str(value)
