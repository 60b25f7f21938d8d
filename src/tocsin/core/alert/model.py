"""The fields of an alert."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from tocsin.core.escalation import Position
from tocsin.core.kinds import Mode, Severity, Status, Urgency, Via


@dataclass(frozen=True, slots=True)
class Origin:
    """Who raised it: the dialect or system (`kind`), what the sender calls itself, a link."""

    kind: str
    name: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """One acknowledgement; `user` is None for somebody who is no user here."""

    name: str
    user: int | None
    at: datetime
    via: Via


@dataclass(frozen=True, slots=True)
class Closure:
    """How it ended."""

    name: str
    user: int | None
    at: datetime
    via: Via
    classification: str | None = None


@dataclass(frozen=True, slots=True)
class Paged:
    """A contact method that was paged in this episode, first due at `due_at`.

    `again_at` is when a later step promised it anew, None where none did; `by_hand` that somebody
    gave the open alert to this person.
    """

    user: int
    method: int
    due_at: datetime
    again_at: datetime | None = None
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Leaving:
    """Somebody who left duty while a step waits.

    They stay paged until a message to one of `successors` is accepted by its channel.
    """

    user: int
    successors: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What people are paged for.

    `episode` counts how often it began to escalate; together with `position` it names a step for
    good, so that a late timer or page can be told from a current one. `next_step_at` is its one
    timer; what it means follows from the state (`due_change`). `policy` names the copied steps,
    `policy_name` the policy they were copied from. `crew` are those whom the present step means,
    as of `duty_at`; `held`: the step waits for somebody to come on duty. `own_mode`: its mode was
    asked for by its sender, category or routing rule, not by the policy; likewise
    `own_acknowledgements`.
    """

    team: int
    id: UUID
    number: int
    title: str
    created_at: datetime
    updated_at: datetime
    severity: Severity
    urgency: Urgency
    source: Origin
    policy: str
    policy_name: str | None = None
    close_after: timedelta | None = None
    text: str = ""
    category: str | None = None
    mode: Mode = Mode.SINGLE
    own_mode: bool = False
    own_acknowledgements: int | None = None
    acknowledgements_required: int = 1
    status: Status = Status.OPEN
    suppressed: str | None = None
    suppressed_until: datetime | None = None
    integration: int | None = None
    connector: int | None = None
    external_id: str | None = None
    answers: tuple[Answered, ...] = ()
    closure: Closure | None = None
    owner: int | None = None
    episode: int = 0
    position: Position | None = None
    next_step_at: datetime | None = None
    snoozed_until: datetime | None = None
    expires_at: datetime | None = None
    awaiting_owner: bool = False
    exhausted: bool = False
    held: bool = False
    crew: tuple[int, ...] = ()
    leaving: tuple[Leaving, ...] = ()
    duty_at: datetime | None = None
    paged: tuple[Paged, ...] = ()
    responders: tuple[int, ...] = ()
    seen_count: int = 1
    details: Mapping[str, object] = field(default_factory=dict[str, object])
    links: tuple[str, ...] = ()

    @property
    def taken(self) -> Answered | None:
        """The answer that made its owner the owner, else the first (where it was reassigned)."""
        mine = [answer for answer in self.answers if answer.user == self.owner]
        return mine[-1] if mine else next(iter(self.answers), None)

    @property
    def asked(self) -> frozenset[int]:
        """Who was asked for by hand: responders, and those to whom the open alert was given."""
        return frozenset((*self.responders, *(known.user for known in self.paged if known.by_hand)))

    @property
    def message_urgency(self) -> Urgency:
        """How loud a message about it is; what is only recorded is normal where somebody asks."""
        return Urgency.NORMAL if self.urgency is Urgency.RECORD else self.urgency
