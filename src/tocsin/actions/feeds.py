"""Feeds of duty: secret addresses made and revoked, and the calendar that each shows."""

import asyncio
import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from yarl import URL

from tocsin.actions.configure import Guard, NotFoundError, everywhere
from tocsin.actions.shown import instant
from tocsin.actions.world import World
from tocsin.core import ids
from tocsin.core.access import sees
from tocsin.core.calendarfile import Entry, write
from tocsin.core.schedule import Schedule, Shift, shifts, told
from tocsin.keys import new_nonce
from tocsin.store import feeds
from tocsin.store.db import Row
from tocsin.store.feeds import Feed, FeedKind, Known, StoredShift, teams_known
from tocsin.store.schedules import schedules_of_team

BACK, AHEAD = timedelta(days=31), timedelta(days=184)
"""For which time around now a feed shows shifts."""

_REFRESH = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whose duty a feed is to show."""

    name: str
    kind: FeedKind
    owner: int
    team: int | None = None
    schedule: int | None = None


async def create_feed(world: World, wanted: Wanted) -> dict[str, object]:
    """A new feed; `url` in the answer is shown this once."""
    secret = new_nonce() + new_nonce()
    async with world.database.transaction() as connection:
        row = await feeds.add(
            connection,
            world.keys.hash(secret),
            name=wanted.name,
            kind=wanted.kind,
            owner=wanted.owner,
            team=wanted.team,
            schedule=wanted.schedule,
            now=world.clock.now(),
        )
        made = next(
            one for one in await feeds.feeds(connection, [wanted.owner]) if one["id"] == row
        )
    return {**_shown(made), "url": f"{world.public_url}/ical/{secret}.ics"}


async def show_feeds(world: World, owners: Collection[int] | None) -> list[dict[str, object]]:
    """The feeds of these users (ids), or all, without their addresses."""
    async with world.database.transaction() as connection:
        return [_shown(row) for row in await feeds.feeds(connection, owners)]


async def delete_feed(world: World, given: str, *, guard: Guard = everywhere) -> None:
    """Make a feed's address worthless, by its id. Raises `NotFoundError`."""
    reference = ids.decode(given)
    async with world.database.transaction() as connection:
        for row in await feeds.feeds(connection):
            if reference == (0, row["id"]):
                guard(None, row["owner_id"])
                await feeds.remove(connection, row["id"])
                return
    raise NotFoundError(f"there is no feed {given[:80]!r}")


def _shown(row: Row) -> dict[str, object]:
    return {
        "id": ids.encode(0, row["id"]),
        "name": row["name"],
        "kind": row["kind"],
        "user": row["owner"],
        "team": row["team"],
        "schedule": row["schedule"],
        "made_at": instant(row["made_at"]),
    }


@dataclass(frozen=True, slots=True)
class Served:
    """What a feed shows now: the text of a calendar, and the tag that changes with it."""

    content: bytes
    etag: str


async def serve_feed(world: World, secret: str) -> Served | None:
    """The calendar at a secret address; None when there is none, or nothing to see any more.

    The text changes only when duty does, and once a day when the time that it shows moves on.
    """
    now = world.clock.now()
    begin = datetime.combine(now.date(), time(), UTC)
    from_, to = begin - BACK, begin + AHEAD
    async with world.database.transaction() as connection:
        feed = await feeds.by_hash(connection, world.keys.hash(secret))
        if feed is None or not _may_see(feed):
            return None
        teams = [feed.team] if feed.team is not None else list(feed.owner.teams)
        known = await teams_known(connection, teams, from_, now)
        plans = [(one, await schedules_of_team(connection, one.team, now, to)) for one in known]
    entries: list[Entry] = []
    for one, schedules in plans:
        for number, schedule in schedules.items():
            if feed.schedule not in {None, number}:
                continue
            # in a thread: a large schedule takes longer than paging may wait
            ahead = await asyncio.to_thread(shifts, schedule, now, to)
            entries += _entries(world, feed, one, number, schedule, ahead.shifts, now)
    entries.sort(key=lambda entry: (entry.from_, entry.to, entry.uid))
    text = write(entries, name=feed.name, stamp=feed.made_at, refresh=_REFRESH).encode()
    return Served(text, f'"{hashlib.sha256(text).hexdigest()[:32]}"')


def _may_see(feed: Feed) -> bool:
    """Whether its owner, as they stand now, sees what the feed shows: never a team they left."""
    return feed.team is None or sees(feed.owner, feed.team)


def _entries(
    world: World,
    feed: Feed,
    known: Known,
    number: int,
    schedule: Schedule,
    ahead: Sequence[Shift],
    now: datetime,
) -> Iterator[Entry]:
    host = URL(world.public_url).host or "tocsin"
    stored = [one for one in known.stored if one.schedule == number]
    for shift in _joined(stored, ahead, now):
        if feed.kind is FeedKind.USER and shift.user != feed.owner.name:
            continue
        mark = f"{known.team}/{number}/{shift.user}/{shift.from_.isoformat()}"
        yield Entry(
            uid=f"{hashlib.sha256(mark.encode()).hexdigest()[:32]}@{host}",
            from_=shift.from_,
            to=shift.to,
            summary=_summary(feed, known, schedule, shift.user),
            description=f"{schedule.name}, tier {schedule.tier}, team {known.name}; {shift.why}",
            people=(shift.user,),
            sequence=known.version,
        )


def _joined(
    stored: Iterable[StoredShift], ahead: Sequence[Shift], now: datetime
) -> Iterator[StoredShift]:
    """What was, as it is stored; what comes, as it is worked out.

    A shift that runs has its beginning from the store, and its end from what is worked out, which
    reaches further.
    """
    running = {shift.user: shift for shift in ahead if shift.from_ <= now}
    for one in stored:
        goes_on = running.pop(one.user, None) if one.from_ <= now < one.to else None
        end = one.to if goes_on is None else goes_on.to
        yield StoredShift(
            schedule=one.schedule, user=one.user, why=one.why, from_=one.from_, to=end
        )
    for shift in (*running.values(), *(one for one in ahead if one.from_ > now)):
        yield StoredShift(
            schedule=0, user=shift.user, why=told(shift.why), from_=shift.from_, to=shift.to
        )


def _summary(feed: Feed, known: Known, schedule: Schedule, user: str) -> str:
    """Of a schedule the user alone, which other programs for duty take for the person on duty."""
    match feed.kind:
        case FeedKind.SCHEDULE:
            return user
        case FeedKind.TEAM:
            return f"{user} ({schedule.name})"
        case FeedKind.USER:
            return f"On duty: {known.name}, {schedule.name}"
