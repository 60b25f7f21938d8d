"""What people are told when a shift changes."""

from collections import Counter
from collections.abc import Sequence

from tocsin.core.alert import Alert
from tocsin.core.dutywords import Said, moment
from tocsin.core.message import BODY_LIMIT, LISTED, Words
from tocsin.store.db import Row
from tocsin.store.handover import Untaken


def welcome(team: str, tier: str, standing: Sequence[Row]) -> Said:
    """To whoever comes on duty: what stands open, the worst first."""

    def said(zone: str) -> Words:
        states = Counter(_state(row) for row in standing)
        counts = ", ".join(f"{states[word]} {word}" for word in _STATES if states[word])
        subject = f"You are on duty in {team} ({_line(tier)}): {counts}"
        return _listed(subject, [_row(row, zone) for row in standing])

    return said


def not_taken(one: Untaken, team: str, alerts: Sequence[Alert]) -> Said:
    """To the manager on duty: what a leaver still owns."""

    def said(zone: str) -> Words:
        count = f"{len(alerts)} alert{'s' if len(alerts) > 1 else ''}"
        subject = f"{count} in {team} not taken over from {one.owner_name}"
        left = f"{one.owner_name} went off duty at {moment(one.at, zone)} ({zone})."
        lines = [
            f"#{alert.number} {alert.severity.value.upper()} {alert.title}" for alert in alerts
        ]
        return _listed(f"{subject}. {left}", lines)

    return said


_STATES = ("open", "acknowledged", "snoozed")


def _line(tier: str) -> str:
    return "manager" if tier == "manager" else f"tier {tier}"


def _state(row: Row) -> str:
    return "snoozed" if row["snoozed_until"] is not None else str(row["status"])


def _row(row: Row, zone: str) -> str:
    state = _state(row)
    how = f"{state} by {row['owner']}" if row["owner"] and state == "acknowledged" else state
    if row["snoozed_until"] is not None:
        how += f" until {moment(row['snoozed_until'], zone)} by {row['owner'] or 'somebody'}"
    return f"#{row['number']} {row['severity'].upper()} {row['title']} · {how}"


def _listed(subject: str, lines: Sequence[str]) -> Words:
    """A line for the lock screen, and below it what it is about, one line each."""
    listed = list(lines[:LISTED])
    more = len(lines) - len(listed)
    rest = [f"… and {more} more"] if more else []
    body = "\n".join((subject, "", *listed, *rest))
    return Words(subject=subject[:160], text=subject[:240], body=body[:BODY_LIMIT])
