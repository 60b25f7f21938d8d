"""What a calendar file holds for us: entries with their beginnings and ends."""

from dataclasses import dataclass
from datetime import date, datetime


class CalendarError(ValueError):
    """The text cannot be read as a calendar; the message says why and what would help."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a calendar, [from_, to) in UTC, each recurrence an entry of its own.

    `people` are the words by which the entry may name users: a name of ours, addresses of mail,
    in the order in which they count. `days` are the local days [first, last] that an entry
    without times of day covers, None for one with times. `sequence` grows when the entry changes.
    """

    uid: str
    from_: datetime
    to: datetime
    summary: str = ""
    description: str = ""
    people: tuple[str, ...] = ()
    days: tuple[date, date] | None = None
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: the entries in the order of their beginnings, and what to tell about them.

    `notes` name what was passed over or guessed, so that nothing is lost in silence.
    """

    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()
