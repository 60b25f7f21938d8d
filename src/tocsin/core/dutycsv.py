"""The CSV files of shifts and duty hours, in the formats that SIGNL4's scripts use."""

import csv
import io
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tocsin.core.csvtext import harmless
from tocsin.core.localtime import wall_clock
from tocsin.core.notation import moment
from tocsin.core.spans import joined, left_of

HEADER = ("Email", "Start", "End")
DELETE = "DELETE"
"""In place of an address: what was imported in this range before is taken away."""

_MOST_FAULTS = 50


class RowsError(ValueError):
    """The file as a whole is refused; `faults` are pairs of line number and what is wrong."""

    def __init__(self, faults: Sequence[tuple[int, str]]) -> None:
        super().__init__("; ".join(f"line {line}: {what}" for line, what in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Span:
    """Somebody's shift, [from_, to) in UTC."""

    user: str
    from_: datetime
    to: datetime


@dataclass(frozen=True, slots=True)
class Rows:
    """What a file of shifts says: the ranges to clear first, and the shifts."""

    cleared: tuple[tuple[datetime, datetime], ...]
    spans: tuple[Span, ...]


def read_rows(text: str, user_of: Callable[[str], str | None]) -> Rows:
    """`Email,Start,End` line by line; times without an offset are UTC.

    `user_of` names the user with an address. Raises `RowsError` with every fault of the file.
    """
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=_delimiter(text))
    faults: list[tuple[int, str]] = []
    cleared: list[tuple[datetime, datetime]] = []
    spans: list[Span] = []
    try:
        for number, cells in enumerate(lines, start=1):
            words = [cell.strip() for cell in cells]
            if not any(words) or (number == 1 and _is_header(words)):
                continue
            try:
                who, from_, to = _row(words, user_of)
            except ValueError as fault:
                faults.append((number, str(fault)))
                continue
            if who is None:
                cleared.append((from_, to))
            else:
                spans.append(Span(who, from_, to))
    except csv.Error as fault:
        faults.append((lines.line_num, f"this is not CSV: {fault}"))
    if not faults and not cleared and not spans:
        faults.append((1, "no row follows; the columns are Email,Start,End"))
    if faults:
        raise RowsError(faults[:_MOST_FAULTS])
    return Rows(tuple(cleared), tuple(dict.fromkeys(spans)))


def laid_over(former: Iterable[Span], rows: Rows) -> tuple[Span, ...]:
    """What stands after a file was imported over what earlier files said.

    Ranges that the file clears, and the times of its own shifts, are cut out of the former ones.
    """
    cuts = joined((*rows.cleared, *((span.from_, span.to) for span in rows.spans)))
    ends = [end for _, end in cuts]
    stands = set(rows.spans)
    for span in former:
        first = bisect_right(ends, span.from_)  # those before it end before it begins
        near = (cuts[place] for place in range(first, len(cuts)))
        for from_, to in left_of((span.from_, span.to), near):
            stands.add(Span(span.user, from_, to))
    return tuple(sorted(stands, key=lambda span: (span.from_, span.to, span.user)))


@dataclass(frozen=True, slots=True)
class Duty:
    """An unbroken time of one person's duty, [from_, to) in UTC."""

    name: str
    mail: str
    from_: datetime
    to: datetime


def merged(duties: Iterable[Duty]) -> tuple[Duty, ...]:
    """Each person's duties without overlap, so that nobody's hour counts twice."""
    found: list[Duty] = []
    for duty in sorted(duties, key=lambda one: (one.name, one.mail, one.from_)):
        last = found[-1] if found else None
        same = last is not None and (last.name, last.mail) == (duty.name, duty.mail)
        if last is not None and same and duty.from_ <= last.to:
            found[-1] = Duty(last.name, last.mail, last.from_, max(last.to, duty.to))
        else:
            found.append(duty)
    return tuple(sorted(found, key=lambda one: (one.from_, one.name)))


def write_hours(duties: Iterable[Duty], zone: str) -> str:
    """`"Name";"Email";"Start";"End";"Hours"`: times on the zone's clock with offset, hours `h:m`.

    No cell begins with what a spreadsheet would take for a formula.
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(("Name", "Email", "Start", "End", "Hours"))
    for duty in duties:
        ends = (_local(duty.from_, zone), _local(duty.to, zone))
        cells = (duty.name, duty.mail, *ends, _hours(duty.to - duty.from_))
        writer.writerow([harmless(cell) for cell in cells])
    return out.getvalue()


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return ";" if first.count(";") > first.count(",") else ","


def _is_header(words: Sequence[str]) -> bool:
    return tuple(word.lower() for word in words[:3]) == tuple(word.lower() for word in HEADER)


def _row(
    words: Sequence[str], user_of: Callable[[str], str | None]
) -> tuple[str | None, datetime, datetime]:
    if len(words) != len(HEADER):
        raise ValueError(f"it has {len(words)} columns; give Email,Start,End")
    who, *ends = words
    from_, to = (_utc(end) for end in ends)
    if to <= from_:
        raise ValueError(f"the end {words[2]} is not after the beginning {words[1]}")
    if who == DELETE:
        return None, from_, to
    user = user_of(who)
    if user is None:
        raise ValueError(f"nobody in the team has the address {who[:80]!r}")
    return user, from_, to


def _utc(text: str) -> datetime:
    try:
        at = moment(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text[:60]!r} lies outside the calendar") from None


def _local(at: datetime, zone: str) -> str:
    wall = wall_clock(at, zone)
    offset = round((wall.replace(tzinfo=UTC) - at).total_seconds() / 60)
    sign, size = ("-", -offset) if offset < 0 else ("+", offset)
    return f"{wall:%Y-%m-%dT%H:%M:%S}{sign}{size // 60:02}:{size % 60:02}"


def _hours(length: timedelta) -> str:
    minutes = int(length.total_seconds()) // 60
    return f"{minutes // 60}:{minutes % 60:02}"
