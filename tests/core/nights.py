"""A night told minute by minute: the core with a clock, an outbox and phones that always work."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from tests.core.stories import BERLIN, NAMES, clock, plan, seed
from tocsin.core.alert import Alert, Changed, apply, due_change
from tocsin.core.changes import Change
from tocsin.core.effects import Entry, Notify, Purpose, Sync, Withdraw
from tocsin.core.escalation import Position
from tocsin.core.kinds import SYSTEM
from tocsin.core.notification import Promise, repeat_at, still_wanted

NOWHERE = Position(0, 0)


@dataclass(frozen=True)
class Planned:
    """A row of the outbox."""

    page: Notify
    promise: Promise
    position: Position
    due_at: datetime
    attempt: int = 1


@dataclass
class Night:
    """Plays a script of changes; between them timers fire and pages go out when they are due."""

    alert: Alert = field(default_factory=seed)
    outbox: list[Planned] = field(default_factory=list[Planned])
    sent: list[Planned] = field(default_factory=list[Planned])
    lines: dict[datetime, list[str]] = field(default_factory=dict[datetime, list[str]])

    def play(self, script: Sequence[tuple[datetime, Change]], end: datetime) -> str:
        """The night in words, a line for each minute in which something happened."""
        for moment, change in script:
            self._pass(moment)
            self._change(change, moment)
        self._pass(end)
        return "\n".join(self._told())

    def _pass(self, until: datetime) -> None:
        """What happens by itself before `until`, in the order of time; timers before pages."""
        while True:
            timer = due_change(self.alert)
            page = min(self.outbox, key=lambda planned: planned.due_at, default=None)
            due = None if timer is None else timer.due
            if timer and due and due < until and not (page and page.due_at < due):
                self._change(timer, due)
            elif page is not None and page.due_at < until:
                self._deliver(page)
            else:
                return

    def _change(self, change: Change, now: datetime) -> None:
        outcome = apply(self.alert, change, plan(), now)
        if not isinstance(outcome, Changed):
            self._say(now, f"nothing changes: {outcome.reason}")
            return
        self.alert = outcome.alert
        for effect in outcome.effects:
            match effect:
                case Withdraw():
                    self.outbox = [row for row in self.outbox if not _withdrawn(effect, row)]
                case Notify():
                    self.outbox.append(self._planned(effect, now))
                case Entry():
                    self._say(now, _line(effect))
                case Sync():
                    self._say(now, f"to the source: {effect.intent}")
                case _:
                    pass

    def _planned(self, page: Notify, now: datetime) -> Planned:
        promise = Promise(
            user=page.user,
            method=page.method,
            purpose=page.purpose,
            episode=self.alert.episode,
            planned_at=now,
        )
        return Planned(page, promise, self.alert.position or NOWHERE, page.due_at)

    def _deliver(self, row: Planned) -> None:
        self.outbox.remove(row)
        now, page = row.due_at, row.page
        if still_wanted(row.promise, self.alert, now) is not None:
            return
        self.sent.append(row)
        again = repeat_at(page.repeat_every, page.purpose, now)
        if again is not None and not any(_replaces(other, row) for other in self._rows()):
            self.outbox.append(
                Planned(page, row.promise, row.position, again, attempt=row.attempt + 1)
            )

    def _rows(self) -> Iterator[Planned]:
        yield from self.outbox
        yield from self.sent

    def _say(self, now: datetime, text: str) -> None:
        self.lines.setdefault(_minute(now), []).append(text)

    def _told(self) -> Iterator[str]:
        rang: dict[datetime, dict[Purpose, Counter[str]]] = {}
        for row in self.sent:
            purposes = rang.setdefault(_minute(row.due_at), {})
            name = ".".join(NAMES[row.page.method])
            purposes.setdefault(row.promise.purpose, Counter())[name] += 1
        for minute in sorted({*self.lines, *rang}):
            said = self.lines.get(minute, [])
            said += [_phones(*item) for item in rang.get(minute, {}).items()]
            for index, text in enumerate(said):
                yield f"{'' if index else clock(minute):5} {text}"


def _minute(moment: datetime) -> datetime:
    return moment.astimezone(BERLIN).replace(second=0, microsecond=0)


def _withdrawn(effect: Withdraw, row: Planned) -> bool:
    if row.promise.purpose is Purpose.RESPONDER and not effect.responders:
        return False
    pages = row.promise.purpose in {Purpose.ESCALATION, Purpose.RESPONDER}
    return pages and (effect.users is None or row.promise.user in effect.users)


def _replaces(other: Planned, row: Planned) -> bool:
    """Whether a later step pages the same method, so that the former repetition ends."""
    one, two = other.promise, row.promise
    return (one.method, one.purpose, one.episode) == (two.method, two.purpose, two.episode) and (
        other.position > row.position
    )


def _phones(purpose: Purpose, phones: Counter[str]) -> str:
    times = (f"{name} x{count}" if count > 1 else name for name, count in phones.items())
    verb = "rings" if purpose is Purpose.ESCALATION else purpose.value
    return f"{verb}: {', '.join(times)}"


def _line(entry: Entry) -> str:
    people = cast("list[str]", entry.data.get("people", entry.data.get("told", [])))
    parts = [entry.kind.value.replace("_", " ")]
    if "step" in entry.data:
        parts.append(f"{entry.data['step']} of round {entry.data['round']}")
    if entry.by != SYSTEM:
        parts.append(f"by {entry.by.name}")
    if people:
        parts.append(f"for {', '.join(people)}")
    return " ".join(parts)
