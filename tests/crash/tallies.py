"""What became of every event, alert and page, counted after the chaos."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import asyncpg

from tests.crash.loads import Load
from tests.crash.phones import Page, Phones
from tests.crash.systems import System
from tocsin.core import ids

Row = asyncpg.Record

_Place = tuple[UUID, tuple[object, ...]]
"""What one page is promised for: the alert, and person, method, step and attempt."""

_ENDS = ("acknowledged", "taken_over", "closed", "resolved")
"""Timeline entries after which nobody is owed a first page."""

_NO_PAGE = frozenset({"cancelled"})
_WENT_OUT = frozenset({"sent", "delivered", "seen", "answered", "bundled"})


@dataclass(frozen=True, slots=True)
class Fault:
    """A broken promise, with the alert or the notification that shows it."""

    text: str
    alert: UUID | None = None


@dataclass
class Tally:
    """The figures of one run. Each of the three lists must be empty."""

    accepted: int = 0
    alerts: int = 0
    due: int = 0
    sent: int = 0
    overtaken: int = 0
    lost: list[Fault] = field(default_factory=list[Fault])
    unpaged: list[Fault] = field(default_factory=list[Fault])
    unmarked: list[Fault] = field(default_factory=list[Fault])
    lateness: list[float] = field(default_factory=list[float])

    @property
    def clean(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.unpaged or self.unmarked)

    @property
    def faults(self) -> list[Fault]:
        """All broken promises."""
        return [*self.lost, *self.unpaged, *self.unmarked]

    def figures(self) -> str:
        """What there was to keep."""
        return (
            f"events accepted {self.accepted}, alerts {self.alerts},"
            f" pages due {self.due}, sent {self.sent}"
        )

    def verdict(self) -> str:
        """What was not kept."""
        return (
            f"lost {len(self.lost)}, unpaged {len(self.unpaged)},"
            f" unmarked duplicates {len(self.unmarked)},"
            f" worst lateness {max(self.lateness, default=0.0):.1f} s"
        )


@dataclass(frozen=True, slots=True)
class _Found:
    """What the database and the phones know."""

    now: datetime
    alerts: Sequence[Row]
    notifications: Sequence[Row]
    marked: frozenset[UUID]
    ended: Mapping[UUID, datetime]
    pages: Sequence[Page]
    taken: Mapping[UUID, list[Page]]


async def until_drained(system: System, within: float) -> None:
    """Wait until nothing is left to do, no longer than that: what is left then is counted."""
    deadline = time.monotonic() + within
    while await system.value(_LEFT):
        if time.monotonic() > deadline:
            return
        await asyncio.sleep(0.5)


_LEFT = """
SELECT (SELECT count(*) FROM notification WHERE next_try_at IS NOT NULL)
     + (SELECT count(*) FROM alert WHERE next_step_at < now() + interval '1 minute')
