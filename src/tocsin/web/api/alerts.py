"""Calls about alerts: list, read, raise by hand."""

import asyncio
import base64
import binascii
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from tocsin.actions.desk import Desk
from tocsin.actions.intake import Accepted, Overloaded, Posted, Unstored
from tocsin.actions.shown import alert_object, instant, plain, users_of
from tocsin.core.alert import Alert
from tocsin.core.event import Event
from tocsin.core.kinds import Actor, Via
from tocsin.store import alerts, named, names
from tocsin.store.db import Connection
from tocsin.web.api import finding
from tocsin.web.api.asking import Asking, RaiseAlerts, ReadAlerts
from tocsin.web.api.bodies import AlertQuery, NewAlert
from tocsin.web.api.finding import TeamRef
from tocsin.web.problems import Problem, not_found

router = APIRouter(tags=["alerts"])

Object = dict[str, Any]


@router.get("/alerts", summary="Alerts, newest first")
async def list_alerts(asking: ReadAlerts, wanted: Annotated[AlertQuery, Query()]) -> Object:
    """Only those of the caller's teams."""
    async with asking.world.database.transaction() as connection:
        teams = await finding.teams_seen(connection, asking)
        if wanted.team is not None:
            one = await finding.team(connection, asking, wanted.team)
            teams = {one.id: one.name}
        found = await alerts.search(connection, await _filter(connection, asking, wanted, teams))
        page = found[: wanted.limit]
        items = await shown(connection, page, teams)
    more = len(found) > len(page)
    return {"items": items, "next": _cursor(page[-1]) if more else None}


@router.post("/alerts", status_code=201, summary="Raise an alert by hand")
async def raise_alert(asking: RaiseAlerts, body: NewAlert, response: Response) -> Object:
    """201 and the alert; 200 when `external_id` is of an open alert, which is counted.

    With `teams` one alert per team, and 201 with all of them.
    """
    async with asking.world.database.transaction() as connection:
        teams = [await finding.team(connection, asking, name) for name in _team_names(body)]
        await _check_category(connection, teams, body.category)
    teams = list({team.id: team for team in teams}.values())
    accepted = await _accept(asking, body, teams)
    async with asking.world.database.transaction() as connection:
        raised = [alert for done in accepted for alert in done.alerts]
        items = await shown(connection, raised, {team.id: team.name for team in teams})
    created = [item for item, done in zip(items, accepted, strict=True) if done.created]
    if len(created) == 1:
        response.headers["Location"] = f"/api/v1/alerts/{created[0]['id']}"
    if body.teams is not None:
        return {"items": items, "next": None}
    response.status_code = 201 if created else 200
    return items[0]


@router.get("/alerts/{alert_id}", summary="One alert")
async def get_alert(asking: ReadAlerts, alert_id: str) -> Object:
    """The alert object, and whether its policy was changed since it was copied to the alert."""
    async with asking.world.database.transaction() as connection:
        alert = await loaded(connection, asking, alert_id)
        desk = Desk(connection, asking.world.clock.now())
        item = (await shown(connection, [alert]))[0]
        return {**item, "policy_changed": await desk.policy_changed(alert)}


@router.get("/alerts/{alert_id}/timeline", summary="What happened to it")
async def get_timeline(asking: ReadAlerts, alert_id: str) -> Object:
    """Oldest first."""
    async with asking.world.database.transaction() as connection:
        alert = await loaded(connection, asking, alert_id)
        found = await alerts.timeline(connection, alert.team, alert.id)
    items = [
        {
            "id": str(row["id"]),
            "at": instant(row["at"]),
            "kind": row["kind"],
            "by": row["by_name"],
            "via": row["via"],
            "data": plain(row["data"]),
        }
        for row in found
    ]
    return {"items": items, "next": None}


async def loaded(connection: Connection, asking: Asking, alert_id: str) -> Alert:
    """The alert with this id, if the caller may do with it what they ask."""
    team, row = finding.alert(alert_id)
    asking.in_team(team, "alert", alert_id)
    alert = await alerts.get(connection, team, row)
    if alert is None:
        raise not_found("alert", alert_id)
    return alert


async def shown(
    connection: Connection, found: Iterable[Alert], teams: dict[int, str] | None = None
) -> list[Object]:
    """Alert objects, with the names that they need."""
    found = list(found)
    if teams is None:
        teams = await names.team_names(connection, {alert.team for alert in found})
    users = await names.user_names(
        connection, {user for alert in found for user in users_of(alert)}
    )
    return [
        alert_object(alert, teams.get(alert.team, f"team {alert.team}"), users) for alert in found
    ]


async def _filter(
    connection: Connection, asking: Asking, wanted: AlertQuery, teams: dict[int, str]
) -> alerts.Filter:
    integrations: tuple[int, ...] | None = None
    if wanted.integration is not None:
        one = await finding.in_team(
            connection, asking, "integration", wanted.integration, wanted.team
        )
        integrations, teams = (one.row,), {one.team: teams[one.team]}
    return alerts.Filter(
        teams=tuple(teams),
        statuses=tuple(status.value for status in wanted.status),
        severities=tuple(severity.value for severity in wanted.severity),
        source=wanted.source,
        integrations=integrations,
        external_id=wanted.external_id,
        text=wanted.q,
        since=wanted.since,
        before=None if wanted.cursor is None else _before(wanted.cursor),
        limit=wanted.limit + 1,
    )


async def _check_category(
    connection: Connection, teams: Sequence[TeamRef], category: str | None
) -> None:
    if category is None:
        return
    having = {
        found.team
        for found in await named.by_name(
            connection, "category", [team.id for team in teams], category
        )
    }
    for team in teams:
        if team.id not in having:
            raise Problem(
                422,
                f"The team {team.name} has no category {category[:80]!r}.",
                "Use one of its categories, or leave it out.",
            )


async def _accept(asking: Asking, body: NewAlert, teams: Sequence[TeamRef]) -> list[Accepted]:
    caller = asking.caller
    event = Event(
        title=body.title,
        text=body.text,
        external_id=body.external_id,
        severity=body.severity if "severity" in body.model_fields_set else None,
        mode=body.mode,
        category=body.category,
        source_name=caller.name,
        details=body.details,
    )
    by = Actor(caller.name, caller.user, Via.API)
    posts = [
        Posted(team=team.id, name=caller.name, inlet="api", said=(event,), actor=by)
        for team in teams
    ]
    try:
        return list(
            await asyncio.gather(*(asking.doors.parts.intake.accept(post) for post in posts))
        )
    except (Overloaded, Unstored):
        raise Problem(
            503,
            "It could not be stored just now.",
            "Send it again after the time in Retry-After; an `external_id` keeps it from doubling.",
            headers={"Retry-After": "5"},
        ) from None


def _team_names(body: NewAlert) -> list[str]:
    if (body.team is None) == (body.teams is None):
        raise Problem(422, "Give either `team` or `teams`.", "Name the team that is to be paged.")
    return body.teams if body.teams is not None else [body.team or ""]


def _cursor(alert: Alert) -> str:
    text = f"{alert.created_at.isoformat()} {alert.id.hex}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _before(cursor: str) -> tuple[datetime, UUID]:
    bad = Problem(
        422, "`cursor` is none that this list handed out.", "Use `next` of the page before."
    )
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        at, _, row = text.partition(" ")
        moment = datetime.fromisoformat(at)
        before = moment.astimezone(UTC), UUID(row)
    except (ValueError, OverflowError, binascii.Error):
        raise bad from None
    if moment.tzinfo is None:
        raise bad
    return before
