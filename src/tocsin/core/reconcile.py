"""Local state, remote state and what each side last saw: what to change here, what to write there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tocsin.core.kinds import Severity


class RemoteStatus(StrEnum):
    """The states of a remote object in our words (see `connector.states` in the contract)."""

    NEW = "new"
    ACTIVE = "active"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """One object as the source shows it.

    `key` is stable for the object's whole life and unique within the connector. `owner` is the
    account as the source names it (user principal name or e-mail where it has one). `version` is
    what the source wants back with a write (etag). `times` are the source's own, in UTC.
    `also` lists other keys under which the same incident may arrive.
    """

    key: str
    title: str
    status: RemoteStatus
    severity: Severity
    created_at: datetime
    modified_at: datetime
    text: str = ""
    owner: str | None = None
    labels: tuple[str, ...] = ()
    classification: str | None = None
    url: str | None = None
    version: str | None = None
    details: Mapping[str, object] = field(default_factory=dict[str, object])
    merged_into: str | None = None
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What we know of a remote object: what it last showed, and what we last wrote to it."""

    status: RemoteStatus
    owner: str | None
    severity: Severity
    title: str
    text: str
    modified_at: datetime
    written_status: RemoteStatus | None = None
    written_owner: str | None = None


class NewsKind(StrEnum):
    """What a remote change means here."""

    ARRIVED = "arrived"
    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    OWNER_CHANGED = "owner changed"
    CLOSED = "closed"
    REOPENED = "reopened"
    SEVERITY_RAISED = "severity raised"
    DETAILS = "details"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class News:
    """One thing to change here because of what the source shows; `owner` as the source names it."""

    kind: NewsKind
    owner: str | None = None


def news(remote: Remote, seen: Seen | None) -> tuple[News, ...]:
    """What is new in `remote`, in the order in which to apply it.

    A state is news only where it differs from what the source last showed and is not what we last
    wrote; a read older than what we know is no news at all. An object first seen closed, or merged
    into another, is not news either.
    """
    if seen is None:
        return _first(remote)
    if remote.modified_at < seen.modified_at:
        return ()
    if remote.merged_into is not None:
        return (News(NewsKind.MERGED),) if seen.status is not RemoteStatus.CLOSED else ()
    return (*_of_content(remote, seen), *_of_status(remote, seen))


def _first(remote: Remote) -> tuple[News, ...]:
    if remote.status is RemoteStatus.CLOSED or remote.merged_into is not None:
        return ()
    arrived = News(NewsKind.ARRIVED)
    if remote.status is RemoteStatus.ACTIVE and remote.owner:
        return (arrived, News(NewsKind.ACKNOWLEDGED, remote.owner))
    return (arrived,)


def _of_content(remote: Remote, seen: Seen) -> tuple[News, ...]:
    if remote.severity.rank > seen.severity.rank:
        return (News(NewsKind.DETAILS), News(NewsKind.SEVERITY_RAISED))
    if (remote.title, remote.text, remote.severity) != (seen.title, seen.text, seen.severity):
        return (News(NewsKind.DETAILS),)
    return ()


def _of_status(remote: Remote, seen: Seen) -> tuple[News, ...]:
    if remote.status is not seen.status and remote.status is not seen.written_status:
        return _of_new_status(remote, seen)
    owner_is_news = remote.owner not in {seen.owner, seen.written_owner}
    if owner_is_news and remote.owner and remote.status is RemoteStatus.ACTIVE:
        return (News(NewsKind.OWNER_CHANGED, remote.owner),)
    return ()


def _of_new_status(remote: Remote, seen: Seen) -> tuple[News, ...]:
    was_closed = seen.status is RemoteStatus.CLOSED
    match remote.status:
        case RemoteStatus.CLOSED:
            return (News(NewsKind.CLOSED, remote.owner),)
        case RemoteStatus.ACTIVE if was_closed:
            reopened = News(NewsKind.REOPENED)
            if remote.owner:
                return (reopened, News(NewsKind.ACKNOWLEDGED, remote.owner))
            return (reopened,)
        case RemoteStatus.ACTIVE:
            return (News(NewsKind.ACKNOWLEDGED, remote.owner),)
        case RemoteStatus.NEW if was_closed:
            return (News(NewsKind.REOPENED),)
        case RemoteStatus.NEW:
            return (News(NewsKind.UNACKNOWLEDGED, remote.owner),)


