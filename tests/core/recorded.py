"""A night that is written down: the core with a clock, a ledger and phones that always work."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tests.core.stories import NAMES, SECOND, plan, seed
from tocsin.core.alert import Alert, Changed, apply, due_change
from tocsin.core.changes import Change
from tocsin.core.effects import Call, Entry, Notify, Purpose, Withdraw
from tocsin.core.escalation import EscalationPlan, OnDuty, Position
from tocsin.core.kinds import Urgency
from tocsin.core.notification import Promise, State, repeat_at, still_wanted
from tocsin.core.verifying import Broken, Duty, History, Line, Noted, Promised, broken_promises

LEASE = 30 * SECOND
TOOK = timedelta(seconds=1)
"""How long a duty lasts that is only known for the moment of a change."""


@dataclass
class Recorder:
    """Plays changes; between them timers fire and pages go out when they are due."""

    alert: Alert = field(default_factory=seed)
    plan: EscalationPlan = field(default_factory=plan)
    lines: list[Line] = field(default_factory=list[Line])
    rows: list[Promised] = field(default_factory=list[Promised])
    duties: list[Duty] = field(default_factory=list[Duty])

    def change(self, change: Change, now: datetime) -> None:
        """`change` happens, after all that was due before it."""
        self.until(now)
        self._apply(change, now)

    def until(self, end: datetime) -> None:
        """What happens by itself before `end`; timers before pages of the same moment."""
        while True:
            timer = due_change(self.alert)
            waiting = [row for row in self.rows if row.state is State.PLANNED]
            page = min(waiting, key=lambda row: row.due_at, default=None)
            due = timer.due if timer is not None else None
            if due is not None and due < end and not (page and page.due_at < due):
                assert timer is not None
                self._apply(timer, due)
            elif page is not None and page.due_at < end:
                self._deliver(page)
            else:
                return

    def history(self) -> History:
        """All that was written down."""
        return History(
            alert=self.alert,
            policy=self.plan.policy,
            lines=tuple(self.lines),
            notifications=tuple(self.rows),
            duties=tuple(self.duties),
        )

    def broken(self, now: datetime) -> list[Broken]:
        """What the check makes of it."""
        return list(broken_promises(self.history(), now, LEASE))

    def _apply(self, change: Change, now: datetime) -> None:
        outcome = apply(self.alert, change, self.plan, now)
        if not isinstance(outcome, Changed):
            return
        self.alert = outcome.alert
        for effect in outcome.effects:
            if isinstance(effect, Withdraw):
                self.rows = [_taken_back(row, effect) for row in self.rows]
        for effect in outcome.effects:
            match effect:
                case Entry():
                    self.lines.append(_line(effect, now))
                case Notify():
                    self._promise(effect, now)
                case Call():
                    self.rows.append(_called(self.alert, effect, now))
                case _:
                    pass
        self._on_duty(now)

    def _on_duty(self, now: datetime) -> None:
        for target, people in self.plan.people.items():
            if isinstance(target, OnDuty):
                for person in people:
                    self.duties.append(
                        Duty(tier=target.tier, name=person.name, since=now, until=now + TOOK)
                    )

    def _promise(self, page: Notify, now: datetime) -> None:
        self._add(_promised(self.alert, self.plan, page, now))

    def _add(self, row: Promised) -> None:
        taken = {_once(one) for one in self.rows if one.state is not State.CANCELLED}
        if _once(row) not in taken:
            self.rows.append(row)

    def _deliver(self, row: Promised) -> None:
        now = row.due_at
        promise = Promise(
            user=row.user or 0,
            method=row.method or 0,
            purpose=row.purpose,
            episode=row.episode,
            planned_at=row.planned_at,
        )
        why_not = still_wanted(promise, self.alert, now)
        state = State.SENT if why_not is None else State.CANCELLED
        ledger = (Noted(at=now, state="leased"), Noted(at=now, state=state, detail=why_not))
        place = self.rows.index(row)
        self.rows[place] = replace(row, state=state, next_try_at=None, ledger=ledger)
        again = repeat_at(row.repeat_every, row.purpose, now)
        if why_not is None and again is not None and not self._newer(row):
            repeated = replace(
                row, attempt=row.attempt + 1, planned_at=now, due_at=again, next_try_at=again
            )
            self._add(repeated)

    def _newer(self, row: Promised) -> bool:
        return any(
            other.method == row.method
            and other.purpose == row.purpose
            and other.attempt == 1
            and other.repeat_every is not None
            and other.state is not State.CANCELLED
            and other.planned_at > row.planned_at
            for other in self.rows
        )


def _once(row: Promised) -> tuple[object, ...]:
    return (row.method, row.purpose, row.due_at)


def _line(entry: Entry, now: datetime) -> Line:
    by = entry.by
    return Line(at=now, kind=entry.kind, by_name=by.name, by_user=by.user, data=entry.data)


def _promised(alert: Alert, known: EscalationPlan, page: Notify, now: datetime) -> Promised:
    everybody = [*known.everyone, *known.admins]
    everybody += [person for people in known.people.values() for person in people]
    names = {person.id: person.name for person in everybody}
    return Promised(
        user=page.user,
        name=names.get(page.user),
        method=page.method,
        method_name=NAMES.get(page.method, ("", "phone"))[1],
        purpose=page.purpose,
        episode=alert.episode,
        position=alert.position or Position(0, 0),
        state=State.PLANNED,
        planned_at=now,
        due_at=page.due_at,
        next_try_at=page.due_at,
        repeat_every=page.repeat_every,
    )


def _called(alert: Alert, call: Call, now: datetime) -> Promised:
    return replace(
        _promised(
            alert,
            EscalationPlan(plan().policy),
            Notify(0, 0, call.due_at, Purpose.ESCALATION, Urgency.URGENT),
            now,
        ),
        user=None,
        method=None,
        webhook=call.webhook,
    )


def _taken_back(row: Promised, effect: Withdraw) -> Promised:
    kinds = {Purpose.ESCALATION, *((Purpose.RESPONDER,) if effect.responders else ())}
    whose = effect.users is None or row.user in effect.users
    if row.state is State.PLANNED and row.purpose in kinds and whose:
        return replace(row, state=State.CANCELLED, next_try_at=None, detail="withdrawn")
    return row
