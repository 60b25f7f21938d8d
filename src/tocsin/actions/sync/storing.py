"""What a page of a source's objects changes here, in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from tocsin.actions.desk import Desk
from tocsin.actions.intake import accept
from tocsin.actions.sync.leases import renewed
from tocsin.actions.sync.meaning import meaning, posted
from tocsin.actions.world import World
from tocsin.core.alert import Alert
from tocsin.core.changes import Annotated, Change, Reopened, SeenAgain
from tocsin.core.kinds import Status
from tocsin.core.reconcile import News, NewsKind, Remote, Seen, Wanted, news, seen_after
from tocsin.store import alerts, remotes
from tocsin.store.alerts import Saved
from tocsin.store.connectors import Connector
from tocsin.store.db import Connection
from tocsin.store.events import reserve_numbers
from tocsin.store.outbox import DuePoll
from tocsin.store.remotes import Known


@dataclass(frozen=True, slots=True)
class _Item:
    remote: Remote
    known: Known | None
    news: tuple[News, ...]

    @property
    def key(self) -> str:
        return self.known.key if self.known else self.remote.key

    @property
    def seen(self) -> Seen | None:
        return self.known.seen if self.known else None

    def has(self, *kinds: NewsKind) -> bool:
        return any(one.kind in kinds for one in self.news)


async def store_page(world: World, row: Connector, due: DuePoll, page: Sequence[Remote]) -> DuePoll:
    """Store a page and what is new in it; returns the poll with its lease renewed.

    Raises `LeaseLost`, with nothing stored, and `alerts.KeyTaken` when a sender raised the same
    key at the same moment; the page is then to be stored again.
    """
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        items = await _items(connection, row, page)
    arriving = sum(item.has(NewsKind.ARRIVED) for item in items)
    counts = {row.team: arriving} if arriving else {}
    numbers = await reserve_numbers(world.worker_database, counts) if counts else {}
    async with world.worker_database.transaction() as connection:
        due = await renewed(connection, due)
        items = await _items(connection, row, page)
        await _store(connection, row, items, numbers, now)
    if any(item.news for item in items):
        world.wake()
    return due


async def store_written(
    connection: Connection,
    row: Connector,
    known: Known,
    remote: Remote,
    wrote: Wanted,
    now: datetime,
) -> None:
    """Store an object as read back after a write: our own change is no news, all else in it is.

    Raises `alerts.KeyTaken`, as `store_page` does.
    """
    mine = with_written(known.seen, wrote)
    before = Known(key=known.key, alert=known.alert, seen=mine)
    await _store(connection, row, [_Item(remote, before, news(remote, mine))], {}, now)


def with_written(seen: Seen, wrote: Wanted) -> Seen:
    """What we know after `wrote` was sent, whether or not it was applied."""
    return replace(
        seen,
        written_status=wrote.status or seen.written_status,
        written_owner=wrote.owner or seen.written_owner,
    )


async def _items(connection: Connection, row: Connector, page: Sequence[Remote]) -> list[_Item]:
    """Each object once, as it was last changed, with what we know of it."""
    keys = {key for remote in page for key in (remote.key, *remote.also)}
    stored = await remotes.known(connection, row.team, row.id, keys)
    items: dict[str, _Item] = {}
    for remote in page:
        known = next((stored[key] for key in (remote.key, *remote.also) if key in stored), None)
        item = _Item(remote, known, news(remote, known.seen if known else None))
        twin = items.get(item.key)
        if twin is None or twin.remote.modified_at < remote.modified_at:
            items[item.key] = item
    return list(items.values())


async def _store(
    connection: Connection,
    row: Connector,
    items: Sequence[_Item],
    numbers: Mapping[int, Iterable[int]],
    now: datetime,
) -> None:
    await remotes.lock_alerts(
        connection,
        row.team,
        (item.known.alert for item in items if item.news and item.known and item.known.alert),
        (item.key for item in items if item.has(NewsKind.ARRIVED, NewsKind.REOPENED)),
    )
    belongs, found = await _raise(connection, row, items, numbers, now)
    belongs |= {
        item.key: item.known.alert for item in items if item.known and item.known.alert is not None
    }
    moved = await _change(connection, row, items, belongs, now)
    if found or moved:
        await remotes.adopt(connection, row.team, row.id, [*found, *moved.values()])
    await _remember(connection, row, items, belongs | moved)


async def _raise(
    connection: Connection,
    row: Connector,
    items: Iterable[_Item],
    numbers: Mapping[int, Iterable[int]],
    now: datetime,
) -> tuple[dict[str, UUID], list[UUID]]:
    """Raise an alert for each object that arrived, through the one way in.

    Returns whose alert is which, and those alerts that were open under the same key already.
    """
    arrived = [item.remote for item in items if item.has(NewsKind.ARRIVED)]
    accepted, _ = await accept(
        connection, [posted(row, remote) for remote in arrived], numbers, now
    )
    raised = {remote.key: done.alerts[0].id for remote, done in zip(arrived, accepted, strict=True)}
    return raised, [done.alerts[0].id for done in accepted if not done.created]


async def _change(
    connection: Connection,
    row: Connector,
    items: Sequence[_Item],
    belongs: Mapping[str, UUID],
    now: datetime,
) -> dict[str, UUID]:
    """Apply the rest of the news; returns the objects that belong to another alert from now on."""
    wanted = [
        (belongs[item.key], item)
        for item in items
        if item.key in belongs and any(one.kind is not NewsKind.ARRIVED for one in item.news)
    ]
    if not wanted:
        return {}
    names = {name for _, item in wanted for name in item.remote.accounts}
    users = await remotes.users_of_accounts(connection, names)
    found = await alerts.get_many(connection, [(row.team, key) for key, _ in wanted], lock=True)
    keys = {
        (row.team, alert.external_id)
        for key, item in wanted
        if item.has(NewsKind.REOPENED) and (alert := found.get(key)) and alert.external_id
    }
    standing = await alerts.open_by_key(connection, keys) if keys else {}
    changes = _Changes(Desk(connection, now), users, found, list(standing.values()))
    moved: dict[str, UUID] = {}
    for key, item in wanted:
        if key in found and (now_of := await changes.follow(key, item)) != key:
            moved[item.key] = now_of
    if changes.saved:
        await alerts.save(connection, list(changes.saved.values()), now)
    return moved


@dataclass(slots=True)
class _Changes:
    """The alerts that news changes, in memory; `open` are those that have a key now."""

    desk: Desk
    users: Mapping[str, tuple[int, str]]
    found: Mapping[UUID, Alert]
    open: Sequence[Alert]
    saved: dict[UUID, Saved] = field(default_factory=dict[UUID, Saved])

    async def follow(self, key: UUID, item: _Item) -> UUID:
        """Apply an object's news to an alert; returns the alert that it belongs to afterwards.

        One that was closed here and reopened there is followed by the open alert that has its key
        by now: at most one is open.
        """
        for piece in item.news:
            alert = self._alert(key)
            categories = (await self.desk.context(alert.team)).categories
            change = meaning(piece, item.remote, alert, self.users, categories)
            if isinstance(change, Reopened) and (other := self._instead(alert)) is not None:
                key = other.id
                await self._apply(key, SeenAgain())
                told = f"Reopened at the source; alert #{alert.number}, which it was, stays closed"
                change = Annotated(change.by, told)
            if change is not None:
                await self._apply(key, change)
        return key

    async def _apply(self, key: UUID, change: Change) -> None:
        before = self.saved.get(key) or Saved(self._alert(key), ())
        after, _ = await self.desk.follow(before, change)
        if after is not before:
            self.saved[key] = after

    def _alert(self, key: UUID) -> Alert:
        if key in self.saved:
            return self.saved[key].alert
        return self.found.get(key) or next(alert for alert in self.open if alert.id == key)

    def _instead(self, alert: Alert) -> Alert | None:
        if alert.status is not Status.CLOSED or alert.external_id is None:
            return None
        standing = (self._alert(one.id) for one in self.open if one.id != alert.id)
        return next(
            (
                one
                for one in standing
                if one.external_id == alert.external_id and one.status is not Status.CLOSED
            ),
            None,
        )


async def _remember(
    connection: Connection, row: Connector, items: Sequence[_Item], belongs: Mapping[str, UUID]
) -> None:
    def known(item: _Item) -> Known:
        seen = seen_after(item.remote, item.seen)
        return Known(key=item.key, alert=belongs.get(item.key), seen=seen)

    fresh = [known(item) for item in items if item.has(NewsKind.ARRIVED)]
    old = [known(item) for item in items if item.known is not None]
    if fresh:
        await remotes.store_seen(connection, row.team, row.id, fresh, details_due=True)
    if old:
        await remotes.store_seen(connection, row.team, row.id, old)
