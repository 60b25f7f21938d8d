"""Whoever is on duty, or soon will be, can be reached; else there is an alert before the shift."""

from collections.abc import Collection
from datetime import timedelta

from tocsin.actions.own import KIND, close_own, raise_own
from tocsin.actions.world import World
from tocsin.core.kinds import Severity
from tocsin.core.localtime import wall_clock
from tocsin.core.notation import utc_text
from tocsin.store.outbox import claim_job
from tocsin.store.reachable import Coming, coming, open_keys

AHEAD = timedelta(hours=12)
_EVERY = timedelta(minutes=1)
_PREFIX = "unreachable:"


async def check_reach(world: World) -> None:
    """Raise an alert for each shift whose person has no working contact method, once per shift.

    It closes by itself when a method works again, or when the person is not on duty any more.
    """
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        if not await claim_job(connection, "reach", _EVERY, now):
            return
        on_duty = await coming(connection, now, now + AHEAD)
        known = await open_keys(connection, KIND, _PREFIX)
    installed = world.plug_ins.channels.keys()
    reached = {(one.team, _key(one)): why_not(one, installed) for one in on_duty}
    for one in on_duty:
        why = reached[one.team, _key(one)]
        if why is not None:
            text = f"{why} Pages of this team that mean {one.user} reach nobody until then."
            await raise_own(world, one.team, _key(one), _title(one), text, Severity.HIGH, once=True)
    for team, key in known:
        if (team, key) not in reached:
            await close_own(world, team, key, "Not on duty then any more.")
        elif reached[team, key] is None:
            await close_own(world, team, key, "A contact method works again.")


def why_not(one: Coming, installed: Collection[str]) -> str | None:
    """Why no page reaches this person, and what helps; None where a contact method works."""
    if not one.active:
        return "The user is deactivated: activate it, or put somebody else on duty."
    if not one.methods:
        return "There is no contact method: enter one."
    if not one.channels:
        return "Every contact method is switched off: switch one on."
    if not set(one.channels) & set(installed):
        names = ", ".join(sorted(set(one.channels)))
        return f"No channel of the contact methods is installed here ({names}): enter another."
    return None


def _key(one: Coming) -> str:
    return f"{_PREFIX}{one.user}:{utc_text(one.since)}"


def _title(one: Coming) -> str:
    since = f"{wall_clock(one.since, one.time_zone):%Y-%m-%d %H:%M} ({one.time_zone})"
    return f"{one.user} is on duty from {since} and cannot be reached"
