"""What an object at a source, or a change of it, means here."""

from collections.abc import Mapping

from tocsin.actions.intake import Posted
from tocsin.core.alert import Alert
from tocsin.core.changes import (
    Acknowledged,
    Change,
    Closed,
    DetailsUpdated,
    MergedInto,
    Reopened,
    SeverityRaised,
    TakenOver,
    Unacknowledged,
)
from tocsin.core.event import Event
from tocsin.core.kinds import Actor, Via
from tocsin.core.reconcile import News, NewsKind, Remote
from tocsin.core.routing import Category, urgency
from tocsin.store.connectors import Connector

PORTAL = "portal"
"""Who did it at the source when the source does not say."""


def posted(row: Connector, remote: Remote) -> Posted:
    """An object that arrived, as the one way in takes it."""
    policy = row.settings.get("policy")
    return Posted(
        team=row.team,
        name=row.name,
        inlet=row.source,
        connector=row.id,
        policy=policy if isinstance(policy, str) else None,
        actor=Actor(row.name, via=Via.SOURCE),
        said=(
            Event(
                title=remote.title,
                text=remote.text,
                external_id=remote.key,
                severity=remote.severity,
                url=remote.url,
                details=remote.details,
            ),
        ),
    )


def meaning(
    piece: News,
    remote: Remote,
    alert: Alert,
    users: Mapping[str, tuple[int, str]],
    categories: tuple[Category, ...],
) -> Change | None:
    """The change here that a piece of news stands for."""
    by = _actor(piece.owner, remote, users)
    match piece.kind:
        case NewsKind.ARRIVED:
            return None
        case NewsKind.ACKNOWLEDGED:
            return Acknowledged(by)
        case NewsKind.OWNER_CHANGED:
            return TakenOver(by)
        case NewsKind.UNACKNOWLEDGED:
            return Unacknowledged(by)
        case NewsKind.CLOSED:
            return Closed(by, classification=remote.classification)
        case NewsKind.REOPENED:
            return Reopened(by)
        case NewsKind.SEVERITY_RAISED:
            louder = urgency(remote.severity, alert.category, categories)
            return SeverityRaised(remote.severity, louder, by)
        case NewsKind.MERGED:
            return MergedInto(remote.merged_into or "another incident", by)
        case NewsKind.DETAILS:
            return DetailsUpdated(
                title=remote.title,
                text=remote.text,
                severity=remote.severity,
                url=remote.url,
                details=remote.details,
                by=by,
            )


def _actor(owner: str | None, remote: Remote, users: Mapping[str, tuple[int, str]]) -> Actor:
    if owner is None:
        return Actor(PORTAL, via=Via.SOURCE)
    names = (name.lower() for name in (owner, *remote.owner_names))
    user, name = next((users[name] for name in names if name in users), (None, owner))
    return Actor(name, user, Via.SOURCE)
