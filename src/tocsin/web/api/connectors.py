"""Calls about how connectors stand."""

from typing import Any

from fastapi import APIRouter

from tocsin.actions.shown import instant
from tocsin.store.configuration import Kind
from tocsin.store.named import Found
from tocsin.store.outbox import poll_now
from tocsin.store.states import connector_state
from tocsin.web.api import finding
from tocsin.web.api.asking import Asking, PollConnectors, ReadTeamConfiguration
from tocsin.web.api.bodies import Name
from tocsin.web.api.configuration import shown
from tocsin.web.api.selecting import Selection

router = APIRouter(tags=["connectors"])

Object = dict[str, Any]


@router.get("/connectors/{given}", summary="One connector with its state")
async def get_connector(
    asking: ReadTeamConfiguration, given: str, team: Name | None = None
) -> Object:
    """Its definition without secrets; `state` says what was read and what is to be written."""
    definition = await shown(asking, Kind.CONNECTOR, given, Selection(team=team))
    return definition | {"state": await _state(asking, await _found(asking, given, team))}


@router.post("/connectors/{given}/poll", status_code=202, summary="Poll now")
async def poll(asking: PollConnectors, given: str, team: Name | None = None) -> Object:
    """Answers the state at once; the poll follows."""
    found = await _found(asking, given, team)
    world = asking.world
    async with world.database.transaction() as connection:
        await poll_now(connection, found.team, found.row, world.clock.now())
    world.wake()
    await world.database.notify()
    return {"name": found.name, "state": await _state(asking, found)}


async def _found(asking: Asking, given: str, team: str | None) -> Found:
    async with asking.world.database.transaction() as connection:
        return await finding.in_team(connection, asking, "connector", given, team)


async def _state(asking: Asking, found: Found) -> Object:
    async with asking.world.database.transaction() as connection:
        state = await connector_state(connection, found.team, found.row)
    now = asking.world.clock.now()
    lag = None if state.watermark is None else (now - state.watermark).total_seconds()
    return {
        "last_poll_at": instant(state.last_poll_at),
        "last_success_at": instant(state.last_success_at),
        "next_poll_at": instant(state.next_poll_at),
        "watermark": instant(state.watermark),
        "lag_seconds": lag,
        "last_error": state.last_error,
        "failures": state.failures,
        "pending_writes": state.pending_writes,
    }
