"""How a recurrence rule is written."""

import re
from collections.abc import Mapping
from datetime import datetime, time
from functools import lru_cache

from tocsin.core.recurrence.model import Frequency, Rule

MOST_COUNT = 1000
MOST_INTERVAL = 999

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_BY_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_NUMBER = re.compile(r"[+-]?\d{1,4}")
_UNTIL = re.compile(r"\d{8}(?:T\d{6}Z?)?")
_REFUSED: Mapping[str, str] = {
    **dict.fromkeys(("BYHOUR", "BYMINUTE", "BYSECOND"), "the time of day is that of the start"),
    **dict.fromkeys(("BYWEEKNO", "BYYEARDAY"), "give the days by BYMONTH, BYMONTHDAY and BYDAY"),
}


@lru_cache(maxsize=1024)
def parse(text: str) -> Rule:
    """The rule in a text such as `FREQ=WEEKLY;BYDAY=SU`. Raises `ValueError` with what to write."""
    parts = _parts(text)
    word = parts.pop("FREQ", "")
    if word not in set(Frequency):
        known = ", ".join(Frequency)
        raise ValueError(f"begin with FREQ={known.replace(', ', ' or ')}, not {word[:20]!r}")
    frequency = Frequency(word)
    rule = Rule(
        frequency=frequency,
        interval=_number(parts, "INTERVAL", MOST_INTERVAL) or 1,
        count=_number(parts, "COUNT", MOST_COUNT),
        until=_until(parts.pop("UNTIL", None)),
        months=_numbers(parts, "BYMONTH", 12, negative=False),
        month_days=_numbers(parts, "BYMONTHDAY", 31),
        weekdays=_weekdays(parts.pop("BYDAY", None), frequency),
        positions=_numbers(parts, "BYSETPOS", 366),
        week_start=_week_start(parts.pop("WKST", "MO")),
    )
    if rule.count is not None and rule.until is not None:
        raise ValueError("give COUNT or UNTIL, not both")
    if rule.month_days and frequency is Frequency.WEEKLY:
        raise ValueError("BYMONTHDAY does not go with FREQ=WEEKLY; use BYDAY or FREQ=MONTHLY")
    if rule.positions and not (rule.months or rule.month_days or rule.weekdays):
        raise ValueError("BYSETPOS chooses among the days of another part, such as BYDAY")
    return rule


def _parts(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").split(";"):
        key, equals, value = part.partition("=")
        if not equals or not value:
            raise ValueError(f"{part[:40]!r} is not KEY=VALUE, such as FREQ=WEEKLY;BYDAY=SU")
        if key in _REFUSED:
            raise ValueError(f"{key} is not understood here: {_REFUSED[key]}")
        if key not in _KEYS:
            raise ValueError(f"{key[:40]!r} is no part of a recurrence rule of RFC 5545")
        if key in parts:
            raise ValueError(f"{key} stands here twice")
        parts[key] = value
    return parts


_KEYS = {
    "FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS", "WKST",
}  # fmt: skip


def _number(parts: dict[str, str], key: str, most: int) -> int | None:
    text = parts.get(key)
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:9]) <= most:
        raise ValueError(f"{key}={text[:20]}: give a number from 1 to {most}")
    return int(text)


def _numbers(
    parts: dict[str, str], key: str, most: int, *, negative: bool = True
) -> tuple[int, ...]:
    found: list[int] = []
    for text in parts[key].split(",") if key in parts else ():
        number = int(text) if _NUMBER.fullmatch(text) and text.isascii() else 0
        if not (1 <= number <= most or (negative and -most <= number <= -1)):
            limits = f"1 to {most}" + (f", or -1 to -{most} from the end" if negative else "")
            raise ValueError(f"{key}={text[:20]}: give numbers from {limits}")
        found.append(number)
    return tuple(dict.fromkeys(found))


def _weekdays(text: str | None, frequency: Frequency) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for word in text.split(",") if text is not None else ():
        match = _BY_DAY.fullmatch(word)
        if match is None or (match[1] is not None and not 1 <= abs(int(match[1])) <= 53):
            raise ValueError(f"BYDAY={word[:20]}: give MO, TU, WE, TH, FR, SA, SU, or 1MO or -1FR")
        if match[1] is not None and frequency in {Frequency.DAILY, Frequency.WEEKLY}:
            raise ValueError(f"BYDAY={word}: numbered days go with FREQ=MONTHLY or FREQ=YEARLY")
        found.append((int(match[1] or 0), _WEEKDAYS.index(match[2])))
    return tuple(dict.fromkeys(found))


def _week_start(word: str) -> int:
    if word not in _WEEKDAYS:
        raise ValueError(f"WKST={word[:20]}: give one of {', '.join(_WEEKDAYS)}")
    return _WEEKDAYS.index(word)


def _until(text: str | None) -> datetime | None:
    """A date alone is the whole day; with Z the time carries the offset zero."""
    if text is None:
        return None
    try:
        if _UNTIL.fullmatch(text) and text.isascii():
            at = datetime.fromisoformat(text)
            return at if "T" in text else datetime.combine(at.date(), time.max)
    except ValueError:
        pass  # such as the 31st of a short month
    raise ValueError(f"UNTIL={text[:20]}: write it as 20261231 or 20261231T040000Z")
