"""The shifts of a schedule as they were stored."""

from datetime import datetime

from tocsin.core.schedule import AsBefore, Shift
from tocsin.store.db import Connection, rows


async def recorded(
    connection: Connection, team: int, schedule: int, from_: datetime, to: datetime
) -> tuple[tuple[Shift, ...], datetime, datetime]:
    """The shifts of a schedule as they were stored, and the part of [from_, to) that they tell of.

    Nothing is known of the time before the first and after the last of them.
    """
    (known,) = await rows(
        connection,
        "SELECT min(lower(during)) AS since, max(upper(during)) AS until FROM shift"
        " WHERE team_id = $1 AND schedule_id = $2",
        team,
        schedule,
    )
    begin, end = known["since"] or to, known["until"] or to
    begin, end = max(begin, from_), min(end, to)
    if end <= begin:
        return (), begin, begin
    found = await rows(
        connection,
        "SELECT u.name, lower(during) AS begins, upper(during) AS ends, why FROM shift"
        " JOIN app_user u ON u.id = user_id WHERE team_id = $1 AND schedule_id = $2"
        " AND during && tstzrange($3, $4) ORDER BY lower(during), shift.id",
        team,
        schedule,
        begin,
        end,
    )
    stored = (Shift(r["name"], r["begins"], r["ends"], AsBefore(r["why"])) for r in found)
    return tuple(stored), begin, end
