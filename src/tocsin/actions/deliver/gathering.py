"""Which claimed pages go out as one message, and which wait because of a storm."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from tocsin.actions.deliver.knowing import Known
from tocsin.actions.deliver.storms import tell
from tocsin.core import storm
from tocsin.core.alert import Alert
from tocsin.core.effects import EntryKind, Purpose
from tocsin.core.notification import NEWS, PAGES
from tocsin.core.storm import Storm, Traffic, Verdict, Waiting
from tocsin.store.db import Connection
from tocsin.store.outbox import (
    Due,
    Held,
    Line,
    carry,
    counted,
    lock_traffic,
    put_back,
    save_traffic,
    tell_once,
)


@dataclass(frozen=True, slots=True)
class Letter:
    """One message: the page whose id it has, and the others that it carries."""

    carrier: Due
    carried: tuple[Due, ...] = ()


@dataclass(slots=True)
class _Sorted:
    """What becomes of a batch."""

    letters: list[Letter] = field(default_factory=list[Letter])
    held: list[Held] = field(default_factory=list[Held])
    lines: list[Line] = field(default_factory=list[Line])
    traffic: dict[int, Traffic] = field(default_factory=dict[int, Traffic])
    over: dict[int, Storm] = field(default_factory=dict[int, Storm])


_Key = tuple[int, int, str, UUID | None]


async def gathered(
    connection: Connection, known: Known, wanted: Sequence[Due], now: datetime
) -> list[Letter]:
    """Put pages together that go to the same contact method, and put back those that wait.

    In the transaction that claimed them, so that all processes see the same traffic.
    """
    groups: dict[_Key, list[Due]] = {}
    done = _Sorted()
    for due in wanted:
        key = _group(due)
        if key is None:
            done.letters.append(Letter(due))
        else:
            groups.setdefault(key, []).append(due)
    if groups:
        traffic = await lock_traffic(connection, {method for method, *_ in groups})
        for key, dues in sorted(groups.items(), key=_oldest):
            _judge(done, known, key, dues, traffic.get(key[0], Traffic()), now)
            traffic.update(done.traffic)
    if done.traffic:
        await save_traffic(connection, done.traffic, now)
    for method, former in done.over.items():
        await tell(connection, [await counted(connection, method, former)], now)
    await put_back(connection, done.held, now)
    await carry(connection, _carriers(done.letters))
    await tell_once(connection, done.lines, now)
    return done.letters


def repeated_methods(claimed: Iterable[Due]) -> list[int]:
    """Contact methods for which pages of different alerts were claimed."""
    alerts: dict[int, set[UUID]] = {}
    for due in claimed:
        if due.promise.method is not None and due.alert is not None:
            alerts.setdefault(due.promise.method, set()).add(due.alert)
    return [method for method, found in alerts.items() if len(found) > 1]


def _group(due: Due) -> _Key | None:
    """What a page may share a message with: same method, team and kind; None: it goes alone.

    What may have been sent before goes out with the same pages as then, under the same id: a
    receiver that knows the id drops it.
    """
    purpose, method = due.promise.purpose, due.promise.method
    if due.alert is None or method is None or purpose not in _SHARED:
        return None
    kind = "page" if purpose in PAGES else purpose.value
    before = (due.carrier or due.id) if due.possible_duplicate else None
    return method, due.team, kind, before


_SHARED = PAGES | NEWS | {Purpose.OFFERED}


def _oldest(item: tuple[_Key, list[Due]]) -> tuple[int, datetime, str]:
    return item[0][0], min(due.due_at for due in item[1]), item[0][2]


def _judge(
    done: _Sorted, known: Known, key: _Key, dues: list[Due], traffic: Traffic, now: datetime
) -> None:
    method, team, kind, before = key
    if len(dues) > 1:
        dues = sorted(dues, key=lambda due: (due.due_at, due.id))
    if before is not None:  # it was let through when it was claimed first
        done.letters += _letters(known, dues, before)
        return
    most = known.per_minute(method)
    if kind == "page":
        verdict = storm.pages(traffic, [_waiting(known, due) for due in dues], team, most, now)
    else:
        verdict = storm.news(traffic, len(dues), most, now)
    letters = _letters(known, [dues[place] for place in verdict.goes], None)
    done.letters += letters
    if letters:
        done.traffic[method] = verdict.after
        calm = traffic.calm_at is not None and traffic.calm_at <= now
        if kind == "page" and calm and traffic.storm is not None:
            done.over[method] = traffic.storm  # nobody has told of its end yet
    if verdict.waits:
        _put_back(done, [dues[place] for place in verdict.waits], verdict, known, now)
    for letter in letters:
        if letter.carried:
            done.lines += _bundled(known, letter)


def _letters(known: Known, dues: Sequence[Due], before: UUID | None) -> list[Letter]:
    """One message for several alerts; pages of a single alert go one by one."""
    if not dues:
        return []
    if len(dues) == 1 or len({due.alert for due in dues}) == 1:
        return [Letter(due) for due in dues]
    carrier, *carried = sorted(dues, key=lambda due: (due.id != before, *_weight(known, due)))
    return [Letter(carrier, tuple(carried))]


def _weight(known: Known, due: Due) -> tuple[int, datetime, int]:
    """Worst first, then oldest."""
    alert = _of(known, due)
    return -alert.severity.rank, alert.created_at, alert.number


def _waiting(known: Known, due: Due) -> Waiting:
    alert = _of(known, due)
    since = max(due.due_at, due.promise.planned_at)
    return Waiting(alert=alert.id, rank=alert.severity.rank, first=due.attempt == 1, since=since)


def _of(known: Known, due: Due) -> Alert:
    alert = known.alert(due)
    assert alert is not None, "pages without an alert are not gathered"
    return alert


def _put_back(
    done: _Sorted, dues: Sequence[Due], verdict: Verdict, known: Known, now: datetime
) -> None:
    if verdict.until is None:
        return
    seconds = math.ceil((verdict.until - now).total_seconds())
    reason = "its limit is reached" if verdict.throttled else "other alerts were told just now"
    for due in dues:
        done.held.append(
            Held(due, verdict.until, f"waits {seconds} s for the next message: {reason}")
        )
        if verdict.throttled and due.alert is not None:
            data = {**_whom(known, due), "seconds": seconds}
            done.lines.append(Line(due.team, due.alert, EntryKind.THROTTLED, data))


def _bundled(known: Known, letter: Letter) -> Iterable[Line]:
    number = _of(known, letter.carrier).number
    count = len({letter.carrier.alert, *(due.alert for due in letter.carried)})
    for due in letter.carried:
        if due.alert is not None and due.alert != letter.carrier.alert:
            data = {**_whom(known, due), "with": number, "alerts": count}
            yield Line(due.team, due.alert, EntryKind.BUNDLED, data)


def _whom(known: Known, due: Due) -> dict[str, object]:
    method = known.method(due)
    return {
        "user": known.users.get(due.promise.user or 0, "?"),
        "contact_method": "?" if method is None else method.name,
    }


def _carriers(letters: Iterable[Letter]) -> list[tuple[Due, UUID | None]]:
    """What is to be written about who carries whom."""
    wanted: list[tuple[Due, UUID | None]] = []
    for letter in letters:
        wanted += [(due, letter.carrier.id) for due in letter.carried]
        wanted.append((letter.carrier, None))
    return [(due, carrier) for due, carrier in wanted if due.carrier != carrier]
