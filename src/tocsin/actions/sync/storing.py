"""What a page of a source's objects changes here, in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from tocsin.actions.desk import Desk
from tocsin.actions.intake import Posted, accept
from tocsin.actions.world import World
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
from tocsin.core.kinds import Actor, Status, Via
from tocsin.core.reconcile import News, NewsKind, Remote, Seen, Wanted, news, seen_after
from tocsin.core.routing import Category, urgency
from tocsin.store import alerts, remotes
from tocsin.store.connectors import Connector
from tocsin.store.db import Connection
from tocsin.store.events import reserve_numbers
from tocsin.store.outbox import DuePoll, renew_poll
from tocsin.store.remotes import Known

PORTAL = "portal"
"""Who did it at the source when the source does not say."""


class LeaseLost(Exception):  # noqa: N818 - a state to stop in, not a fault
    """Another process reads this connector now; what this one holds is not stored."""


@dataclass(frozen=True, slots=True)
class _Item:
    remote: Remote
    known: Known | None
    news: tuple[News, ...]


async def store_page(world: World, row: Connector, due: DuePoll, page: Sequence[Remote]) -> DuePoll:
    """Store a page and what is new in it; returns the poll with its lease renewed.

    Raises `LeaseLost`, with nothing stored, and `alerts.KeyTaken` when a sender raised the same
    key at the same moment; the page is then to be stored again.
    """
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        arriving = sum(_has(item, NewsKind.ARRIVED) for item in await _items(connection, row, page))
    counts = {row.team: arriving} if arriving else {}
    numbers = await reserve_numbers(world.worker_database, counts) if counts else {}
    async with world.worker_database.transaction() as connection:
        lease = await renew_poll(connection, due)
        if lease is None:
            raise LeaseLost
        items = await _items(connection, row, page)
        raised = await _raise(connection, row, items, numbers, now)
        await _change(connection, row, items, raised, now)
        await _remember(connection, row, items, raised)
    if any(item.news for item in items):
        world.wake()
    return replace(due, lease=lease)


async def store_written(
    connection: Connection,
    row: Connector,
    known: Known,
    remote: Remote,
    wrote: Wanted,
    now: datetime,
) -> None:
    """Store an object as read back after a write: our own change is no news, all else in it is."""
    mine = with_written(known.seen, wrote)
    before = Known(key=known.key, alert=known.alert, seen=mine)
    item = _Item(remote, before, news(remote, mine))
    await _change(connection, row, [item], {}, now)
    await _remember(connection, row, [item], {})


def with_written(seen: Seen, wrote: Wanted) -> Seen:
    """What we know after `wrote` was sent, whether or not it was applied."""
    return replace(
        seen,
        written_status=wrote.status or seen.written_status,
        written_owner=wrote.owner or seen.written_owner,
    )


async def _items(connection: Connection, row: Connector, page: Sequence[Remote]) -> list[_Item]:
    keys = {key for remote in page for key in (remote.key, *remote.also)}
    stored = await remotes.known(connection, row.team, row.id, keys)
    items: dict[str, _Item] = {}
    for remote in page:
        known = next((stored[key] for key in (remote.key, *remote.also) if key in stored), None)
        items[known.key if known else remote.key] = _Item(
            remote, known, news(remote, known.seen if known else None)
        )
    return list(items.values())


async def _raise(
    connection: Connection,
    row: Connector,
    items: Iterable[_Item],
    numbers: Mapping[int, Iterable[int]],
    now: datetime,
) -> dict[str, Alert]:
    """Raise an alert for each object that arrived, through the one way in."""
    arrived = [item.remote for item in items if _has(item, NewsKind.ARRIVED)]
    posted = [_posted(row, remote) for remote in arrived]
    accepted, _ = await accept(connection, posted, numbers, now)
    return {remote.key: done.alerts[0] for remote, done in zip(arrived, accepted, strict=True)}


def _posted(row: Connector, remote: Remote) -> Posted:
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


async def _change(
    connection: Connection,
    row: Connector,
    items: Sequence[_Item],
    raised: Mapping[str, Alert],
    now: datetime,
) -> None:
    """Apply the rest of the news to the alerts they belong to."""
    wanted = {
        known: item
        for item in items
        if (known := _alert_of(item, raised)) is not None
        and any(one.kind is not NewsKind.ARRIVED for one in item.news)
    }
    if not wanted:
        return
    owners = {one.owner for item in wanted.values() for one in item.news if one.owner}
    users = await remotes.users_of_accounts(connection, owners)
    found = await alerts.get_many(connection, [(row.team, key) for key in wanted], lock=True)
    desk = Desk(connection, now)
    saved: list[alerts.Saved] = []
    for key, alert in found.items():
        item = wanted[key]
        one = alerts.Saved(alert, ())
        categories = (await desk.context(row.team)).categories
        for piece in item.news:
            change = _meaning(piece, item.remote, one.alert, users, categories)
            if change is not None:
                one, _ = await desk.follow(one, change)
        if one.alert is not alert or one.effects:
            saved.append(one)
    if saved:
        await alerts.save(connection, saved, now)


def _meaning(
    piece: News,
    remote: Remote,
    alert: Alert,
    users: Mapping[str, tuple[int, str]],
    categories: tuple[Category, ...],
) -> Change | None:
    """The change here that a piece of news stands for."""
    by = _actor(piece.owner, users)
    match piece.kind:
        case NewsKind.ARRIVED:
            return None
        case NewsKind.ACKNOWLEDGED | NewsKind.OWNER_CHANGED:
            return TakenOver(by) if alert.status is Status.ACKNOWLEDGED else Acknowledged(by)
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


def _actor(owner: str | None, users: Mapping[str, tuple[int, str]]) -> Actor:
    if owner is None:
        return Actor(PORTAL, via=Via.SOURCE)
    user, name = users.get(owner.lower(), (None, owner))
    return Actor(name, user, Via.SOURCE)


async def _remember(
    connection: Connection, row: Connector, items: Sequence[_Item], raised: Mapping[str, Alert]
) -> None:
    fresh = [_known(item, raised) for item in items if _has(item, NewsKind.ARRIVED)]
    old = [_known(item, raised) for item in items if item.known is not None]
    if fresh:
        await remotes.store_seen(connection, row.team, row.id, fresh, details_due=True)
    if old:
        await remotes.store_seen(connection, row.team, row.id, old)


def _known(item: _Item, raised: Mapping[str, Alert]) -> Known:
    known = item.known
    return Known(
        key=known.key if known else item.remote.key,
        alert=_alert_of(item, raised),
        seen=seen_after(item.remote, known.seen if known else None),
    )


def _alert_of(item: _Item, raised: Mapping[str, Alert]) -> UUID | None:
    if item.known is not None:
        return item.known.alert
    alert = raised.get(item.remote.key)
    return alert.id if alert is not None else None


def _has(item: _Item, kind: NewsKind) -> bool:
    return any(one.kind is kind for one in item.news)
