"""The time off of a team's people."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from tocsin.core.notation import listing, mapping, moment
from tocsin.core.schedule import Absence
from tocsin.store import imports
from tocsin.store.db import Connection, rows


@dataclass(frozen=True, slots=True)
class TimeOff:
    """What a team's definition and its calendars say of absences; wall times are of its zone."""

    team: int
    name: str
    time_zone: str
    absences: tuple[Absence, ...]


async def time_off(connection: Connection, teams: Iterable[int]) -> list[TimeOff]:
    """Those of these teams that have any, by name."""
    found = await rows(
        connection,
        "SELECT id, name, time_zone, body -> 'time_off' AS time_off FROM team"
        " WHERE id = ANY($1::int[]) ORDER BY name",
        list(teams),
    )
    every: list[TimeOff] = []
    for row in found:
        absences = absences_of(msgspec.json.decode(row["time_off"] or "null"))
        absences += await imports.absences_in(connection, row["id"])
        if absences:
            every.append(TimeOff(row["id"], row["name"], row["time_zone"], absences))
    return every


def absences_of(value: object) -> tuple[Absence, ...]:
    """Absences as the configuration writes them. Raises `ValueError`, `KeyError`."""
    return tuple(
        Absence(str(one["user"]), moment(str(one["from"])), moment(str(one["to"])))
        for one in map(mapping, listing(value))
    )
