"""What people are told about duty, at the hours of their own clocks."""

from collections.abc import Callable
from datetime import datetime

from tocsin.core.localtime import wall_clock
from tocsin.core.message import Words

Said = Callable[[str], Words]
"""The words for a reader in a time zone."""


def notice(subject: Callable[[str], str], more: Callable[[str], str] = lambda _: "") -> Said:
    """A notice: a line, and what follows it; both know the reader's zone."""

    def said(zone: str) -> Words:
        line, rest = subject(zone), more(zone)
        text = f"{line} {rest}".rstrip()
        return Words(subject=line.rstrip("."), text=text, body=text)

    return said


def span(from_: datetime, to: datetime, zone: str) -> str:
    """A length of time as people say it, the day once where it is the same.

    >>> from datetime import UTC
    >>> span(datetime(2026, 11, 24, 7, tzinfo=UTC), datetime(2026, 11, 24, 15, tzinfo=UTC), "UTC")
    'Tue 24 Nov 07:00 to 15:00'
    """
    begin, end = wall_clock(from_, zone), wall_clock(to, zone)
    last = f"{end:%H:%M}" if begin.date() == end.date() else f"{end:%a %d %b %H:%M}"
    return f"{begin:%a %d %b %H:%M} to {last}"


def moment(at: datetime, zone: str) -> str:
    """A moment as people say it.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 11, 24, 7, tzinfo=UTC), "Europe/Berlin")
    'Tue 24 Nov 08:00'
    """
    return f"{wall_clock(at, zone):%a %d %b %H:%M}"
