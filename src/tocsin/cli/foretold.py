"""How a foreseen escalation reads on a terminal."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from tocsin.actions.foresee import Ending, Foreseen, Kind, Line, Repeating
from tocsin.core.kinds import Mode, Urgency
from tocsin.core.notation import duration_text


@dataclass(slots=True)
class _Told:
    """A line, and those of its repetitions that are folded into it; `on`: it goes on for ever."""

    line: Line
    again: list[Line] = field(default_factory=list[Line])
    on: bool = False


def told(found: Foreseen, zone: tzinfo, *, every: bool = False) -> Iterable[str]:
    """The escalation with the times of a zone; with `every` each repetition on its own line."""
    start = found.at.astimezone(zone)
    alert = found.alert
    yield f"{found.team}: an alert of severity {alert.severity} at {start:%a %Y-%m-%d %H:%M %Z}"
    yield _head(found)
    lines = [_Told(line) for line in found.lines] if every else _folded(found)
    clock = _clock(found, zone)
    day = start.date()
    for one in lines:
        at = one.line.at.astimezone(zone)
        if at.date() != day:
            day = at.date()
            yield f"{at:%a %Y-%m-%d}"
        yield f"{at:{clock}}  {_words(one, zone, clock)}"
    yield from _end(found)
    for warning in found.warnings:
        yield f"Note: {warning}."


def _head(found: Foreseen) -> str:
    alert = found.alert
    if alert.suppressed is not None and alert.suppressed_until is None:
        return f"is suppressed ({alert.suppressed}); nobody is paged."
    if alert.urgency is Urgency.RECORD:
        return "is only recorded; nobody is paged."
    about = f"category {alert.category}, " if alert.category else ""
    if alert.mode is not Mode.SINGLE:
        people = alert.acknowledgements_required
        about += f"mode {alert.mode} ({people} {'people' if people > 1 else 'person'}), "
    if alert.policy_name is None:
        return f"{about}{alert.urgency}; the team has no escalation policy:"
    return f"{about}{alert.urgency}, follows policy {alert.policy_name} while nobody answers:"


def _clock(found: Foreseen, zone: tzinfo) -> str:
    """With the zone's abbreviation where clocks change, so that no time stands for two."""
    offsets = {line.at.astimezone(zone).utcoffset() for line in found.lines}
    return "%H:%M:%S %Z" if len(offsets) > 1 else "%H:%M:%S"


def _folded(found: Foreseen) -> list[_Told]:
    """Repetitions stand with the first message; those of the last go on where it does."""
    shown: list[_Told] = []
    chains: dict[tuple[str | None, str | None, Kind], _Told] = {}
    for line in found.lines:
        key = (line.person, line.contact_method, line.kind)
        chain = chains.get(key)
        if line.attempt is not None and line.attempt > 1 and chain is not None:
            chain.again.append(line)
            continue
        one = _Told(line)
        shown.append(one)
        if line.attempt is not None:
            chains[key] = one
    for repeating in found.repeating:
        for kind in (Kind.PAGE, Kind.FAILED):
            chain = chains.get((repeating.person, repeating.contact_method, kind))
            if chain is not None and chain.line.repeat_every is not None:
                chain.on = True
    return shown


def _words(one: _Told, zone: tzinfo, clock: str) -> str:
    line = one.line
    until = "" if line.until is None else _until(line.until.astimezone(zone), line.at, clock)
    place = f"round {line.round}, step {line.step}"
    match line.kind:
        case Kind.STEP:
            return f"{place}{_whom(line)}{_wait(line)}"
        case Kind.PASSED_OVER:
            return f"{place}: passed over, {line.reason}"
        case Kind.NOBODY:
            return f"{place}: nobody can be reached ({line.reason})"
        case Kind.HELD:
            return f"{place}: {line.reason}; waits for somebody until {until}"
        case Kind.PAGE | Kind.CALL | Kind.MESSAGE | Kind.FAILED:
            return f"  {_message(line)}{_again(one, zone, clock)}"
        case Kind.QUIET | Kind.THROTTLED:
            why = line.reason or "enough for this minute"
            return f"  {_message(line)} waits until {until}: {why}"
        case Kind.RELIEVED:
            return f"  {line.person} is paged no more by {line.contact_method}: {line.reason}"
        case _:
            return _of_the_alert(line, until)


def _of_the_alert(line: Line, until: str) -> str:
    names = ", ".join(line.people)
    match line.kind:
        case Kind.NOBODY_ANSWERED:
            return f"nobody answered; told: {names or 'nobody (the team has no admins)'}"
        case Kind.CAME_ON_DUTY:
            return f"came on duty{_whom(line)}"
        case Kind.LEFT_DUTY:
            return f"left duty: {names}" + (f" ({line.reason})" if line.reason else "")
        case Kind.RAISED | Kind.SUPPRESSED:
            why = f", suppressed: {line.reason}" if line.reason else ""
            return f"{line.kind}{why}" + (f", until {until}" if until else "")
        case Kind.OWNER_ASKED:
            return f"its owner is asked whether they are still on it; expires {until}"
        case _:
            return line.kind.replace("_", " ") + (f": {line.reason}" if line.reason else "")


def _whom(line: Line) -> str:
    found = ", ".join(line.people)
    lost = ", ".join(line.unreachable)
    if not lost:
        return f": {found}" if found else ""
    return f": {found}{', ' if found else ''}not reached: {lost}"


def _wait(line: Line) -> str:
    return "" if line.until is None else f"; waits {duration_text(line.until - line.at)}"


def _message(line: Line) -> str:
    if line.kind is Kind.CALL:
        return f"webhook {line.contact_method} is called"
    said = f"webhook {line.contact_method}"
    if line.person is not None:
        again = f", again ({line.attempt})" if (line.attempt or 1) > 1 else ""
        said = f"{line.person} by {line.contact_method} ({line.channel}){again}"
    if line.kind is Kind.FAILED:
        return f"{said} fails: {line.reason}"
    return f"{said}, {line.reason}" if line.kind is Kind.MESSAGE else said


def _again(one: _Told, zone: tzinfo, clock: str) -> str:
    every = one.line.repeat_every
    if every is None:
        return ""
    head = f", again every {duration_text(every)}"
    if one.on:
        return f"{head} until somebody answers"
    if not one.again:
        return ""
    count = f"{len(one.again)} time{'s' if len(one.again) > 1 else ''}"
    last = one.again[-1].at.astimezone(zone)
    return f"{head}, {count} until {_until(last, one.line.at, clock)}"


def _until(end: datetime, at: datetime, clock: str) -> str:
    """With its day where that is another one than that of the line."""
    same = end.date() == at.astimezone(end.tzinfo).date()
    return f"{end:{clock}}" if same else f"{end:%a %Y-%m-%d {clock}}"


def _end(found: Foreseen) -> Iterable[str]:
    if found.ending is Ending.OVER:
        return
    length = duration_text(found.until - found.at)
    if found.repeating:
        names = ", ".join(dict.fromkeys(_repeating(one) for one in found.repeating))
        yield f"and so on after {length}, until somebody answers: {names}"
    else:
        yield f"and so on; only {length} are shown."


def _repeating(one: Repeating) -> str:
    return f"{one.person} by {one.contact_method} every {duration_text(one.every)}"
