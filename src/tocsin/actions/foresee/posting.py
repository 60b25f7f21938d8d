"""What becomes of imagined notifications when they are due, as the deliverer would have it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from tocsin.actions.deliver import unusable
from tocsin.actions.foresee.imagined import Imagined, Outbox
from tocsin.actions.foresee.lines import Kind, Line
from tocsin.core import storm
from tocsin.core.alert import Alert
from tocsin.core.notification import (
    NEWS,
    PAGES,
    QuietHours,
    State,
    held_until,
    repeat_at,
    still_wanted,
)
from tocsin.core.storm import Traffic, Verdict, Waiting
from tocsin.store.methods import MethodRow

WEBHOOK = "webhook"
"""The medium of what a step posts to an outgoing webhook."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """How messages fare at one moment: people, contact methods and outgoing webhooks by id or name.

    `failing` names media and contact methods that are assumed to take nothing, `installed` the
    media that there is a channel for.
    """

    users: Mapping[int, str]
    methods: Mapping[int, MethodRow]
    webhooks: Collection[str]
    quiet: Mapping[int, QuietHours]
    installed: Collection[str]
    failing: Collection[str] = frozenset()

    def method(self, one: Imagined) -> MethodRow | None:
        """The contact method that it goes to; None for a webhook, and where it is gone."""
        return self.methods.get(one.promise.method or 0)

    def unusable(self, one: Imagined) -> str | None:
        """Why its contact method takes nothing any more; None where it does."""
        method = self.method(one)
        if one.webhook is not None or (method and not method.disabled and method.user_active):
            return None
        return unusable(method)

    def absent(self, one: Imagined) -> str | None:
        """Why it cannot be handed over at all; None where it can."""
        method, name = self.method(one), one.webhook
        if method is not None and method.channel not in self.installed:
            return f"the channel {method.channel} is not installed"
        if name is not None and not name.startswith(("https://", "http://")):
            return None if name in self.webhooks else f"there is no webhook {name!r}"
        return None

    def assumed(self, one: Imagined) -> str | None:
        """Why it is assumed to fail; None where it is not."""
        method = self.method(one)
        names = {WEBHOOK, one.webhook} if method is None else {method.channel, method.name}
        return "assumed to fail" if names & set(self.failing) else None

    def held(self, one: Imagined, alert: Alert, now: datetime) -> datetime | None:
        """Until when its person's quiet hours hold it."""
        quiet = self.quiet.get(one.promise.user or 0)
        if quiet is None:
            return None
        return held_until(one.promise, one.urgency, quiet, now, alert)


def post(outbox: Outbox, alert: Alert, with_: Post, now: datetime) -> tuple[Line, ...]:
    """Send what is due at `now`, put back what waits, and plan what follows."""
    due = outbox.due(now)
    relieved = {id(one): user for one in due if (user := outbox.relieved(one, alert)) is not None}
    lines: list[Line] = []
    wanted: list[Imagined] = []
    useless: list[Imagined] = []
    for one in due:
        if still_wanted(one.promise, alert, now) is not None:
            outbox.settle(one, State.CANCELLED, now)
        elif id(one) in relieved:
            outbox.settle(one, State.CANCELLED, now)
            by = with_.users.get(relieved[id(one)], "?")
            lines.append(_line(Kind.RELIEVED, one, with_, now, reason=f"relieved by {by}"))
        elif (why := with_.unusable(one)) is not None:
            outbox.settle(one, State.FAILED, now)
            useless.append(one)
            lines.append(_line(Kind.FAILED, one, with_, now, reason=why))
        elif (until := with_.held(one, alert, now)) is not None:
            one.next_try_at = until
            lines.append(_line(Kind.QUIET, one, with_, now, until=until, reason="quiet hours"))
        else:
            wanted.append(one)
    going = _within_limits(outbox, alert, wanted, with_, now, lines)
    for one in going:
        if (why := with_.absent(one)) is not None:
            outbox.settle(one, State.FAILED, now)
            useless.append(one)
            lines.append(_line(Kind.FAILED, one, with_, now, reason=why))
    outbox.move_up(useless, now)
    lines += _sent(outbox, alert, [one for one in going if one.state is State.PLANNED], with_, now)
    return tuple(lines)


def _sent(
    outbox: Outbox, alert: Alert, going: list[Imagined], with_: Post, now: datetime
) -> Iterable[Line]:
    failed: list[Imagined] = []
    for one in going:
        why = with_.assumed(one)
        outbox.settle(one, State.SENT if why is None else State.FAILED, now)
        if why is not None:
            failed.append(one)
            yield _line(Kind.FAILED, one, with_, now, reason=why)
        elif one.webhook is not None:
            yield _line(Kind.CALL, one, with_, now)
        elif one.promise.purpose in PAGES:
            yield _line(Kind.PAGE, one, with_, now)
        else:
            yield _line(Kind.MESSAGE, one, with_, now, reason=one.promise.purpose.value)
    for one in going:
        again = repeat_at(one.repeat_every, one.promise.purpose, now)
        if again is not None:
            outbox.repeat(one, alert, again, now)
    outbox.move_up(failed, now)


def _within_limits(
    outbox: Outbox,
    alert: Alert,
    wanted: list[Imagined],
    with_: Post,
    now: datetime,
    lines: list[Line],
) -> list[Imagined]:
    """Those that go out now; the others wait for the next minute of their contact method."""
    going: list[Imagined] = []
    groups: dict[tuple[int, str], list[Imagined]] = {}
    for one in wanted:
        method, purpose = one.promise.method, one.promise.purpose
        if method is None or purpose not in PAGES | NEWS:
            going.append(one)
        else:
            kind = "page" if purpose in PAGES else purpose.value
            groups.setdefault((method, kind), []).append(one)
    for (method, kind), ones in groups.items():
        traffic = outbox.traffic.get(method, Traffic())
        verdict = _verdict(traffic, alert, kind, ones, _per_minute(with_, method), now)
        outbox.traffic[method] = verdict.after
        going += [ones[place] for place in verdict.goes]
        for place in verdict.waits:
            one = ones[place]
            one.next_try_at = verdict.until or now
            lines.append(_line(Kind.THROTTLED, one, with_, now, until=verdict.until))
    return sorted(going, key=wanted.index)


def _verdict(
    traffic: Traffic,
    alert: Alert,
    kind: str,
    ones: list[Imagined],
    per_minute: int,
    now: datetime,
) -> Verdict:
    if kind != "page":
        return storm.news(traffic, len(ones), per_minute, now)
    waiting = [
        Waiting(
            alert=alert.id,
            rank=alert.severity.rank,
            first=one.attempt == 1,
            since=max(one.due_at, one.promise.planned_at),
        )
        for one in ones
    ]
    return storm.pages(traffic, waiting, alert.team, per_minute, now)


def _per_minute(with_: Post, method: int) -> int:
    row = with_.methods.get(method)
    return storm.PER_MINUTE if row is None or row.per_minute is None else row.per_minute


def _line(
    kind: Kind,
    one: Imagined,
    with_: Post,
    now: datetime,
    *,
    until: datetime | None = None,
    reason: str | None = None,
) -> Line:
    method, user = with_.method(one), one.promise.user
    return Line(
        at=now,
        kind=kind,
        step=one.step + 1,
        round=one.round + 1,
        person=None if user is None else with_.users.get(user, f"user {user}"),
        contact_method=one.webhook if method is None else method.name,
        channel=(WEBHOOK if one.webhook else None) if method is None else method.channel,
        urgency=one.urgency,
        attempt=one.attempt,
        repeat_every=one.repeat_every,
        until=until,
        reason=reason,
    )
