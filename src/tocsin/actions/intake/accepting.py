"""Turns what senders said into alerts, a whole batch in one transaction."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from tocsin.actions.desk import Desk
from tocsin.actions.intake.flapping import Key, damped, raised_lately
from tocsin.actions.intake.posted import Posted
from tocsin.actions.intake.seeding import seed_of
from tocsin.core.alert import Alert, Changed, apply
from tocsin.core.changes import (
    Acknowledged,
    Annotated,
    Change,
    Closed,
    Raised,
    SeenAgain,
    SeverityRaised,
)
from tocsin.core.escalation import EscalationPlan, Policy
from tocsin.core.event import Answer, AnswerKind, Event
from tocsin.core.kinds import Actor, Status, Via
from tocsin.core.routing import urgency
from tocsin.store import alerts, plans
from tocsin.store.alerts import Saved
from tocsin.store.db import Connection
from tocsin.store.events import RawEvent, keep_events
from tocsin.store.uuids import uuid7


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of one request: the id of its event, and the alerts that it touched."""

    event: UUID
    received_at: datetime
    alerts: tuple[Alert, ...]
    created: bool


class NumbersUsedUpError(Exception):
    """More alerts were raised than numbers reserved, or the team was removed meanwhile."""


@dataclass(slots=True)
class Batch:
    """The alerts of one transaction: found by key, changed in memory, written at the end.

    `open` holds those with a key, as loaded or as raised here; `changed` what is to be written;
    `raised` how often a key was raised lately.
    """

    desk: Desk
    numbers: Mapping[int, Iterator[int]]
    open: dict[tuple[int, str], Saved] = field(default_factory=dict[tuple[int, str], Saved])
    changed: dict[UUID, Saved] = field(default_factory=dict[UUID, Saved])
    plans: set[tuple[int, str]] = field(default_factory=set[tuple[int, str]])
    raised: dict[Key, int] = field(default_factory=dict[Key, int])

    def number(self, team: int) -> int:
        """The next free number of a team. Raises `NumbersUsedUpError`."""
        number = next(self.numbers.get(team, iter(())), None)
        if number is None:
            raise NumbersUsedUpError(f"no number is left for an alert of team {team}")
        return number

    def put(self, saved: Saved) -> UUID:
        """Remember an alert after a change."""
        alert = saved.alert
        self.changed[alert.id] = saved
        if alert.external_id is not None:
            key = (alert.team, alert.external_id)
            if alert.status is Status.CLOSED:
                self.open.pop(key, None)
            else:
                self.open[key] = saved
        return alert.id


async def accept(
    connection: Connection,
    posted: Sequence[Posted],
    numbers: Mapping[int, Iterable[int]],
    now: datetime,
) -> tuple[list[Accepted], alerts.Written | None]:
    """Handle `posted` in order.

    Raises `alerts.KeyTaken` when another process was first, and `NumbersUsedUpError`. `numbers`
    holds alert numbers for each team; they are used in their order.
    """
    batch = Batch(
        Desk(connection, now), numbers={team: iter(free) for team, free in numbers.items()}
    )
    await _load_open(batch, connection, posted)
    await batch.desk.prepare(_asking(batch, posted))
    batch.raised = await raised_lately(connection, posted, batch.open.keys(), now)
    accepted = [await _one(batch, item) for item in posted]
    changed = list(batch.changed.values())
    written = await alerts.save(connection, changed, now) if changed else None
    await keep_events(
        connection,
        [
            RawEvent(
                team=item.team,
                id=done.event,
                integration=item.integration,
                received_at=now,
                content=item.raw,
                media_type=item.media_type,
                alerts=tuple(alert.id for alert in done.alerts),
            )
            for item, done in zip(posted, accepted, strict=True)
            if item.integration is not None
        ],
    )
    return accepted, written


def new_alerts_at_most(posted: Sequence[Posted]) -> dict[int, int]:
    """How many new alerts each team can get from these requests."""
    counts: dict[int, int] = {}
    for item in posted:
        events = sum(isinstance(said, Event) for said in item.said)
        if events:
            counts[item.team] = counts.get(item.team, 0) + events
    return counts


async def _load_open(batch: Batch, connection: Connection, posted: Sequence[Posted]) -> None:
    keys = {
        (item.team, said.external_id)
        for item in posted
        for said in item.said
        if isinstance(said, (Event, Answer)) and said.external_id is not None
    }
    if not keys:
        return
    found = await alerts.open_by_key(connection, keys)
    batch.open.update({key: Saved(alert, (), whole=False) for key, alert in found.items()})


