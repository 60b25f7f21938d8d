"""How alerts, timelines and pages look to programs: the API, the outgoing page, subscribers."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from tocsin.core import ids
from tocsin.core.alert import Alert
from tocsin.core.escalation import Position
from tocsin.core.kinds import Status
from tocsin.core.notation import utc_text


def alert_object(
    alert: Alert, team_name: str, names: Mapping[int, str], shown_id: str | None = None
) -> dict[str, object]:
    """The alert object of the public surface. `names` has the name of each user by id.

    Somebody who is no user here, or is one no more, keeps the name under which they acted.
    """
    return {
        "id": shown_id or public_id(alert),
        "number": alert.number,
        "team": team_name,
        "title": alert.title,
        "text": alert.text,
        "status": alert.status.value,
        "suppressed": alert.suppressed,
        "severity": alert.severity.value,
        "urgency": alert.urgency.value,
        "category": alert.category,
        "mode": alert.mode.value,
        "acknowledgements_required": alert.acknowledgements_required,
        "snoozed_until": instant(alert.snoozed_until),
        "source": {
            "kind": alert.source.kind,
            "name": alert.source.name,
            "url": alert.source.url,
        },
        "external_id": alert.external_id,
        "created_at": instant(alert.created_at),
        "updated_at": instant(alert.updated_at),
        **_people(alert, names),
        "step": step_number(alert.position),
        "policy": alert.policy_name,
        "nobody_answered": alert.exhausted and alert.status is Status.OPEN,
        "next_step_at": instant(alert.next_step_at) if alert.status is Status.OPEN else None,
        "seen_count": alert.seen_count,
        "details": dict(alert.details),
        "links": list(alert.links),
        "attachments": [],
    }


def users_of(alert: Alert) -> set[int]:
    """The ids whose names `alert_object` needs."""
    found = {answer.user for answer in alert.answers}
    found |= {alert.owner, alert.closure.user if alert.closure else None}
    return {user for user in found if user is not None}


def public_id(alert: Alert) -> str:
    """The opaque id under which the alert is known outside."""
    return ids.encode(alert.team, alert.id)


def step_number(position: Position | None) -> int | None:
    """The step as people count, from 1; None while nothing escalates."""
    return None if position is None else position.step + 1


def instant(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, ending in Z."""
    return None if at is None else utc_text(at)


def plain(value: object) -> object:
    """A JSONB column as a value, whether the driver handed it out as text or not."""
    return msgspec.json.decode(value) if isinstance(value, str) else value


def _people(alert: Alert, names: Mapping[int, str]) -> dict[str, object]:
    closure = alert.closure
    closed_by = closure and {
        "user": _name(closure.user, closure.name, names),
        "at": instant(closure.at),
        "via": closure.via.value,
        "classification": closure.classification,
    }
    return {
        "owner": None if alert.owner is None else names.get(alert.owner, f"user {alert.owner}"),
        "acknowledged_by": [
            {
                "user": _name(answer.user, answer.name, names),
                "at": instant(answer.at),
                "via": answer.via.value,
            }
            for answer in alert.answers
        ],
        "closed_by": closed_by,
    }


def _name(user: int | None, name: str, names: Mapping[int, str]) -> str:
    return name if user is None else names.get(user, name)
