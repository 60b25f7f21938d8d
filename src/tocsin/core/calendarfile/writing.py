"""Entries become the text of a calendar (RFC 5545), the same text for the same entries."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from unicodedata import category

from tocsin.core.calendarfile.model import Entry

USER = "X-TOCSIN-USER"
"""The property that names the user of a shift, so that another Tocsin finds them again."""

_UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp"})  # control characters, and what ends a line elsewhere
_FOLD = 75  # octets in a line, without its end: RFC 5545, 3.1
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


def write(entries: Iterable[Entry], *, name: str, stamp: datetime, refresh: timedelta) -> str:
    """A calendar called `name` that asks to be fetched anew every `refresh`.

    `stamp` is the moment that DTSTAMP shows; it is not the clock's, so equal input gives equal
    text.
    """
    period = f"PT{int(refresh.total_seconds()) // 60}M"
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Tocsin//Duty//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{_text(name)}",
        f"X-WR-CALNAME:{_text(name)}",
        f"REFRESH-INTERVAL;VALUE=DURATION:{period}",
        f"X-PUBLISHED-TTL:{period}",
    ]
    for entry in entries:
        lines += _event(entry, stamp)
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def _event(entry: Entry, stamp: datetime) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{_text(entry.uid)}"
    yield f"DTSTAMP:{_instant(stamp)}"
    yield f"SEQUENCE:{entry.sequence}"
    if entry.days is None:
        yield f"DTSTART:{_instant(entry.from_)}"
        yield f"DTEND:{_instant(entry.to)}"
    else:
        first, last = entry.days
        yield f"DTSTART;VALUE=DATE:{first:%Y%m%d}"
        yield f"DTEND;VALUE=DATE:{last + timedelta(days=1):%Y%m%d}"
    yield f"SUMMARY:{_text(entry.summary)}"
    if entry.description:
        yield f"DESCRIPTION:{_text(entry.description)}"
    for person in entry.people:
        yield f"{USER};VALUE=TEXT:{_text(person)}"  # else it is read with its escapes
    yield "TRANSP:TRANSPARENT"  # on duty is not busy
    yield "END:VEVENT"


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%S}Z"


def _text(value: str) -> str:
    """A value of the type TEXT: its ends of lines are `\\n`, other control characters vanish."""
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(sign for sign in value if sign in "\n\t" or category(sign) not in _UNSEEN)
    return kept.translate(_ESCAPES)


def _folded(line: str) -> Iterator[str]:
    """The line in pieces of at most 75 octets, never cut inside a character."""
    piece, size, most = "", 0, _FOLD
    for sign in line:
        octets = len(sign.encode())
        if size + octets > most:
            yield piece
            piece, size = " ", 1
        piece += sign
        size += octets
    yield piece
