"""Tells people something that is about no alert, by the contact methods of their own rules."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from tocsin.core.dutywords import Said
from tocsin.core.escalation import OneUser
from tocsin.core.kinds import Urgency
from tocsin.core.localtime import UnknownZone, check_zone
from tocsin.core.rules import Person, pages
from tocsin.store.db import Connection
from tocsin.store.outbox import plan_notices
from tocsin.store.paging import TeamContext, team_contexts


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to be told to one person of a team."""

    team: int
    user: int
    said: Said


async def tell(
    connection: Connection,
    team: int,
    users: Iterable[int],
    said: Said,
    now: datetime,
    *,
    urgency: Urgency = Urgency.NORMAL,
) -> None:
    """Promise a notice to each of these people once, as `tell_each` does."""
    notices = [Notice(team, user, said) for user in dict.fromkeys(users)]
    await tell_each(connection, notices, now, urgency=urgency)


async def tell_each(
    connection: Connection,
    notices: Sequence[Notice],
    now: datetime,
    *,
    urgency: Urgency = Urgency.NORMAL,
    contexts: Mapping[int, TeamContext] | None = None,
) -> None:
    """Promise these notices, in the caller's transaction.

    Each goes the way of the person's first rule for normal alerts, all that ring at that same
    moment; to every contact method of somebody without one. Somebody inactive is told nothing. What
    is urgent goes the same way, and is not held by the quiet hours of a person on duty. `contexts`
    are the teams where the caller knows them, with everybody who is told.
    """
    if not notices:
        return
    if contexts is None:
        users = {OneUser(one.user) for one in notices}
        contexts = await team_contexts(connection, {one.team for one in notices}, now, users)
    planned: list[tuple[int, int, Mapping[str, str]]] = []
    for one in notices:
        context = contexts[one.team]
        person = context.people.get(one.user)
        if person is not None:
            words = msgspec.to_builtins(one.said(zone_of(person, context)))
            planned += [(one.team, method, words) for method in _methods(person, now)]
    await plan_notices(connection, planned, now, urgency)


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
