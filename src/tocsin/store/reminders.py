"""Whose shift begins or ends soon, by how far ahead each person wants to know."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from tocsin.core.notation import duration, mapping
from tocsin.store.db import Connection, Row, rows

BEFORE = timedelta(hours=1)
"""How long before a shift begins somebody is reminded who says nothing else."""


@dataclass(frozen=True, slots=True)
class Soon:
    """A shift that begins or ends soon; shifts of one person that follow each other count as one.

    `kind` is `begins` or `ends`, `at` when.
    """

    team: int
    team_name: str
    tier: str
    user: int
    kind: str
    at: datetime


Wish = tuple[timedelta | None, timedelta | None]
"""How long before the beginning, and before the end; None: never."""


async def wishes(connection: Connection) -> dict[int, Wish]:
    """What people set; who set nothing is not there."""
    return _wishes(await rows(connection, _WISHES))


async def soon(
    connection: Connection, wanted: Mapping[int, Wish], now: datetime, limit: int
) -> list[Soon]:
    """Beginnings and ends of which nobody was reminded yet, in time for each person.

    At most `limit` of each.
    """
    begins = {user: wish[0] for user, wish in wanted.items()}
    ends = {user: wish[1] for user, wish in wanted.items() if wish[1] is not None}
    furthest = max((BEFORE, *(one for one in begins.values() if one is not None)))
    people = (list(begins), list(begins.values()), BEFORE)
    coming = await rows(connection, _BEGINS, now, now + furthest, *people, limit)
    going = (
        await rows(connection, _ENDS, now, list(ends), list(ends.values()), limit) if ends else ()
    )
    return [*(_soon(row, "begins") for row in coming), *(_soon(row, "ends") for row in going)]


def _wishes(found: Iterable[Row]) -> dict[int, Wish]:
    """What people set; what cannot be read counts as not set."""
    wishes: dict[int, Wish] = {}
    for row in found:
        body = mapping(msgspec.json.decode(row["reminders"]))
        if body.get("enabled") is False:
            wishes[row["id"]] = (None, None)
            continue
        try:
            begin = duration(str(body["before"])) if "before" in body else BEFORE
            end = duration(str(body["before_end"])) if "before_end" in body else None
        except ValueError:
            continue
        wishes[row["id"]] = (begin, end)
    return wishes


def _soon(row: Row, kind: str) -> Soon:
    return Soon(row["team_id"], row["name"], row["tier"], row["user_id"], kind, row["at"])


_WISHES = "SELECT id, body->'reminders' AS reminders FROM app_user WHERE body ? 'reminders'"

_ALONGSIDE = (
    "SELECT FROM shift b WHERE b.team_id = s.team_id AND b.tier = s.tier"
    " AND b.user_id = s.user_id AND b.id <> s.id"
)
_ONCE = (
    "NOT EXISTS (SELECT FROM told o WHERE o.team_id = s.team_id AND o.kind = {kind}"
    " AND o.subject = s.tier || '/' || s.user_id AND o.begins_at = {at})"
)

_BEGINS = f"""
SELECT DISTINCT s.team_id, t.name, s.tier, s.user_id, lower(s.during) AS at
FROM team t JOIN shift s ON s.team_id = t.id AND s.during && tstzrange($1, $2, '[]')
JOIN app_user u ON u.id = s.user_id AND u.active
LEFT JOIN unnest($3::int[], $4::interval[]) AS w(user_id, before) USING (user_id)
WHERE lower(s.during) > $1
  AND lower(s.during) <= $1 + CASE WHEN w.user_id IS NULL THEN $5::interval ELSE w.before END
  AND NOT EXISTS ({_ALONGSIDE} AND b.during && tstzrange(NULL, lower(s.during), '(]')
    AND lower(b.during) < lower(s.during) AND upper(b.during) >= lower(s.during))
  AND {_ONCE.format(kind="'begins'", at="lower(s.during)")}
ORDER BY at, s.team_id, s.tier, s.user_id LIMIT $6
"""  # noqa: S608 - words of our own

_ENDS = f"""
SELECT DISTINCT s.team_id, t.name, s.tier, s.user_id, upper(s.during) AS at
FROM unnest($2::int[], $3::interval[]) AS w(user_id, before)
JOIN membership m USING (user_id) JOIN team t ON t.id = m.team_id
JOIN shift s ON s.team_id = t.id AND s.user_id = w.user_id AND s.during @> $1::timestamptz
JOIN app_user u ON u.id = s.user_id AND u.active
WHERE upper(s.during) <= $1 + w.before
  AND NOT EXISTS ({_ALONGSIDE} AND b.during && tstzrange(upper(s.during), NULL, '[)')
    AND lower(b.during) <= upper(s.during) AND upper(b.during) > upper(s.during))
  AND {_ONCE.format(kind="'ends'", at="upper(s.during)")}
ORDER BY at, s.team_id, s.tier, s.user_id LIMIT $4
"""  # noqa: S608 - words of our own
