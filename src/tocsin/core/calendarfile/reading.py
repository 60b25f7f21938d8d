"""The text of a calendar becomes entries, as far as they touch a length of time."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

import icalendar
import recurring_ical_events

from tocsin.core.calendarfile.model import CalendarError, Entry, Reading
from tocsin.core.calendarfile.writing import USER
from tocsin.core.localtime import resolve, wall_clock
from tocsin.core.notation import listing, mapping
from tocsin.core.storable import clean

_DAY = timedelta(days=1)
_SLACK = timedelta(days=2)  # more than any zone is away from UTC
_MOST_NOTES = 20
_LONGEST_TEXT = 500
_TOO_OFTEN = {"SECONDLY": "every second", "MINUTELY": "every minute"}
_TIMES = frozenset({"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"})


def read(content: bytes, *, zone: str, from_: datetime, to: datetime, most: int) -> Reading:
    """The entries that overlap [from_, to), at most `most`; cancelled ones are left out.

    Times without a zone, and whole days, are those of `zone`. Raises `CalendarError`. How long it
    takes is up to whoever wrote the text: read what is not trusted in a process with limits.
    """
    calendars = list(_calendars(content))
    if not calendars:
        raise CalendarError("it is cut off: END:VCALENDAR is missing")
    notes: dict[str, None] = {}
    entries: list[Entry] = []
    for calendar in calendars:
        if str(calendar.get("METHOD", "")).upper() == "CANCEL":
            notes["a calendar with METHOD:CANCEL says what is off, and is not read"] = None
            continue
        sound = _weeded(calendar, notes)
        notes |= dict.fromkeys(_unknown_zones(sound))
        for event in _occurrences(sound, from_ - _SLACK, to + _SLACK, notes):
            entry = _entry(event, zone)
            if entry is not None and entry.from_ < to and entry.to > from_:
                entries.append(entry)
        if len(entries) > most:
            raise CalendarError(
                f"it has more than {most} entries between {from_:%Y-%m-%d} and {to:%Y-%m-%d}"
            )
    entries.sort(key=lambda entry: (entry.from_, entry.to, entry.uid, entry.summary))
    return Reading(tuple(entries), _told(notes))


def local_days(entry: Entry, zone: str) -> tuple[date, date]:
    """The first and the last local day that an entry touches, with times of day or without."""
    if entry.days is not None:
        return entry.days
    last = wall_clock(entry.to - timedelta(microseconds=1), zone)
    return wall_clock(entry.from_, zone).date(), last.date()


def _calendars(content: bytes) -> Iterator[icalendar.Calendar]:
    head = content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not head[:15].upper().startswith(b"BEGIN:VCALENDAR"):
        shown = head[:40].decode("utf-8", "replace")
        raise CalendarError(f"it is not an iCalendar file: it begins with {shown!r}")
    try:
        found = icalendar.Calendar.from_ical(content, multiple=True)
    except Exception as fault:  # whatever the library finds wrong is wrong with the text
        raise CalendarError(f"it cannot be read: {_short(fault)}") from fault
    return (one for one in found if one.name == "VCALENDAR")


def _weeded(calendar: icalendar.Calendar, notes: dict[str, None]) -> icalendar.Calendar:
    """The calendar without the events whose times cannot be read; the notes name each."""
    for parent in list(_parts(calendar)):
        kept: list[icalendar.Component] = []
        for part in parent.subcomponents:
            why = _why_not(part) if part.name == "VEVENT" else None
            if why is None:
                kept.append(part)
            else:
                notes[f"{_called(part)} is passed over: {why}"] = None
        parent.subcomponents = kept
    return calendar


def _parts(component: icalendar.Component) -> Iterator[icalendar.Component]:
    yield component
    for part in component.subcomponents:
        yield from _parts(part)


def _why_not(event: icalendar.Component) -> str | None:
    for name, fault in event.errors:
        if name is None or name.upper() in _TIMES:
            return f"{name or 'a line'} cannot be read: {_short(fault)}"
    if event.get("DTSTART") is None:
        return "it has no DTSTART"
    for moment in _times(event):
        if isinstance(moment, timedelta):
            if moment < timedelta(0):
                return "its DURATION is negative: it would end before it begins"
        elif moment.year not in _YEARS:
            return f"it lies in the year {moment.year}; known are {_YEARS[0]} to {_YEARS[-1]}"
    for rule in _values(event.get("RRULE")):
        for frequency in _values(mapping(rule).get("FREQ")):
            if (word := str(frequency).upper()) in _TOO_OFTEN:
                return f"it comes again {_TOO_OFTEN[word]}; hourly is the most"
    return None


_YEARS = range(1901, 8900)


def _times(event: icalendar.Component) -> Iterator[date | timedelta]:
    for name in ("DTSTART", "DTEND", "RECURRENCE-ID", "DURATION"):
        for value in _values(event.get(name)):
            moment = getattr(value, "dt", None)
            if isinstance(moment, date | timedelta):
                yield moment


def _unknown_zones(calendar: icalendar.Calendar) -> Iterator[str]:
    for event in _parts(calendar):
        for name in ("DTSTART", "DTEND", "RECURRENCE-ID") if event.name == "VEVENT" else ():
            value = event.get(name)
            moment = getattr(value, "dt", None)
            zone = str(getattr(value, "params", {}).get("TZID", ""))
            if zone and isinstance(moment, datetime) and moment.tzinfo is None:
                yield f"the time zone {zone[:60]!r} is unknown: its times are read as local ones"


def _occurrences(
    calendar: icalendar.Calendar, from_: datetime, to: datetime, notes: dict[str, None]
) -> Iterable[icalendar.Event]:
    try:
        try:
            return recurring_ical_events.of(calendar).between(from_, to)
        except tuple(recurring_ical_events.CalendarQuery.suppressed_errors) as fault:
            notes[f"an entry is passed over: {_short(fault)}"] = None
            return recurring_ical_events.of(calendar, skip_bad_series=True).between(from_, to)
    except MemoryError:
        raise
    except Exception as fault:
        raise CalendarError(f"its recurrences cannot be worked out: {_short(fault)}") from fault


def _entry(event: icalendar.Event, zone: str) -> Entry | None:
    """None for what is cancelled, without beginning, or without length."""
    start, end = _moment(event, "DTSTART"), _moment(event, "DTEND")
    if start is None or str(event.get("STATUS", "")).upper() == "CANCELLED":
        return None
    days = None
    if not isinstance(start, datetime):
        last = _day_of(end) - _DAY if end is not None else start
        days = (start, max(start, last))
        from_ = resolve(datetime.combine(days[0], time()), zone)
        to = resolve(datetime.combine(days[1] + _DAY, time()), zone)
    else:
        from_ = _instant(start, zone)
        to = from_ if end is None else _instant(end, zone)
    if to <= from_:
        return None
    return Entry(
        uid=_words(event.get("UID")),
        from_=from_,
        to=to,
        summary=_words(event.get("SUMMARY")),
        description=_words(event.get("DESCRIPTION")),
        people=tuple(_people(event)),
        days=days,
        sequence=_number(event.get("SEQUENCE")),
    )


def _people(event: icalendar.Event) -> Iterator[str]:
    for name in (USER, "ATTENDEE"):
        for value in _values(event.get(name)):
            text = _words(value).strip()
            word = text[7:] if text[:7].lower() == "mailto:" else text
            if word:
                yield word


def _words(value: object) -> str:
    first = next(iter(_values(value)), "")  # of a property that stands twice
    return clean(str(first))[:_LONGEST_TEXT]


def _values(value: object) -> Sequence[object]:
    """Every value of a property, which may stand several times or not at all."""
    several = listing(value)
    return several or (() if value is None else (value,))


def _number(value: object) -> int:
    return min(max(value, 0), 2**31 - 1) if isinstance(value, int) else 0


def _moment(event: icalendar.Event, name: str) -> date | None:
    moment = getattr(event.get(name), "dt", None)
    return moment if isinstance(moment, date) else None


def _day_of(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _instant(moment: date, zone: str) -> datetime:
    if not isinstance(moment, datetime):
        return resolve(datetime.combine(moment, time()), zone)
    return resolve(moment, zone) if moment.tzinfo is None else moment.astimezone(UTC)


def _called(event: icalendar.Component) -> str:
    name = str(event.get("SUMMARY", "") or event.get("UID", "") or "an entry")
    return f"{name[:60]!r}"


def _told(notes: dict[str, None]) -> tuple[str, ...]:
    every = tuple(notes)
    more = len(every) - _MOST_NOTES
    return every if more <= 0 else (*every[:_MOST_NOTES], f"and {more} more of the kind")


def _short(fault: object) -> str:
    return " ".join(str(fault).split())[:200] or type(fault).__name__
