"""One golden night: how it is set up, what is foreseen of it, and what happened then."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from tests.nights.night import Night
from tocsin.actions.foresee import Foreseen, Kind, Line
from tocsin.core.changes import Change
from tocsin.core.kinds import Severity
from tocsin.store.db import Row, rows, run

MESSAGES = {"alert": "page", "update": "message", "acknowledged": "message", "resolved": "message"}
ADDRESS = "http://127.0.0.1:9/"


START = datetime(2026, 11, 24, 2, 58, tzinfo=UTC)


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def minutes(count: float) -> timedelta:
    """A length of time."""
    return timedelta(minutes=count)


@dataclass(frozen=True, kw_only=True)
class Act:
    """What somebody does to the installation, or answers, so long after the beginning."""

    after: timedelta
    sql: str | None = None
    asks: Change | None = None


@dataclass(frozen=True, kw_only=True)
class Golden:
    """A night. `shows` are lines that must be among those that happened, or it shows nothing.

    `dead` names phones (the last part of their address) that take no messages; `failing` says the
    same to whoever foresees it, by the name of the contact method.
    """

    name: str
    start: datetime
    lasts: timedelta
    shows: tuple[str, ...]
    setup: tuple[str, ...] = ()
    severity: Severity = Severity.HIGH
    category: str | None = None
    title: str = "Pump down"
    dead: frozenset[str] = frozenset()
    failing: frozenset[str] = frozenset()
    acts: tuple[Act, ...] = ()


def foretold(found: Foreseen, until: datetime) -> list[str]:
    """The lines that are foreseen up to a moment, in an order of their own."""
    return sorted(_foretold(line) for line in found.lines if line.at <= until)


def _foretold(line: Line) -> str:
    if line.kind in {Kind.PAGE, Kind.MESSAGE, Kind.CALL, Kind.FAILED, Kind.QUIET}:
        return _message(
            line.at, line.kind, line.person, line.contact_method, line.step, line.attempt
        )
    if line.kind in {Kind.RELIEVED, Kind.THROTTLED}:
        return _message(
            line.at, line.kind, line.person, line.contact_method, line.step, line.attempt
        )
    place = (line.round, line.step)
    return _told(line.at, line.kind, line.people, line.unreachable, place, line.reason)


@dataclass(frozen=True)
class Mark:
    """How far the night was told before."""

    taken: int = 0
    timeline: int = 0
    ledger: int = 0


async def mark(night: Night) -> Mark:
    """Where the night stands."""
    async with night.world.database.transaction() as connection:
        (found,) = await rows(
            connection,
            "SELECT (SELECT coalesce(max(id), 0) FROM timeline) AS timeline,"
            " (SELECT coalesce(max(id), 0) FROM ledger) AS ledger",
        )
    return Mark(len(night.taken), found["timeline"], found["ledger"])


async def happened(night: Night, since: Mark) -> list[str]:
    """The lines that happened since: what phones took, and what timeline and ledger say."""
    async with night.world.database.transaction() as connection:
        timeline = await rows(
            connection,
            "SELECT at, kind, data FROM timeline WHERE id > $1 AND kind <> 'throttled'",
            since.timeline,
        )
        ledger = await rows(
            connection,
            "SELECT l.at, l.state, l.detail, n.webhook, n.step, n.attempt, u.name AS person,"
            " c.name AS method FROM ledger l JOIN notification n ON n.id = l.notification_id"
            " LEFT JOIN app_user u ON u.id = n.user_id LEFT JOIN contact_method c"
            " ON c.id = n.method_id WHERE l.id > $1",
            since.ledger,
        )
    messages = [
        _message(
            one.at,
            "call" if not one.user else MESSAGES[one.kind],
            one.user or None,
            one.contact_method,
            one.step,
            one.attempt,
        )
        for one in night.taken[since.taken :]
    ]
    return sorted(
        [*messages, *(_entry(row) for row in timeline), *filter(None, map(_unsent, ledger))]
    )


def _entry(row: Row) -> str:
    data = msgspec.json.decode(row["data"])
    kind = "held" if "held_until" in data else row["kind"]
    people = data.get("told" if kind == "nobody_answered" else "people") or ()
    reason = data.get("reason") or data.get("suppressed") or data.get("comment")
    place = (data.get("round"), data.get("step"))
    return _told(row["at"], kind, people, data.get("unreachable") or (), place, reason)


def _unsent(row: Row) -> str | None:
    detail = row["detail"] or ""
    kind = next((kind for words, kind in _SAID.items() if detail.startswith(words)), None)
    if row["state"] == "failed":
        kind = "failed"
    if kind is None:
        return None
    method = row["webhook"] or row["method"]
    return _message(row["at"], kind, row["person"], method, row["step"] + 1, row["attempt"])


_SAID: Mapping[str, str] = {
    "quiet hours": "quiet",
    "relieved by": "relieved",
    "waits ": "throttled",
}


def _message(
    at: datetime,
    kind: str,
    person: str | None,
    method: str | None,
    step: int | None,
    attempt: int | None,
) -> str:
    return f"{at:%d %H:%M:%S} {kind}: {person or '-'} by {method}, step {step}, {attempt}"


def _told(
    at: datetime,
    kind: str,
    people: Iterable[str],
    unreachable: Iterable[str],
    place: tuple[int | None, int | None],
    reason: object,
) -> str:
    where = "" if place[1] is None else f" {place[0]}.{place[1]}"
    lost = ", ".join(unreachable)
    words = [", ".join(people), f"not {lost}" if lost else "", f"({reason})" if reason else ""]
    return f"{at:%d %H:%M:%S} {kind}{where}: {' '.join(filter(None, words))}"


def policy(*steps: Mapping[str, object], **more: object) -> str:
    """The team's policy has these steps."""
    body = _json({"steps": steps, **more})
    return f"UPDATE escalation_policy SET body = {body} WHERE team_id = 1 AND id = 1"


