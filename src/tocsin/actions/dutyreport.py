"""The hours that people of a team were on duty in a month, as a table for spreadsheets."""

import re
from datetime import datetime

from tocsin.actions.configure import ConfigureError, Fault
from tocsin.actions.world import World
from tocsin.core.dutycsv import Duty, merged, write_hours
from tocsin.core.localtime import resolve
from tocsin.store.dutyhours import duties_between
from tocsin.store.named import zone_of

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


async def hours_of_month(world: World, team: int, month: str) -> str:
    """The duty of a team in a month of its zone, up to now, by shift and punched in.

    `month` is like `2026-11`. Raises `ConfigureError` for another text, and for a month to come.
    """
    now = world.clock.now()
    async with world.database.transaction() as connection:
        zone = await zone_of(connection, team)
        from_, to = _ends(month, zone)
        if from_ > now:
            raise ConfigureError([Fault(("month",), "it has not begun yet")])
        found = await duties_between(connection, team, from_, min(to, now))
    return write_hours(merged(Duty(*one) for one in found), zone)


def _ends(month: str, zone: str) -> tuple[datetime, datetime]:
    found = _MONTH.fullmatch(month)
    year, number = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1901 <= year <= 8899:
        raise ConfigureError([Fault(("month",), "write a year and a month, like 2026-11")])
    following = (year + 1, 1) if number == 12 else (year, number + 1)
    return (
        resolve(datetime(year, number, 1), zone),  # noqa: DTZ001 - the zone's wall clock
        resolve(datetime(*following, 1), zone),  # noqa: DTZ001 - the zone's wall clock
    )
