"""What is new in what a source shows."""

from dataclasses import replace

from tocsin.core.reconcile.values import (
    News,
    NewsKind,
    Remote,
    RemoteStatus,
    Seen,
    Wanted,
    account_names,
    same_account,
)


def news(remote: Remote, seen: Seen | None) -> tuple[News, ...]:
    """What is new in `remote`, in the order in which to apply it.

    A state is news only where it differs from what the source last showed and is not what we last
    wrote; a read older than what we know, or without our own write of the same instant, is no news
    at all. An object first seen closed, excluded,
    or merged into another, is not news either: it stays unknown, and is not to be stored as seen,
    so that it arrives when that changes.
    """
    if seen is None:
        return _first(remote)
    if _stale(remote, seen):
        return ()
    if remote.merged_into is not None:
        return (News(NewsKind.MERGED),) if seen.status is not RemoteStatus.CLOSED else ()
    return (*_of_content(remote, seen), *_of_status(remote, seen))


def _first(remote: Remote) -> tuple[News, ...]:
    if remote.status is RemoteStatus.CLOSED or remote.merged_into is not None or remote.excluded:
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
    owner_is_news = not any(
        same_account(remote.accounts, who)
        for who in (seen.accounts, account_names(seen.written_owner))
    )
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


def seen_after(remote: Remote, seen: Seen | None, wrote: Wanted | None = None) -> Seen:
    """What we know after reading `remote`, or after writing `wrote` and reading it back.

    A read older than what we know changes nothing but what was written.
    """
    stale = seen is not None and _stale(remote, seen)
    status, owner = _written(remote, seen, stale=stale)
    if wrote is not None:
        status, owner = wrote.status or status, wrote.owner or owner
    if seen is not None and stale:
        return replace(seen, written_status=status, written_owner=owner)
    return Seen(
        status=remote.status,
        owner=remote.owner,
        severity=remote.severity,
        title=remote.title,
        text=remote.text,
        modified_at=remote.modified_at,
        written_status=status,
        written_owner=owner,
        owner_names=remote.owner_names,
    )


def _stale(remote: Remote, seen: Seen) -> bool:
    """Whether `remote` was read from before what we know.

    Stamps can be coarse: where our own write was read back with the same stamp, a read without it
    is from before it.
    """
    if remote.modified_at != seen.modified_at or remote.merged_into is not None:
        return remote.modified_at < seen.modified_at
    wrote_status = seen.written_status is seen.status
    wrote_owner = account_names(seen.written_owner)
    return (wrote_status and remote.status is not seen.status) or (
        not wrote_owner.isdisjoint(seen.accounts) and wrote_owner.isdisjoint(remote.accounts)
    )


def _written(
    remote: Remote, seen: Seen | None, *, stale: bool
) -> tuple[RemoteStatus | None, str | None]:
    """What we wrote, as far as it still counts.

    Where the source moved on, what we wrote before is history, and may become news again.
    """
    if seen is None:
        return None, None
    status, owner = seen.written_status, seen.written_owner
    if not stale and remote.status is not seen.status and remote.status is not status:
        status = None
    if (
        not stale
        and not same_account(remote.accounts, seen.accounts)
        and not same_account(remote.accounts, account_names(owner))
    ):
        owner = None
    return status, owner
