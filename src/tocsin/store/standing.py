"""How long people stay on duty, who should be off by now, which holes punching out made."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from tocsin.store.db import Connection, rows
from tocsin.store.shifts import OnDuty


async def unbroken(
    connection: Connection, found: Iterable[OnDuty], at: datetime, horizon: datetime
) -> list[OnDuty]:
    """The same people, each until their last shift of an unbroken row in the same tier ends.

    Who is punched in stays as they are: their end was said by hand. None where it lies at the
    `horizon` up to which shifts are known, or beyond: no end is known.
    """
    duties = list(found)
    spans: dict[tuple[int, str, int], list[tuple[datetime, datetime]]] = {}
    for row in await rows(
        connection,
        "SELECT s.team_id, tier, user_id, lower(during) AS begins, upper(during) AS ends"
        " FROM unnest($1::int[]) AS asked(team_id) JOIN shift s ON s.team_id = asked.team_id"
        " AND s.during && tstzrange($3, NULL) AND s.user_id = ANY($2::int[])"
        " ORDER BY lower(during)",
        sorted({duty.team for duty in duties}),
        sorted({duty.user for duty in duties}),
        at,
    ):
        key = (row["team_id"], row["tier"], row["user_id"])
        spans.setdefault(key, []).append((row["begins"], row["ends"]))
    return [_longest(duty, spans, horizon) for duty in duties]


OVERDUE_AFTER = timedelta(hours=24)
"""How long somebody may be punched in without an end and without a shift."""


async def overdue(connection: Connection, found: Iterable[OnDuty], at: datetime) -> list[OnDuty]:
    """The same people, marked where they are punched in without an end and should be off by now.

    That is so when a shift of theirs in the same tier has ended since they punched in and none
    runs, or after a day without one.
    """
    duties = list(found)
    endless = [duty for duty in duties if duty.why == PUNCHED_IN and duty.until is None]
    late = {
        (row["team_id"], row["tier"], row["user_id"])
        for row in (await rows(connection, _OVERDUE, *_columns(endless), at) if endless else ())
        if row["running"] is None
        and (row["ended"] is not None or at - row["since"] >= OVERDUE_AFTER)
    }
    return [
        replace(duty, overdue=duty in endless and (duty.team, duty.tier, duty.user) in late)
        for duty in duties
    ]


PUNCHED_IN = "punched in"

_OVERDUE = """
SELECT w.*, (SELECT max(upper(s.during)) FROM shift s WHERE s.team_id = w.team_id
    AND s.tier = w.tier AND s.user_id = w.user_id AND s.during && tstzrange(w.since, $5)
    AND upper(s.during) <= $5) AS ended,
  (SELECT max(upper(s.during)) FROM shift s WHERE s.team_id = w.team_id
    AND s.tier = w.tier AND s.user_id = w.user_id AND s.during @> $5::timestamptz) AS running
FROM unnest($1::int[], $2::text[], $3::int[], $4::timestamptz[]) AS w(team_id, tier, user_id, since)
"""


def _columns(duties: Iterable[OnDuty]) -> tuple[list[object], ...]:
    found = list(duties)
    return (
        [duty.team for duty in found],
        [duty.tier for duty in found],
        [duty.user for duty in found],
        [duty.since for duty in found],
    )


async def punched_out(connection: Connection, team: int, schedule: int) -> frozenset[datetime]:
    """When somebody was punched out of this schedule by hand.

    Punching out writes an override that begins at the very moment at which it is written.
    """
    found = await rows(
        connection,
        "SELECT changed_at FROM schedule_override WHERE team_id = $1 AND schedule_id = $2"
        " AND file_body IS NULL AND changed_at IS NOT NULL AND NOT body ? 'user'",
        team,
        schedule,
    )
    return frozenset(row["changed_at"] for row in found)


def _longest(
    duty: OnDuty,
    spans: Mapping[tuple[int, str, int], list[tuple[datetime, datetime]]],
    horizon: datetime,
) -> OnDuty:
    until = duty.until
    if until is None or duty.why == "punched in":
        return duty
    for begins, ends in spans.get((duty.team, duty.tier, duty.user), ()):
        if begins <= until < ends:
            until = ends
    return replace(duty, until=until if until < horizon else None)
