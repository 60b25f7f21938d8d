"""Tells people something that is about no alert, by the contact methods of their own rules."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from tocsin.core.dutywords import Said
from tocsin.core.escalation import OneUser
from tocsin.core.kinds import Urgency
from tocsin.core.localtime import UnknownZone, check_zone
from tocsin.core.rules import Person, pages
from tocsin.store.db import Connection
from tocsin.store.outbox import plan_notice
from tocsin.store.paging import TeamContext, team_context


async def tell(
    connection: Connection,
    team: int,
    users: Iterable[int],
    said: Said,
    now: datetime,
    *,
    urgency: Urgency = Urgency.NORMAL,
) -> None:
    """Promise a notice to each of these people once, in the caller's transaction.

    It goes the way of their first rule for normal alerts, all that ring at that same moment; to
    every contact method of somebody without one. Somebody inactive is told nothing. What is urgent
    goes the same way, and is not held by the quiet hours of a person on duty.
    """
    wanted = list(dict.fromkeys(users))
    if not wanted:
        return
    context = await team_context(connection, team, now, [OneUser(user) for user in wanted])
    for user in wanted:
        person = context.people.get(user)
        if person is not None:
            words = msgspec.to_builtins(said(zone_of(person, context)))
            for method in _methods(person, now):
                await plan_notice(connection, team, method, words, now, urgency)


def zone_of(person: Person, context: TeamContext) -> str:
    """The zone in which somebody reads times: their own, else the team's."""
    try:
        check_zone(person.time_zone or context.time_zone)
    except UnknownZone:  # a row written by hand is no reason to tell nobody
        return "UTC"
    return person.time_zone or context.time_zone


def _methods(person: Person, now: datetime) -> list[int]:
    due = pages(person, Urgency.NORMAL, now)
    return [page.method for page in due if page.due_at == due[0].due_at]
