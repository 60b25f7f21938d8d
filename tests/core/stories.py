"""What tests of the core tell their stories with: a team, its night, and short words for both."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from tocsin.core.alert import Alert, Changed, Origin, Outcome, Refused, Unchanged, apply
from tocsin.core.changes import Acknowledged, Change, Closed, Raised
from tocsin.core.effects import Effect, Entry, Notify, Sync, Withdraw
from tocsin.core.escalation import EscalationPlan, OnDuty, Policy, Step, Target, WholeTeam
from tocsin.core.kinds import Actor, Severity, Urgency, Via
from tocsin.core.rules import Method, Person, Rule

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = datetime(2026, 11, 18, 1, 58, tzinfo=UTC)  # 02:58 in Berlin, a week of Mara's


def at(minutes: float) -> datetime:
    """So many minutes into the night."""
    return NIGHT + minutes * MINUTE


def clock(moment: datetime | None) -> str:
    """The wall clock in Berlin; seconds only where there are some."""
    if moment is None:
        return "never"
    local = moment.astimezone(BERLIN)
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


# The people and the policy of the example configuration.
RING = Rule(timedelta(0), "phone", repeat_every=30 * SECOND)
ONCE = Rule(timedelta(0), "phone")
MARA = Person(
    1,
    "Mara",
    (Method(11, "phone", "webhook"), Method(12, "mail", "email")),
    {Urgency.URGENT: (RING, Rule(2 * MINUTE, "mail")), Urgency.NORMAL: (ONCE,)},
)
JONAS = Person(
    2,
    "Jonas",
    (Method(21, "phone", "webhook"),),
    {Urgency.URGENT: (RING,), Urgency.NORMAL: (ONCE,)},
)
ADA = Person(
    3,
    "Ada",
    (Method(31, "phone", "webhook"),),
    {Urgency.URGENT: (ONCE,), Urgency.NORMAL: (ONCE,)},
)
EVA = Person(4, "Eva", (Method(41, "phone", "webhook"),), {Urgency.URGENT: (ONCE,)})
UNREACHABLE = Person(5, "Nobody", ())
TEAM = (MARA, JONAS, ADA)
NAMES = {
    method.id: (person.name.lower(), method.name)
    for person in (*TEAM, EVA)
    for method in person.methods
}
USERS: Mapping[int | None, str] = {
    None: "nobody",
    **{person.id: person.name.lower() for person in (*TEAM, EVA, UNREACHABLE)},
}
PRIMARY, MANAGER, EVERYBODY = OnDuty("1"), OnDuty("manager"), WholeTeam(7)
POLICY = Policy(
    steps=(
        Step((PRIMARY,), 2 * MINUTE),
        Step((MANAGER,), 5 * MINUTE),
        Step((EVERYBODY,), 10 * MINUTE),
    ),
    repeat=1,
    acknowledge_timeout=4 * HOUR,
)
DUTY: Mapping[Target, tuple[Person, ...]] = {PRIMARY: (MARA,), MANAGER: (ADA,), EVERYBODY: TEAM}


def plan(
    policy: Policy = POLICY, duty: Mapping[Target, tuple[Person, ...]] = DUTY
) -> EscalationPlan:
    """The policy with Mara on duty, Ada her manager."""
    return EscalationPlan(policy, duty, everyone=TEAM, admins=(ADA,))


def by(person: Person, via: Via = Via.REPLY) -> Actor:
    """A person of ours as the one who does something."""
    return Actor(person.name, person.id, via)


PORTAL = Actor("portal", via=Via.SOURCE)


def seed(**fields: object) -> Alert:
    """An alert of a connector that is not yet raised."""
    alert = Alert(
        team=7,
        id=UUID(int=7),
        number=12,
        title="Impossible travel",
        created_at=NIGHT,
        updated_at=NIGHT,
        severity=Severity.HIGH,
        urgency=Urgency.URGENT,
        source=Origin("microsoft", "sentinel"),
        policy="a copy",
        connector=5,
        external_id="incident-1",
    )
    return replace(alert, **fields)  # type: ignore[arg-type]  # the names are checked by replace


def done(outcome: Outcome) -> Alert:
    """The alert after a change that must not be refused."""
    assert isinstance(outcome, Changed), outcome
    return outcome.alert


def after(
    alert: Alert, *changes: tuple[float, Change], plan_: EscalationPlan | None = None
) -> Alert:
    """The alert after changes at so many minutes into the night; each must change it."""
    for minutes, change in changes:
        alert = done(apply(alert, change, plan_ or plan(), at(minutes)))
    return alert


def opened(**fields: object) -> Alert:
    """Raised at 02:58: Mara is paged, step 1 waits until 03:00."""
    return after(seed(**fields), (0, Raised()))


def acknowledged(**fields: object) -> Alert:
    """Acknowledged by Mara at 02:59, until 06:59."""
    return after(opened(**fields), (1, Acknowledged(by(MARA))))


def closed(**fields: object) -> Alert:
    """Closed by Mara at 03:00."""
    return after(acknowledged(**fields), (2, Closed(by(MARA))))


def effects(outcome: Outcome) -> tuple[Effect, ...]:
    """What a change that must not be refused asks of the world."""
    assert isinstance(outcome, Changed), outcome
    return outcome.effects


def pages(asked: Iterable[Effect]) -> list[Notify]:
    """The messages to people among the effects."""
    return [effect for effect in asked if isinstance(effect, Notify)]


def kinds(asked: Iterable[Effect]) -> list[str]:
    """The kinds of the timeline lines among the effects."""
    return [effect.kind.value for effect in asked if isinstance(effect, Entry)]


def syncs(asked: Iterable[Effect]) -> list[Sync]:
    """The promises to the source among the effects."""
    return [effect for effect in asked if isinstance(effect, Sync)]


def shown(outcome: Outcome) -> str:
    """An outcome in words: state, owner, timer; then pages taken back and promised, the source's
    promise, the timeline.
    """
    match outcome:
        case Refused(reason):
            return f"refused: {reason}"
        case Unchanged(reason):
            return f"unchanged: {reason}"
        case Changed(alert, asked):
            lines = [_state(alert)]
            lines += [f"take back {_taken_back(e)}" for e in asked if isinstance(e, Withdraw)]
            lines += [f"page {_page(page)}" for page in pages(asked)]
            lines += [f"source {sync.intent} by {sync.by.name}" for sync in syncs(asked)]
            lines.append(f"timeline {', '.join(kinds(asked)) or '-'}")
            return "\n".join(lines)


def _state(alert: Alert) -> str:
    words = [
        alert.status.value,
        f"owner {USERS[alert.owner]}",
        f"timer {clock(alert.next_step_at)}",
    ]
    if alert.seen_count > 1:
        words.append(f"seen {alert.seen_count} times")
    if alert.suppressed is not None:
        words.append(f"suppressed: {alert.suppressed}")
    if alert.exhausted:
        words.append("nobody answered")
    if alert.awaiting_owner:
        words.append("awaiting its owner")
    return ", ".join(words)


def _taken_back(withdrawn: Withdraw) -> str:
    if withdrawn.users is None:
        return "all and responders" if withdrawn.responders else "all"
    return " ".join(USERS[user] for user in withdrawn.users)


def _page(page: Notify) -> str:
    repeat = f" every {page.repeat_every.seconds}s" if page.repeat_every else ""
    return f"{'.'.join(NAMES[page.method])} {clock(page.due_at)} {page.purpose}{repeat}"