def _asking(batch: Batch, posted: Sequence[Posted]) -> set[int]:
    """The teams that are to be looked up: not those whose events only count on open alerts."""
    return {
        item.team
        for item in posted
        for said in item.said
        if isinstance(said, (Event, Answer))
        and isinstance(said, Event) != ((item.team, said.external_id or "") in batch.open)
    }


async def _one(batch: Batch, item: Posted) -> Accepted:
    touched: dict[UUID, None] = {}
    created = False
    for said in item.said:
        match said:
            case Event():
                alert, new = await _event(batch, item, said)
                touched[alert] = None
                created = created or new
            case Answer():
                answered = await _answer(batch, item, said)
                if answered is not None:
                    touched[answered] = None
            case _:
                pass  # hints, pings and queries have actions of their own
    alerts_ = tuple(batch.changed[alert].alert for alert in touched if alert in batch.changed)
    return Accepted(uuid7(batch.desk.now), batch.desk.now, alerts_, created)


async def _event(batch: Batch, item: Posted, event: Event) -> tuple[UUID, bool]:
    known = batch.open.get((item.team, event.external_id or ""))
    if known is not None:
        return batch.put(await _again(batch, item, event, known)), False
    by = item.actor or Actor(event.source_name or item.name, via=Via.INTEGRATION)
    seed, change = await _seed(batch, item, event, by)
    raised, _ = await batch.desk.follow(Saved(seed, (), new=True), change)
    if event.external_id is not None:
        key = (item.team, event.external_id)
        batch.raised[key] = batch.raised.get(key, 0) + 1
    return batch.put(raised), True


async def _again(batch: Batch, item: Posted, event: Event, known: Saved) -> Saved:
    """It is counted; where its sender says that it is worse by now, that is looked at too."""
    seen = _seen_again(known, batch.desk.now)
    if event.severity is None or event.severity.rank <= seen.alert.severity.rank:
        return seen
    categories = (await batch.desk.context(item.team)).categories
    louder = urgency(event.severity, seen.alert.category, categories)
    by = item.actor or Actor(event.source_name or item.name, via=Via.INTEGRATION)
    raised, _ = await batch.desk.follow(seen, SeverityRaised(event.severity, louder, by))
    return raised


def _seen_again(known: Saved, now: datetime) -> Saved:
    """Counting asks nobody and plans nothing, so nothing is looked up for it."""
    outcome = apply(known.alert, SeenAgain(), _NO_PLAN, now)
    return known.counted(outcome.alert) if isinstance(outcome, Changed) else known


_NO_PLAN = EscalationPlan(Policy(steps=()))


async def _answer(batch: Batch, item: Posted, answer: Answer) -> UUID | None:
    known = batch.open.get((item.team, answer.external_id))
    if known is None:
        return None
    by = item.actor or Actor(answer.by or item.name, via=Via.INTEGRATION)
    saved, outcome = await batch.desk.follow(known, _change(answer, by))
    return batch.put(saved) if isinstance(outcome, Changed) else None


def _change(answer: Answer, by: Actor) -> Change:
    match answer.kind:
        case AnswerKind.ACKNOWLEDGE:
            return Acknowledged(by, answer.comment)
        case AnswerKind.CLOSE:
            return Closed(by, answer.comment)
        case AnswerKind.ANNOTATE:
            return Annotated(by, answer.comment or "")


async def _seed(batch: Batch, item: Posted, event: Event, by: Actor) -> tuple[Alert, Raised]:
    context = await batch.desk.context(item.team)
    made = seed_of(context, item, event, by, batch.number(item.team), batch.desk.now)
    await _keep_plan(batch, item.team, made.policy, made.alert.policy)
    return made.alert, _unless_flapping(batch, made.alert, made.change)


def _unless_flapping(batch: Batch, seed: Alert, change: Raised) -> Raised:
    if change.suppressed is not None:
        return change
    key = (seed.team, seed.external_id or "")
    flaps = damped(batch.raised, key, batch.desk.now)
    return change if flaps is None else Raised(change.by, *flaps)


async def _keep_plan(batch: Batch, team: int, policy: Policy, digest: str) -> None:
    if (team, digest) not in batch.plans:
        await plans.keep(batch.desk.connection, team, [policy])
        batch.plans.add((team, digest))