class IntentKind(StrEnum):
    """What a change here asks to be told to the source."""

    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One promise to the source, made in the transaction that changed the alert.

    `id` names our event, so that a comment derived from it is written once however often it is
    tried. `owner` is the account that becomes owner at the source, None where the person has none.
    """

    id: str
    kind: IntentKind
    by: str
    at: datetime
    owner: str | None = None
    comment: str | None = None
    classification: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteBack:
    """What a connector is configured to write (`write_back` in the configuration file)."""

    label: str | None = None
    assign_owner: bool = True
    comments: bool = True
    close_classification: str | None = None
    close_comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment to write once; `id` makes a repeated write the same comment."""

    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to write to a remote object; None and empty leave a field as it is."""

    status: RemoteStatus | None = None
    owner: str | None = None
    label: str | None = None
    classification: str | None = None
    close_comment: str | None = None
    comments: tuple[Comment, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to write."""
        return self == Wanted()


def wanted(remote: Remote, intents: Iterable[Intent], rules: WriteBack) -> Wanted:
    """What the pending `intents` (oldest first) still ask of the object as it stands now.

    Decided anew from each fresh read, so that what an analyst did meanwhile is never undone: a
    closed object is not made active again, and a state that is reached is not written again.
    """
    pending = tuple(intents)
    closing = _last(pending, IntentKind.CLOSED)
    taking = _last(pending, IntentKind.ACKNOWLEDGED)
    comments = tuple(_comments(pending)) if rules.comments else ()
    if closing is not None and remote.status is not RemoteStatus.CLOSED:
        return Wanted(
            status=RemoteStatus.CLOSED,
            owner=_owner(taking, remote, rules),
            label=_label(remote, rules),
            classification=closing.classification or rules.close_classification,
            close_comment=closing.comment or _filled(rules.close_comment, closing.by),
            comments=comments,
        )
    if taking is not None and closing is None and remote.status is not RemoteStatus.CLOSED:
        return Wanted(
            status=RemoteStatus.ACTIVE if remote.status is RemoteStatus.NEW else None,
            owner=_owner(taking, remote, rules),
            label=_label(remote, rules),
            comments=comments,
        )
    return Wanted(comments=comments)


def _last(intents: tuple[Intent, ...], kind: IntentKind) -> Intent | None:
    return next((intent for intent in reversed(intents) if intent.kind is kind), None)


def _owner(taking: Intent | None, remote: Remote, rules: WriteBack) -> str | None:
    if taking is None or not rules.assign_owner or taking.owner == remote.owner:
        return None
    return taking.owner


def _label(remote: Remote, rules: WriteBack) -> str | None:
    return None if rules.label in remote.labels else rules.label


def _comments(intents: tuple[Intent, ...]) -> Iterable[Comment]:
    for intent in intents:
        text = _text(intent)
        if text:
            yield Comment(id=intent.id, text=text)


def _text(intent: Intent) -> str:
    said = f": {intent.comment}" if intent.comment else ""
    match intent.kind:
        case IntentKind.ACKNOWLEDGED:
            return f"Acknowledged in Tocsin by {intent.by}{said}"
        case IntentKind.CLOSED:
            return f"Closed in Tocsin by {intent.by}{said}"
        case IntentKind.NOTE:
            return f"{intent.by}{said}" if said else ""


def _filled(template: str | None, user: str) -> str | None:
    return template.replace("{user}", user) if template else None


def seen_after(remote: Remote, seen: Seen | None, wrote: Wanted | None = None) -> Seen:
    """What we know after reading `remote`, or after writing `wrote` and reading it back."""
    status = seen.written_status if seen else None
    owner = seen.written_owner if seen else None
    if wrote is not None:
        status, owner = wrote.status or status, wrote.owner or owner
    elif seen is not None and remote.status is not seen.status:
        # The source moved on: what we wrote before is history, and may become news again.
        status = status if remote.status is status else None
    return Seen(
        status=remote.status,
        owner=remote.owner,
        severity=remote.severity,
        title=remote.title,
        text=remote.text,
        modified_at=remote.modified_at,
        written_status=status,
        written_owner=owner,
    )
