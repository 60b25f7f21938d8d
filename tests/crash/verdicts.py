"""What must be true of an installation after everything that was done to it."""

import asyncio
import time
from collections import Counter
from uuid import UUID

from tests.crash.phones import Phones
from tests.crash.senders import Senders
from tests.crash.systems import System
from tocsin.core import ids


async def until_quiet(system: System, within: float = 70) -> None:
    """Wait until no page is left to send."""
    deadline = time.monotonic() + within
    while waiting := await system.value(
        "SELECT count(*) FROM notification WHERE next_try_at IS NOT NULL"
    ):
        assert time.monotonic() < deadline, f"{waiting} pages are still to be sent"
        await asyncio.sleep(0.5)


async def nothing_accepted_is_lost(system: System, senders: Senders) -> None:
    """Every event answered 2xx is an alert, the only one of its key, and counted (I1, I2)."""
    found = await system.rows(
        "SELECT external_id, count(*) AS alerts, sum(seen_count) AS seen, min(number) AS number"
        " FROM alert GROUP BY external_id"
    )
    seen = {row["external_id"]: row["seen"] for row in found}
    assert [key for key in senders.accepted if key not in seen] == []
    assert [row["external_id"] for row in found if row["alerts"] != 1] == []
    assert [key for key, times in senders.accepted.items() if seen[key] < times] == []
    assert [key for key, times in senders.tries.items() if seen.get(key, 0) > times] == []
    assert len({row["number"] for row in found}) == len(found)


async def every_alert_was_paged(system: System, phones: Phones, senders: Senders) -> None:
    """Each alert rang, and the ledger knows (I4)."""
    rang = {key for page in phones.pages for key in (page.key, *page.others)}
    assert [key for key in senders.accepted if key not in rang] == []
    states = await system.rows(
        "SELECT n.state, count(*) AS pages FROM notification n GROUP BY n.state"
    )
    assert {row["state"] for row in states} <= {"sent", "bundled"}  # in a message with others


async def none_twice_without_the_mark(system: System, phones: Phones) -> None:
    """What rang twice is the same notification, and the ledger says that it may have (I4)."""
    doubled = await system.rows(
        "SELECT alert_id, method_id, purpose, round, step, attempt FROM notification"
        " WHERE state <> 'cancelled' GROUP BY 1, 2, 3, 4, 5, 6 HAVING count(*) > 1"
    )
    assert doubled == []
    notifications: dict[object, set[str]] = {}
    for page in phones.pages:
        for key in (page.key, *page.others):
            place = (key, page.user, page.kind, page.step, page.attempt)
            notifications.setdefault(place, set()).add(page.id)
    marked = await _marked(system)
    # An alert may be in a marked message of several that failed, and then in another of its own.
    among = {page.id for page in phones.pages if page.others and _uuid(page.id) in marked}
    several = {place: names for place, names in notifications.items() if len(names) > 1}
    assert {place: names for place, names in several.items() if not names & among} == {}
    twice = [_uuid(name) for name, times in phones.times().items() if times > 1]
    assert [each for each in twice if each not in marked] == []


async def marks(system: System) -> Counter[bool]:
    """How many notifications bear the mark of a possible duplicate, and how many do not."""
    found = await system.rows(
        "SELECT possible_duplicate AS mark, count(*) AS n FROM notification GROUP BY 1"
    )
    return Counter({row["mark"]: row["n"] for row in found})


async def _marked(system: System) -> set[UUID]:
    """Marked in the row and in the ledger."""
    found = await system.rows(
        "SELECT n.id FROM notification n WHERE n.possible_duplicate AND EXISTS"
        " (SELECT 1 FROM ledger l WHERE l.team_id = n.team_id AND l.notification_id = n.id"
        " AND l.possible_duplicate)"
    )
    return {row["id"] for row in found}


def _uuid(name: str) -> UUID:
    decoded = ids.decode(name)
    assert decoded is not None
    assert isinstance(decoded[1], UUID)
    return decoded[1]
