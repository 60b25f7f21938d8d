"""Told at once: people who are put on duty and may not answer alerts."""

from collections.abc import Iterable
from datetime import datetime

from tocsin.core.localtime import wall_clock
from tocsin.store.db import Connection
from tocsin.store.unable import unable_on_duty


async def unable(connection: Connection, teams: Iterable[int], now: datetime) -> tuple[str, ...]:
    """One line for each person and schedule, with the shift that comes first."""
    return tuple(
        f"{one.user} is on duty in {one.team}/{one.schedule} from"
        f" {wall_clock(max(one.since, now), one.time_zone):%Y-%m-%d %H:%M} ({one.time_zone})"
        f" and may not answer alerts there: {one.why}"
        for one in await unable_on_duty(connection, teams, now)
    )
