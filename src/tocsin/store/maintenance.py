"""Maintenance windows as paging needs them, and the alerts that they keep quiet."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from tocsin.core.matching import FieldTest, How, Match
from tocsin.core.notation import listing, mapping, moment, optional_text
from tocsin.core.routing import Maintenance
from tocsin.core.timewindow import span_at, window
from tocsin.store.db import Connection, run

SUPPRESSED = "maintenance"
"""The first word of the reason by which a window suppresses an alert."""

WINDOWS = """
SELECT 'maintenance' AS kind, t.id, jsonb_agg(jsonb_build_object(
  'name', m.name, 'body', m.body, 'integration', coalesce(i.id, 0)) ORDER BY m.id) AS body
FROM team t JOIN maintenance_window m ON m.team_id = t.id OR m.team_id IS NULL
LEFT JOIN integration i ON i.team_id = t.id AND i.name = m.body ->> 'integration'
WHERE t.id = ANY($1::int[]) AND (m.body ->> 'rrule' IS NOT NULL
  OR (left(m.body ->> 'to', 10) >= to_char($2::timestamptz - interval '2 days', 'YYYY-MM-DD')
  AND left(m.body ->> 'from', 10) <= to_char($2::timestamptz + interval '2 days', 'YYYY-MM-DD')))
GROUP BY t.id
"""
"""For each of the teams `$1` its windows and those of all teams, without those far from `$2`."""


def in_force(
    entries: Iterable[Mapping[str, Any]], zone: str, now: datetime
) -> tuple[Maintenance, ...]:
    """Those of a team's entries of `WINDOWS` that are open at `now`; `zone` is the team's.

    Left out is one that cannot be read in this zone, so that people are paged.
    """
    found: list[Maintenance] = []
    for entry in entries:
        body = mapping(entry["body"])
        span = _span(body, zone, now)
        if span is not None:
            found.append(_maintenance(entry, body, span[1]))
    return tuple(found)


async def look_again(connection: Connection, team: int | None, now: datetime) -> None:
    """Let the timers of alerts that a window keeps quiet fire now, in a team or (None) in all.

    So that they are held against the windows as they are after an edit.
    """
    await run(
        connection,
        # In the order of their ids, as everybody who locks alerts does.
        "WITH kept AS (SELECT team_id, id FROM alert WHERE status = 'open'"
        " AND ($1::int IS NULL OR team_id = $1) AND suppressed_until IS NOT NULL"
        " AND next_step_at > $2 AND starts_with(suppressed, $3)"
        " ORDER BY team_id, id FOR NO KEY UPDATE)"
        " UPDATE alert a SET next_step_at = $2 FROM kept"
        " WHERE a.team_id = kept.team_id AND a.id = kept.id",
        team,
        now,
        f"{SUPPRESSED} ",
    )


def _span(body: Mapping[str, object], zone: str, now: datetime) -> tuple[datetime, datetime] | None:
    try:
        begin, end = moment(str(body["from"])), moment(str(body["to"]))
        return span_at(window(begin, end, optional_text(body.get("rrule")), zone), now)
    except ValueError:
        return None


def _maintenance(
    entry: Mapping[str, Any], body: Mapping[str, object], until: datetime
) -> Maintenance:
    match = mapping(body.get("match"))
    return Maintenance(
        name=entry["name"],
        reason=str(body.get("reason") or ""),
        until=until,
        integration=None if body.get("integration") is None else entry["integration"],
        category=optional_text(body.get("category")),
        match=Match(every=_tests(match.get("all")), some=_tests(match.get("any"))),
    )


def _tests(entries: object) -> tuple[FieldTest, ...]:
    return tuple(
        FieldTest(str(mapping(entry)["field"]), how, mapping(entry)[how])
        for entry in listing(entries)
        for how in How
        if mapping(entry).get(how) is not None
    )
