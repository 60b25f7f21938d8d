"""The notifications of one alert as the outbox would keep them, in memory only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tocsin.core.alert import Alert
from tocsin.core.effects import Call, Effect, Notify, Purpose, Withdraw
from tocsin.core.kinds import Status, Urgency
from tocsin.core.notification import PAGES, Promise, State
from tocsin.core.storm import Traffic

_Key = tuple[int | None, Purpose, datetime]


@dataclass(slots=True, kw_only=True, eq=False)
class Imagined:
    """One notification; its fields are those of the row that there would be."""

    promise: Promise
    urgency: Urgency
    round: int
    step: int
    due_at: datetime
    next_try_at: datetime
    webhook: str | None = None
    attempt: int = 1
    repeat_every: timedelta | None = None
    state: State = State.PLANNED
    sent_at: datetime | None = None

    @property
    def key(self) -> _Key:
        """What no two notifications of an alert share, unless one was taken back."""
        return self.promise.method, self.promise.purpose, self.due_at


REACHED = frozenset({State.SENT, State.DELIVERED, State.SEEN, State.ANSWERED, State.BUNDLED})
"""States in which a channel has accepted the message."""


@dataclass(slots=True)
class Outbox:
    """All notifications of the alert, those that still wait, and what was sent lately.

    `save` and `settle` do to them what the statements of `store.alerts` and `store.outbox` do to
    rows; the golden nights hold the two against each other.
    """

    every: list[Imagined] = field(default_factory=list[Imagined])
    traffic: dict[int, Traffic] = field(default_factory=dict[int, Traffic])
    waiting: list[Imagined] = field(default_factory=list[Imagined])
    _taken: dict[_Key, Imagined] = field(default_factory=dict[_Key, Imagined])
    _firsts: list[Imagined] = field(default_factory=list[Imagined])

    def put(self, one: Imagined) -> Imagined:
        """Add a notification, unless the same one is there already; returns the one that is."""
        if one.promise.method is not None and one.state is not State.CANCELLED:
            if (known := self._taken.get(one.key)) is not None:
                return known
            self._taken[one.key] = one
        self.every.append(one)
        if one.attempt == 1:
            self._firsts.append(one)
        if one.state is State.PLANNED:
            self.waiting.append(one)
        return one

    def save(self, alert: Alert, effects: Sequence[Effect], now: datetime) -> None:
        """Take back what a change takes back, then plan what it promises."""
        for effect in effects:
            if isinstance(effect, Withdraw):
                self._withdraw(effect)
        for effect in effects:
            if isinstance(effect, Notify | Call):
                self.put(_planned(alert, effect, now))

    def next_at(self) -> datetime | None:
        """When the first of those that wait is due."""
        return min((one.next_try_at for one in self.waiting), default=None)

    def due(self, now: datetime) -> list[Imagined]:
        """Those whose time has come, longest ago first."""
        found = [one for one in self.waiting if one.next_try_at <= now]
        return sorted(found, key=lambda one: one.due_at)

    def settle(self, one: Imagined, state: State, now: datetime) -> None:
        """What became of one that was due; it does not come again by itself."""
        one.state = state
        if state is State.SENT:
            one.sent_at = now
        if state is State.CANCELLED:
            self._taken.pop(one.key, None)
        self.waiting.remove(one)

    def repeat(self, one: Imagined, alert: Alert, at: datetime, now: datetime) -> None:
        """Plan the next repetition, where it is still wanted and no newer page has its own.

        Another page to the method at that moment stands for it, and goes on as often.
        """
        promise = one.promise
        wanted = alert.status is not Status.CLOSED
        if promise.purpose is Purpose.ESCALATION:
            current = alert.episode == promise.episode and alert.suppressed is None
            wanted = current and alert.status is Status.OPEN
        if wanted and not any(_newer(other, one) for other in self._firsts):
            again = replace(
                one,
                promise=replace(promise, planned_at=now),
                attempt=one.attempt + 1,
                due_at=at,
                next_try_at=at,
                state=State.PLANNED,
                sent_at=None,
            )
            standing = self.put(again)
            if standing is not again and standing.state is State.PLANNED:
                every = (standing.repeat_every, again.repeat_every)
                standing.repeat_every = min((e for e in every if e is not None), default=None)

    def move_up(self, failed: Iterable[Imagined], now: datetime) -> None:
        """The next page of whoever one of these did not reach is due now, by another method."""
        moved = {id(one): one for each in failed if (one := self._next(each, now)) is not None}
        for one in moved.values():
            self._taken.pop(one.key, None)
            one.due_at = one.next_try_at = now
            self._taken[one.key] = one

    def relieved(self, one: Imagined, alert: Alert) -> int | None:
        """The successor who was reached after one left duty; None where nobody was."""
        promise = one.promise
        if promise.purpose is not Purpose.ESCALATION:
            return None
        for leaving in alert.leaving:
            if leaving.user == promise.user and leaving.successors:
                return self._successor(one, leaving.successors)
        return None

    def _withdraw(self, effect: Withdraw) -> None:
        for one in list(self.waiting):
            purpose = one.promise.purpose
            meant = purpose is Purpose.ESCALATION or (
                effect.responders and purpose is Purpose.RESPONDER
            )
            if meant and (effect.users is None or one.promise.user in effect.users):
                one.state = State.CANCELLED
                self._taken.pop(one.key, None)
                self.waiting.remove(one)

    def _next(self, failed: Imagined, now: datetime) -> Imagined | None:
        mine = failed.promise
        if mine.purpose not in PAGES or mine.user is None:
            return None
        following = [
            one
            for one in self.waiting
            if one.promise.user == mine.user
            and one.promise.episode == mine.episode
            and one.promise.purpose is mine.purpose
            and one.promise.method != mine.method
            and one.attempt == 1
            and one.due_at > now
            and (one.promise.method, one.promise.purpose, now) not in self._taken
        ]
        return min(following, key=lambda one: one.due_at, default=None)

    def _successor(self, leaver: Imagined, successors: tuple[int, ...]) -> int | None:
        mine = leaver.promise
        pages = [
            one
            for one in self.every
            if one.promise.episode == mine.episode and one.promise.purpose is Purpose.ESCALATION
        ]
        first = min(one.promise.planned_at for one in pages if one.promise.user == mine.user)
        reached = [
            one
            for one in pages
            if one.promise.user in successors
            and one.state in REACHED
            and one.promise.planned_at > first
        ]
        earliest = min(reached, key=lambda one: one.sent_at or one.due_at, default=None)
        return None if earliest is None else earliest.promise.user


def _planned(alert: Alert, effect: Notify | Call, now: datetime) -> Imagined:
    page = effect if isinstance(effect, Notify) else None
    return Imagined(
        promise=Promise(
            user=page.user if page else None,
            method=page.method if page else None,
            purpose=page.purpose if page else Purpose.ESCALATION,
            episode=alert.episode,
            planned_at=now,
        ),
        urgency=effect.urgency,
        round=alert.position.round if alert.position else 0,
        step=alert.position.step if alert.position else 0,
        due_at=effect.due_at,
        next_try_at=effect.due_at,
        webhook=effect.webhook if isinstance(effect, Call) else None,
        repeat_every=page.repeat_every if page else None,
    )


def _newer(other: Imagined, one: Imagined) -> bool:
    """Whether `other`, the first of its chain, repeats in place of `one`."""
    return (
        other.repeat_every is not None
        and other.promise.method == one.promise.method
        and other.promise.purpose is one.promise.purpose
        and other.state is not State.CANCELLED
        and other.promise.planned_at > one.promise.planned_at
    )
