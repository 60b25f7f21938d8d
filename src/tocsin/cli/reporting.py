"""How plan and apply tell about their changes, for people."""

from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from tocsin.actions.configure import ConfigureError, Document, Line, Report, read
from tocsin.cli.running import fail
from tocsin.store.shifts import OnDuty


def document(path: Path) -> Document:
    """The file; what cannot be read ends the command with every fault named."""
    try:
        content = path.read_bytes()
    except OSError as fault:
        fail(f"{path} cannot be read: {fault.strerror}")
    try:
        return read(content)
    except ConfigureError as fault:
        refuse(path, fault)


def refuse(path: Path, fault: ConfigureError) -> NoReturn:
    """Every fault of the file on a line of its own."""
    fail(f"{path} is refused as a whole, nothing was changed:\n{fault}")


def lines(report: Report, *, would: bool) -> Iterable[str]:
    """The report, most important first; `would` for a plan."""
    for word, group in (
        ("create", report.created),
        ("change", report.changed),
        ("remove", report.removed),
        ("take over as it is", report.adopted),
    ):
        yield from _group(f"would {word}" if would else word, group)
    yield from _group("not in the file", report.kept)
    for warning in report.warnings:
        yield f"warning: {warning}"
    for fault in report.refused:
        yield f"refused: {fault}"
    if not report.changes:
        yield "nothing to change"
    yield f"on duty at {report.at:%Y-%m-%d %H:%M} UTC, before: {_duty(report.duty_before)}"
    yield f"on duty at {report.at:%Y-%m-%d %H:%M} UTC, after:  {_duty(report.duty_after)}"


def _group(word: str, group: tuple[Line, ...]) -> Iterable[str]:
    for line in group:
        yield f"{word}: {line}"


def _duty(duty: tuple[OnDuty, ...]) -> str:
    return ", ".join(f"{d.team_name} {_tier(d.tier)} {d.user_name}" for d in duty) or "nobody"


def _tier(tier: str) -> str:
    return f"tier {tier}" if tier.isdigit() else tier
