"""When many alerts page one contact method: what goes out now, what waits, and for how long."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

WINDOWS = tuple(timedelta(seconds=seconds) for seconds in (1, 2, 4, 8, 15, 30))
"""How long other alerts wait after the first, second, … message that told of new ones."""

CALM = timedelta(seconds=60)
"""A storm is over when no new alert was told for so long."""

STORM = 5
"""Alerts told together from which on it is a storm whose end is told, too."""

PER_MINUTE = 20
"""Messages to one contact method in a minute, where it sets no limit of its own."""

MOST = 500
"""Alerts in one message: what is more waits for the next one."""

_MINUTE = timedelta(minutes=1)
_REMEMBERED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A message that could have gone out since `since`.

    `rank` is its alert's severity, `first` that it is no repetition.
    """

    alert: UUID
    rank: int
    first: bool
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """What was told lately, from the first message on after a calm.

    `told` counts the messages with new alerts, the last at `told_at`; `worst` is their highest
    rank; `together` counts the alerts that shared a message. Other alerts than those of the `last`
    message wait until `until`. `team` owns the alerts of the last message.
    """

    since: datetime
    told_at: datetime
    until: datetime
    told: int
    worst: int
    together: int
    last: tuple[UUID, ...]
    team: int

    @property
    def opened(self) -> datetime:
        """When the present window opened: with the message before it."""
        return self.until - _window(self.told)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What one contact method was sent: (when, whether it was a page) within the last minute."""

    recent: tuple[tuple[datetime, bool], ...] = ()
    storm: Storm | None = None

    @property
    def calm_at(self) -> datetime | None:
        """When the end of the storm is to be told if nothing new comes; None without a storm."""
        if self.storm is None or self.storm.together < STORM:
            return None
        return self.storm.told_at + CALM


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Places of the messages that go out as one, and of those that wait until `until`.

    `throttled`: they wait for the limit, not for the window.
    """

    goes: tuple[int, ...]
    waits: tuple[int, ...]
    after: Traffic
    until: datetime | None = None
    throttled: bool = False


def pages(
    traffic: Traffic, waiting: Sequence[Waiting], team: int, per_minute: int, now: datetime
) -> Verdict:
    """What becomes of the pages of one team that are due to one contact method at `now`.

    They go as one message, unless another alert was told within the window: then only pages of
    that alert go, and those that were due before the window opened and were not in its message:
    nobody waits for a second window. What is worse than all told in this storm takes everything
    along at once. The limit counts pages alone, so that news never hold one up.
    """
    storm = traffic.storm
    if storm is not None and abs(now - storm.told_at) >= CALM:  # or the clock was set back
        storm = None
    everything = tuple(range(len(waiting)))
    worse = storm is not None and max(one.rank for one in waiting) > storm.worst
    full = _full_until([at for at, page in traffic.recent if page], per_minute, now)
    if full is not None and not worse:
        return Verdict(goes=(), waits=everything, after=traffic, until=full, throttled=True)
    closed = storm is not None and now < storm.until
    goes = everything
    if storm is not None and closed and not worse:
        goes = tuple(
            place
            for place in everything
            if waiting[place].alert in storm.last or waiting[place].since < storm.opened
        )
    goes = goes[:MOST]
    chosen_places = set(goes)
    waits = tuple(place for place in everything if place not in chosen_places)
    after = traffic
    if goes:
        chosen = [waiting[place] for place in goes]
        storm_now = _told(storm, chosen, team, now, closed=closed)
        after = Traffic(_recent(traffic, now, page=True), storm_now)
    until = after.storm.until if after.storm is not None and waits else None
    return Verdict(goes=goes, waits=waits, after=after, until=until)


def news(traffic: Traffic, count: int, per_minute: int, now: datetime) -> Verdict:
    """What becomes of `count` messages of one kind that are no pages: one message, or the limit."""
    everything = tuple(range(count))
    full = _full_until([at for at, _ in traffic.recent], per_minute, now)
    if full is not None:
        return Verdict(goes=(), waits=everything, after=traffic, until=full, throttled=True)
    after = replace(traffic, recent=_recent(traffic, now, page=False))
    rest = everything[MOST:]
    until = now + WINDOWS[0] if rest else None
    return Verdict(goes=everything[:MOST], waits=rest, after=after, until=until)


def over(storm: Storm, alerts: int, still_open: int, acknowledged: int) -> tuple[str, str]:
    """What to say when a storm has ended: a line, and the same with what is left to do."""
    minutes = max(1, round((storm.told_at - storm.since) / _MINUTE))
    head = f"The storm is over: {alerts} alerts in {minutes} minute{'s' if minutes > 1 else ''}"
    closed = max(0, alerts - still_open - acknowledged)
    return head, f"{head}; {still_open} open, {acknowledged} acknowledged, {closed} closed."


def _window(told: int) -> timedelta:
    """How long others wait after the `told`-th message, from 1."""
    return WINDOWS[min(told, len(WINDOWS)) - 1]


def _full_until(sent: Sequence[datetime], per_minute: int, now: datetime) -> datetime | None:
    """None while there is room for one more within the last minute, else when there will be."""
    within = sorted(at for at in sent if abs(now - at) < _MINUTE)
    most = max(1, per_minute)
    return within[-most] + _MINUTE if len(within) >= most else None


def _recent(traffic: Traffic, now: datetime, *, page: bool) -> tuple[tuple[datetime, bool], ...]:
    return (*(one for one in traffic.recent if abs(now - one[0]) < _MINUTE), (now, page))


def _told(
    storm: Storm | None, chosen: Sequence[Waiting], team: int, now: datetime, *, closed: bool
) -> Storm:
    """The storm after a message. One that passes a closed window leaves the window as it is."""
    alerts = tuple(dict.fromkeys(one.alert for one in chosen))
    worst = max(one.rank for one in chosen)
    known = () if storm is None else storm.last
    fresh = {one.alert for one in chosen if one.first and one.alert not in known}
    if storm is None:
        storm = Storm(
            since=now, told_at=now, until=now, told=0, worst=worst, together=0, last=(), team=team
        )
    told = max(1, storm.told + (1 if fresh and not closed else 0))
    return Storm(
        since=storm.since,
        told_at=now if fresh else storm.told_at,
        until=storm.until if closed else now + _window(told),
        told=told,
        worst=max(storm.worst, worst),
        together=storm.together + (len(fresh) if len(alerts) > 1 else 0),
        last=tuple(dict.fromkeys((*storm.last, *alerts) if closed else alerts))[-_REMEMBERED:],
        team=team,
    )
