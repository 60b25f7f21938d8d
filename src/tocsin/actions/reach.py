"""Whoever is on duty, or soon will be, can be reached; else there is an alert before the shift."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tocsin.actions.own import KIND, close_own, raise_own
from tocsin.actions.targets import REMEDY, out_of_reach
from tocsin.actions.world import World
from tocsin.core.kinds import Severity
from tocsin.core.localtime import wall_clock
from tocsin.core.notation import utc_text
from tocsin.egress import Guard
from tocsin.store.methods import channel_settings
from tocsin.store.outbox import claim_job
from tocsin.store.reachable import Coming, coming, open_keys

AHEAD = timedelta(hours=12)
_EVERY = timedelta(minutes=1)
_PREFIX = "unreachable:"


async def check_reach(world: World) -> None:
    """Raise an alert for each shift whose person has no working contact method.

    It closes by itself when a method works again, or when the person is not on duty any more. One
    that somebody closed by hand is not raised again for the same shift.
    """
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        if not await claim_job(connection, "reach", _EVERY, now):
            return
        on_duty = await coming(connection, now, now + AHEAD)
        known = await open_keys(connection, KIND, _PREFIX)
        media = {channel for one in on_duty for channel, _ in one.ways}
        settings = await channel_settings(connection, media)
    reached = {(one.team, _key(one)): why_not(one, settings, world) for one in on_duty}
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


def why_not(one: Coming, settings: Mapping[str, Mapping[str, Any]], world: World) -> str | None:
    """Why no page reaches this person, and what helps; None where a contact method works.

    `settings` are those of each channel; nothing is sent to find out.
    """
    if not one.active:
        return "The user is deactivated: activate it, or put somebody else on duty."
    if not one.able:
        return "They may not answer alerts of this team: make them a member who may."
    if not one.methods:
        return "There is no contact method: enter one."
    if not one.ways:
        return "Every contact method is switched off: switch one on."
    faults: list[str] = []
    for channel, address in one.ways:
        fault = _fault(world, channel, address, settings.get(channel, {}))
        if fault is None:
            return None
        faults.append(fault)
    return f"No contact method can be used: {'; '.join(dict.fromkeys(faults))}."


def _fault(world: World, channel: str, address: str, settings: Mapping[str, Any]) -> str | None:
    load = world.plug_ins.channels.get(channel)
    if load is None:
        return f"the channel {channel} is not installed here"
    try:
        if (fault := load().check_settings(settings)) is not None:
            return f"settings.channels.{channel}: {fault}"
        if (fault := load().check_address(address)) is not None:
            return f"{channel} {address}: {fault}"
    except Exception as broken:  # noqa: BLE001 - one plug-in must not keep others from being looked at
        return f"the channel {channel} cannot be used: {broken!r}"
    host = out_of_reach(address, Guard.of(world.allow_private))
    return None if host is None else f"{host} is not public: {REMEDY}"


def _key(one: Coming) -> str:
    return f"{_PREFIX}{one.user}:{utc_text(one.since)}"


def _title(one: Coming) -> str:
    since = f"{wall_clock(one.since, one.time_zone):%Y-%m-%d %H:%M} ({one.time_zone})"
    return f"{one.user} is on duty from {since} and cannot be reached"