def another_policy(name: str, *steps: Mapping[str, object], **more: object) -> str:
    """A further policy of the team."""
    return (
        "INSERT INTO escalation_policy (team_id, id, name, body) OVERRIDING SYSTEM VALUE VALUES"
        f" (1, 50, '{name}', {_json({'steps': steps, **more})})"
    )


def step(*notify: Mapping[str, object], wait: str = "2m", **more: object) -> dict[str, object]:
    """One step."""
    return {"notify": notify, "wait": wait, **more}


DUTY = {"duty": 1}
ADA = {"user": "ada"}
USERS = {"mara": 1, "jonas": 2, "ada": 3}
NO_SHIFTS = "DELETE FROM shift"
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def shift(user: str, since: str, until: str, tier: str = "1", team: int = 1) -> str:
    """Somebody's shift; times in UTC, or with an offset."""
    return (
        "INSERT INTO shift (team_id, schedule_id, tier, user_id, during, why) VALUES"
        f" ({team}, 1, '{tier}', {USERS[user]}, tstzrange('{since}', '{until}'), 'rotation')"
    )


def rules(user: str, *bodies: Mapping[str, object], urgency: str = "urgent") -> tuple[str, ...]:
    """A person's rules of an urgency, in place of those before."""
    person = USERS[user]
    return (
        f"DELETE FROM notification_rule WHERE user_id = {person} AND urgency = '{urgency}'",
        *(
            "INSERT INTO notification_rule (id, user_id, urgency, position, body) VALUES"
            f" ({number}, {person}, '{urgency}', {place}, {_json(body)})"
            for place, body in enumerate(bodies)
            for number in (100 * person + 10 * len(urgency) + place,)
        ),
    )


def rule(via: str, after: str = "0s", every: str | None = None) -> dict[str, object]:
    """One rule."""
    return {"after": after, "via": via, **({"repeat_every": every} if every else {})}


def method(user: str, name: str, number: int) -> str:
    """A further contact method; its phone is called like `mara-sms`."""
    return (
        "INSERT INTO contact_method (id, user_id, name, channel, address) VALUES"
        f" ({number}, {USERS[user]}, '{name}', 'webhook', '{ADDRESS}{user}-{name}')"
    )


def category(name: str, **body: object) -> str:
    """A category of the team."""
    return f"INSERT INTO category (team_id, name, body) VALUES (1, '{name}', {_json(body)})"


def punch(user: str, since: str, until: str, tier: str = "1") -> str:
    """Somebody who is on duty by hand."""
    return (
        "INSERT INTO punch (team_id, user_id, tier, during, by_name) VALUES"
        f" (1, {USERS[user]}, '{tier}', tstzrange('{since}', '{until}'), 'ada')"
    )


def window(name: str, since: str, until: str, **more: object) -> str:
    """A maintenance window of the team, in its wall-clock time."""
    body = {"team": "soc", "from": since, "to": until, "reason": "new disks", **more}
    return (
        f"INSERT INTO maintenance_window (name, team_id, body) VALUES ('{name}', 1, {_json(body)})"
    )


def team(**body: object) -> str:
    """What the configuration says of the team besides."""
    return f"UPDATE team SET body = body || {_json(body)} WHERE id = 1"


def another_team(*steps: Mapping[str, object]) -> tuple[str, ...]:
    """A team `noc` of jonas, with a policy `night` of these steps."""
    return (
        "INSERT INTO team (id, name, time_zone) VALUES (2, 'noc', 'America/New_York')",
        "INSERT INTO membership (user_id, team_id, position) VALUES (2, 2, 0)",
        (
            "INSERT INTO escalation_policy (team_id, name, body) VALUES"
            f" (2, 'night', {_json({'steps': steps})})"
        ),
    )


def webhook(name: str) -> str:
    """An outgoing webhook."""
    body = {"url": f"{ADDRESS}{name}"}
    return f"INSERT INTO stored (path, body) VALUES ('webhooks/{name}', {_json(body)})"


def person(user: str, **body: object) -> str:
    """What the configuration says of somebody besides."""
    return f"UPDATE app_user SET body = body || {_json(body)} WHERE id = {USERS[user]}"


def _json(body: object) -> str:
    return f"'{json.dumps(body)}'"


async def do(night: Night, statements: Sequence[str]) -> None:
    """Run SQL."""
    async with night.world.database.transaction() as connection:
        for statement in statements:
            await run(connection, statement)
