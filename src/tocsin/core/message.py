"""What to say about an alert on each medium."""

from collections.abc import Sequence
from dataclasses import dataclass

from tocsin.core.alert import Alert
from tocsin.core.effects import Purpose
from tocsin.core.kinds import Severity, Status


@dataclass(frozen=True, slots=True)
class Words:
    """One message: `subject` a line, `text` short enough for a lock screen, `body` in full."""

    subject: str
    text: str
    body: str


def words(alert: Alert, purpose: Purpose, team: str, attempt: int) -> Words:
    """What to tell a person about `alert`: severity, what, where, number; then the rest."""
    subject = f"{_lead(alert, purpose)}{_head(alert)}"
    where = f"{team}" + (f" · {alert.source.name}" if alert.source.name else "")
    text = f"{subject} ({where})"
    # An update says what is new by how the alert stands now: its severity, and who owns it.
    state = state_sentence(alert) if purpose in {Purpose.UPDATE, Purpose.OFFERED} else ""
    again = f"Reminder {attempt - 1}. " if attempt > 1 and purpose is Purpose.ESCALATION else ""
    facts = [state] if state else []
    facts += [f"Team: {where}", f"Raised: {alert.created_at:%Y-%m-%d %H:%M:%S} UTC"]
    if alert.category:
        facts.append(f"Category: {alert.category}")
    if alert.source.url:
        facts.append(f"Link: {alert.source.url}")
    body = "\n".join((again + subject, *facts, "", _shortened(alert.text, BODY_LIMIT)))
    return Words(
        subject=_shortened(subject, SUBJECT_LIMIT),
        text=_shortened(f"{text} {state}".rstrip(), TEXT_LIMIT),
        body=body.strip(),
    )


def words_for_many(alerts: Sequence[Alert], purpose: Purpose, team: str) -> Words:
    """What to tell about several alerts at once, the worst first: how many, which, what to do."""
    worst = alerts[0]
    subject = f"{len(alerts)} alerts{_news(purpose)}, worst: {_head(worst)}"
    end = _ENDS.get(purpose, "")
    room = TEXT_LIMIT - len(end) - len(team) - 3
    listed = [f"{_head(alert)} · {state_sentence(alert)}" for alert in alerts[:LISTED]]
    more = len(alerts) - len(listed)
    rest = [f"… and {more} more"] if more else []
    body = "\n".join(
        (f"{len(alerts)} alerts{_news(purpose)}{end}.", f"Team: {team}", "", *listed, *rest)
    )
    return Words(
        subject=_shortened(subject, SUBJECT_LIMIT),
        text=f"{_shortened(subject, room)} ({team}){end}",
        body=_shortened(body, BODY_LIMIT),
    )


_ENDS = {
    Purpose.ESCALATION: "; acknowledge all",
    Purpose.RESPONDER: "; acknowledge all",
    Purpose.OFFERED: "; their owner went off duty",
}

LISTED = 20
"""Alerts that a message about several names one by one."""

SUBJECT_LIMIT = 160
TEXT_LIMIT = 240
BODY_LIMIT = 4000


def _lead(alert: Alert, purpose: Purpose) -> str:
    match purpose:
        case Purpose.ESCALATION | Purpose.RESPONDER:
            return "Nobody answered: " if alert.exhausted else ""
        case Purpose.UPDATE:
            return "Update: "
        case Purpose.ACKNOWLEDGED:
            return f"Acknowledged by {alert.taken.name if alert.taken else 'somebody'}: "
        case Purpose.RESOLVED:
            return f"Closed by {alert.closure.name if alert.closure else 'somebody'}: "
        case Purpose.STILL_ON_IT:
            return "Still on it? "
        case Purpose.OFFERED:
            return "Take over? "
        case Purpose.NOTICE:
            return ""


def _head(alert: Alert) -> str:
    return f"{_badge(alert.severity)} #{alert.number} {_one_line(alert.title)}"


def _news(purpose: Purpose) -> str:
    match purpose:
        case Purpose.ESCALATION | Purpose.RESPONDER | Purpose.STILL_ON_IT | Purpose.NOTICE:
            return ""
        case Purpose.OFFERED:
            return " to take over"
        case Purpose.UPDATE:
            return " changed"
        case Purpose.ACKNOWLEDGED:
            return " acknowledged"
        case Purpose.RESOLVED:
            return " closed"


def _badge(severity: Severity) -> str:
    return severity.value.upper()


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def state_sentence(alert: Alert) -> str:
    """How the alert stands, in one sentence for whoever opens it or answers late."""
    match alert.status:
        case Status.OPEN if alert.exhausted:
            return "Open; nobody answered."
        case Status.OPEN:
            return "Open; nobody owns it yet."
        case Status.ACKNOWLEDGED:
            taken = alert.taken
            return (
                f"Acknowledged by {taken.name} at {taken.at:%H:%M} UTC."
                if taken
                else "Acknowledged."
            )
        case Status.CLOSED:
            closure = alert.closure
            return f"Closed by {closure.name} at {closure.at:%H:%M} UTC." if closure else "Closed."
