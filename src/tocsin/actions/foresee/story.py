"""Plays one alert through the hours ahead, by the same core as when it is real."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from tocsin.actions.foresee.future import Duty, Future
from tocsin.actions.foresee.imagined import Outbox
from tocsin.actions.foresee.lines import Ending, Line, Repeating, line_of
from tocsin.actions.foresee.posting import post
from tocsin.actions.maintenance import quiet_over
from tocsin.actions.silence import closed
from tocsin.core.alert import Alert, Changed, apply, due_change
from tocsin.core.changes import Change, DutyChanged, Suppressed, SuppressionEnded
from tocsin.core.effects import Entry, TakeTurn
from tocsin.core.kinds import Status

MOST = 2000
"""Lines that are told; whoever is not woken by so many needs another plan."""


@dataclass(slots=True, kw_only=True)
class Story:
    """An alert in its imagined hours: how it stands, what waits, what was told so far.

    `turns` are those that each round-robin step has used; `inactive` people who are deactivated,
    `names` what everybody is called whom it has meant.
    """

    future: Future
    alert: Alert
    outbox: Outbox = field(default_factory=Outbox)
    turns: Mapping[int, int] = field(default_factory=dict[int, int])
    inactive: Mapping[int, str] = field(default_factory=dict[int, str])
    names: dict[int, str] = field(default_factory=dict[int, str])
    lines: list[Line] = field(default_factory=list[Line])
    _duty: Duty | None = None

    async def begin(self, change: Change, now: datetime) -> None:
        """What the story starts with."""
        self._duty = self.future.duty(now)
        await self._apply(change, now)

    def resume(self, now: datetime, *, changed: bool) -> None:
        """Go on with an alert that there is; `changed`: duty did, and nobody has looked at it."""
        self._duty = None if changed else self.future.duty(now)

    async def play(self) -> tuple[datetime, Ending]:
        """Go from one due moment to the next until nothing is left; until when, and why not on."""
        now = self.future.start
        while True:
            await self._moment(now)
            if len(self.lines) >= MOST:
                del self.lines[MOST:]
                return now, Ending.LINES
            following = self._next(now)
            if following is None:
                return now, Ending.OVER
            if following > self.future.end:
                return self.future.end, Ending.HOURS
            now = following

    async def repeating(self, after: datetime) -> tuple[Repeating, ...]:
        """Messages that go on after the last moment of `play`."""
        users = {one.promise.user for one in self.outbox.waiting} - {None}
        await self.future.know(user for user in users if user is not None)
        known = await self.future.post(self.outbox, after)
        return tuple(
            Repeating(
                person=known.users.get(one.promise.user or 0, "?"),
                contact_method=method.name,
                channel=method.channel,
                every=one.repeat_every,
            )
            for one in self.outbox.waiting
            if one.repeat_every is not None and (method := known.method(one)) is not None
        )

    def _next(self, now: datetime) -> datetime | None:
        alert = self.alert
        due = [alert.next_step_at, self.outbox.next_at(), self._silent_at()]
        if alert.status is not Status.CLOSED:
            due.append(self.future.next_border(now))
        return min((at for at in due if at is not None), default=None)

    def _silent_at(self) -> datetime | None:
        """When it closes by itself (see `store.alerts.claim_silent`)."""
        alert = self.alert
        looking = alert.status is Status.OPEN and alert.next_step_at is not None
        if alert.status is Status.CLOSED or alert.close_after is None:
            return None
        if looking or alert.snoozed_until is not None:
            return None
        return alert.updated_at + alert.close_after

    async def _moment(self, now: datetime) -> None:
        """Do all that is due at one moment, timers first, as the worker's loops would."""
        busy = True
        while busy and len(self.lines) < MOST:
            busy = await self._timer(now)
            busy = await self._watch(now) or busy
            busy = await self._silence(now) or busy
            if self.outbox.due(now):
                known = await self.future.post(self.outbox, now)
                self.lines += post(self.outbox, self.alert, known, now)
                busy = True

    async def _timer(self, now: datetime) -> bool:
        if self.alert.next_step_at is None or self.alert.next_step_at > now:
            return False
        change: Change | None = due_change(self.alert)
        if isinstance(change, SuppressionEnded):
            change = quiet_over(await self.future.context(now), self.alert)
        if isinstance(change, Suppressed) and change.until == self.alert.suppressed_until:
            self.alert = replace(self.alert, next_step_at=change.until)
            return True
        return change is not None and await self._apply(change, now)

    async def _watch(self, now: datetime) -> bool:
        """Somebody came on duty or left it since the moment before."""
        duty = self.future.duty(now)
        if duty == self._duty:
            return False
        self._duty = duty
        return await self._apply(DutyChanged(self.inactive, self.names), now)

    async def _silence(self, now: datetime) -> bool:
        if self.outbox.due(now):
            return False  # what is due goes out first
        at = self._silent_at()
        return at is not None and at <= now and await self._apply(closed(self.alert), now)

    async def _apply(self, change: Change, now: datetime) -> bool:
        plan = replace(await self.future.plan(now), turns=self.turns)
        outcome = apply(self.alert, change, plan, now)
        self.names |= {one.id: one.name for people in plan.people.values() for one in people}
        if not isinstance(outcome, Changed):
            return False
        self.alert = outcome.alert
        self.outbox.save(outcome.alert, outcome.effects, now)
        for effect in outcome.effects:
            if isinstance(effect, TakeTurn):
                plan = plan.turn_taken(effect.step)
                self.turns = plan.turns
            elif isinstance(effect, Entry):
                self.lines.append(line_of(effect, outcome.alert, now))
        return True
