"""What a source and we tell each other about one object."""

from collections.abc import Mapping
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
    account as the source names it (user principal name or e-mail where it has one), `owner_names`
    every name that the source gives that account (object id, e-mail and so on). `version` is
    what the source wants back with a write (etag). `times` are the source's own, in UTC.
    `also` lists other keys under which the same incident may arrive. `excluded`: the connector's
    filters leave it out, so it never arrives, but it is followed where it is known.
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
    excluded: bool = False
    owner_names: tuple[str, ...] = ()

    @property
    def accounts(self) -> frozenset[str]:
        """All names of the owner, to compare; empty when there is none."""
        return account_names(self.owner, *self.owner_names)


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
    owner_names: tuple[str, ...] = ()

    @property
    def accounts(self) -> frozenset[str]:
        """All names of the owner, to compare; empty when there is none."""
        return account_names(self.owner, *self.owner_names)


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


class IntentKind(StrEnum):
    """What a change here asks to be told to the source."""

    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"
    REOPENED = "reopened"  # no more than a comment, and the end of what was asked for before
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


def account_names(*names: str | None) -> frozenset[str]:
    """Names of one account, to compare: directories do not mind the case."""
    return frozenset(name.casefold() for name in names if name)


def same_account(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two sets of names are of one account: they share a name, or both name nobody."""
    return one == other or not one.isdisjoint(other)