"""


async def tally(system: System, load: Load, phones: Phones) -> Tally:
    """Compare what senders were told, what the database holds, and what arrived."""
    found = await _found(system, phones)
    result = Tally(
        accepted=sum(load.accepted().values()) + sum(load.over().values()),
        alerts=len(found.alerts),
        due=sum(n["state"] not in _NO_PAGE for n in found.notifications),
        sent=sum(n["state"] in _WENT_OUT for n in found.notifications),
    )
    result.lost += _lost(found, load)
    result.unpaged += [*_unpaged(found, result), *_left(found)]
    result.unmarked += [*_twice(found), *_promised_twice(found), *_carried_and_sent(found)]
    return result


async def ledger_of(system: System, alert: UUID) -> Iterator[str]:
    """The pages of an alert, line by line, as evidence."""
    rows = await system.rows(
        "SELECT n.id, n.user_id, n.method_id, n.purpose, n.step, n.attempt, n.state AS now,"
        " n.due_at, n.next_try_at, n.possible_duplicate AS marked,"
        " l.at, l.state, l.detail, l.possible_duplicate"
        " FROM notification n LEFT JOIN ledger l"
        " ON l.team_id = n.team_id AND l.notification_id = n.id"
        " WHERE n.alert_id = $1 ORDER BY n.due_at, n.id, l.id",
        alert,
    )
    return ("    " + " ".join(f"{name}={value}" for name, value in row.items()) for row in rows)


async def _found(system: System, phones: Phones) -> _Found:
    pages = phones.pages
    taken: dict[UUID, list[Page]] = defaultdict(list)
    for page in pages:
        for name in page.alerts if page.taken else ():
            taken[_uuid(name)].append(page)
    ended = await system.rows(
        "SELECT alert_id, min(at) AS at FROM timeline WHERE kind = ANY($1) GROUP BY 1", _ENDS
    )
    marked = await system.rows(
        "SELECT n.id FROM notification n JOIN ledger l ON l.team_id = n.team_id"
        " AND l.notification_id = n.id AND l.possible_duplicate"
        " WHERE n.possible_duplicate GROUP BY 1"
    )
    return _Found(
        now=(await system.rows("SELECT now() AS now"))[0]["now"],
        alerts=await system.rows("SELECT * FROM alert"),
        notifications=await system.rows(
            "SELECT n.*, u.name AS person, m.name AS method,"
            " coalesce(n.sent_at, c.sent_at) AS went_at"
            " FROM notification n LEFT JOIN app_user u ON u.id = n.user_id"
            " LEFT JOIN notification c ON c.team_id = n.team_id AND c.id = n.carrier_id"
            " LEFT JOIN contact_method m ON m.id = n.method_id"
        ),
        marked=frozenset(row["id"] for row in marked),
        ended={row["alert_id"]: row["at"] for row in ended},
        pages=pages,
        taken=taken,
    )


def _lost(found: _Found, load: Load) -> Iterator[Fault]:
    """Events that were answered 2xx and left no trace, or too many."""
    seen, alerts, closed = Counter[str](), Counter[str](), Counter[str]()
    for alert in found.alerts:
        key = alert["external_id"]
        seen[key] += alert["seen_count"]
        alerts[key] += 1
        closed[key] += alert["status"] == "closed"
    tries = load.tries()
    for key, times in load.accepted().items():
        if seen[key] < times:
            yield Fault(f"{key} was accepted {times} times and counted {seen[key]} times")
    for key, times in alerts.items():
        if times > tries[key] or seen[key] > tries[key]:
            yield Fault(f"{key} was posted {tries[key]} times and made {times} alerts")
    for key in load.over():
        if not closed[key]:
            yield Fault(f"the end of {key} was accepted, and it is not closed")


def _unpaged(found: _Found, result: Tally) -> Iterator[Fault]:
    """Alerts of which nobody was told, and how late the others were."""
    pages: dict[UUID, list[Row]] = defaultdict(list)
    for row in found.notifications:
        if row["purpose"] == "escalation" and row["attempt"] == 1:
            pages[row["alert_id"]].append(row)
    for alert in found.alerts:
        if alert["suppressed"] is not None or alert["urgency"] == "record":
            continue
        first = min((row["due_at"] for row in pages[alert["id"]]), default=alert["created_at"])
        ended = found.ended.get(alert["id"])
        arrived = [page.at for page in found.taken.get(alert["id"], ()) if page.kind == "alert"]
        if arrived:
            sent = [row["went_at"] for row in pages[alert["id"]] if row["went_at"] is not None]
            late = max([min(arrived), *([min(sent)] if sent else ())]) - first
            result.lateness.append(late.total_seconds())
        elif ended is None:
            yield Fault(f"alert {alert['number']} ({alert['external_id']}): no page", alert["id"])
        elif ended > first:  # its page was late, and nobody wanted it any more when it came up
            result.overtaken += 1
            result.lateness.append((ended - first).total_seconds())


def _left(found: _Found) -> Iterator[Fault]:
    """Pages that are due and not gone, and those that are called gone and did not arrive."""
    taken, noted = _arrivals(found, taken=True), _arrivals(found, taken=False)
    for row in found.notifications:
        state = row["state"]
        what = f"{row['purpose']} page {row['id']} to {row['person']}"
        if state in _WENT_OUT:
            # One that its phone refused, or took without saying so, may be answered none the less.
            if _arrival(row) not in (noted if state == "answered" else taken):
                yield Fault(f"{what} is called {state} and no phone took it", row["alert_id"])
        elif state not in _NO_PAGE and row["due_at"] <= found.now:
            yield Fault(f"{what}, due {row['due_at']}, is still {state}", row["alert_id"])
    for alert in found.alerts:
        due = alert["next_step_at"]
        if due is not None and due < found.now:
            yield Fault(f"alert {alert['number']}: its step is due since {due}", alert["id"])


def _arrivals(found: _Found, *, taken: bool) -> set[object]:
    """Pages by id, and alerts with the people who were told of them; all, or those taken."""
    arrived: set[object] = set()
    for page in found.pages:
        if page.taken or not taken:
            arrived.add(_uuid(page.id))
            arrived.update((_uuid(alert), page.user) for alert in page.alerts)
    return arrived


def _arrival(row: Row) -> object:
    """What must have arrived: the page, or, where another carried it, one about its alert."""
    return row["id"] if row["carrier_id"] is None else (row["alert_id"], row["person"])


def _twice(found: _Found) -> Iterator[Fault]:
    """Pages that arrived more than once, and the ledger does not say that they may have."""
    times = Counter(page.id for page in found.pages)
    alert_of: Mapping[UUID, UUID] = {row["id"]: row["alert_id"] for row in found.notifications}
    for name in (name for name, n in times.items() if n > 1):
        if (page := _uuid(name)) not in found.marked:
            yield Fault(f"page {page} arrived {times[name]} times", alert_of.get(page))


def _promised_twice(found: _Found) -> Iterator[Fault]:
    """Two pages for one promise."""
    promised: dict[_Place, set[UUID]] = defaultdict(set)
    for row in found.notifications:
        if row["purpose"] == "escalation" and row["state"] not in _NO_PAGE:
            promised[_place(row)].add(row["id"])
    arrived: dict[_Place, set[UUID]] = defaultdict(set)
    for page in found.pages:
        if page.kind == "alert" and len(page.alerts) == 1:
            place = (page.user, page.method, page.step, page.attempt)
            arrived[_uuid(page.alerts[0]), place].add(_uuid(page.id))
    for what, places in (("promises", promised), ("pages", arrived)):
        for (alert, spot), names in places.items():
            if len(names) > 1:
                yield Fault(f"{len(names)} {what} at {spot}: {sorted(map(str, names))}", alert)


def _carried_and_sent(found: _Found) -> Iterator[Fault]:
    """Pages that another one carried and that came by themselves too, neither of them marked."""
    arrived = {(_uuid(page.id), _uuid(alert)) for page in found.pages for alert in page.alerts}
    for row in found.notifications:
        alert, names = row["alert_id"], {row["id"], row["carrier_id"]}
        twice = all((name, alert) in arrived for name in names)
        if row["carrier_id"] is not None and twice and not names & found.marked:
            yield Fault(f"page {row['id']} came alone and with {row['carrier_id']}", alert)


def _place(row: Row) -> _Place:
    names = ("person", "method", "episode", "round", "step", "attempt")
    return row["alert_id"], tuple(row[name] for name in names)


def _uuid(name: str) -> UUID:
    decoded = ids.decode(name)
    assert decoded is not None
    assert isinstance(decoded[1], UUID)
    return decoded[1]
