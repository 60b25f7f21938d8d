"""What is known of one alert afterwards, and what can be wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from tocsin.core.alert import Alert
from tocsin.core.effects import Purpose
from tocsin.core.escalation import Policy, Position
from tocsin.core.notation import texts
from tocsin.core.notification import State

GRACE = timedelta(seconds=15)
"""What is due may still be under way for so long: a transaction takes no longer."""

LATE = timedelta(seconds=60)
"""A step that starts later than this is a broken promise."""

PAGING = frozenset({Purpose.ESCALATION, Purpose.RESPONDER})
"""Pages that are repeated until somebody answers; all others are news, sent once."""

STEPPING = frozenset({"step", "nobody", "passed_over"})
"""Timeline kinds that name a step of the policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the timeline; a kind that is not known here is a reason for nothing."""

    at: datetime
    kind: str
    by_name: str = "Tocsin"
    by_user: int | None = None
    data: Mapping[str, object] = field(default_factory=dict[str, object])

    @property
    def position(self) -> Position:
        """The step it names, counted from 0; -1 where it names none."""
        return Position(_number(self.data.get("round")) - 1, _number(self.data.get("step")) - 1)

    def names(self, *keys: str) -> frozenset[str]:
        """The people under these keys."""
        return frozenset(name for key in keys for name in texts(self.data.get(key)))

    def concerns(self, name: str | None, user: int | None) -> bool:
        """Whether it names this person, by name or by id."""
        by_id = user is not None and str(user) in texts(self.data.get("users"))
        return by_id or name in self.names("people", "told")


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """One line of the ledger; `retry` is put back to be tried again."""

    at: datetime
    state: str
    possible_duplicate: bool = False
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """A notification as it stands, with its lines of the ledger, oldest first.

    `name` is None for somebody who was removed; `carried`: the message that it was part of is
    known.
    """

    user: int | None
    name: str | None
    method: int | None
    method_name: str | None
    purpose: Purpose
    episode: int
    position: Position
    state: State
    planned_at: datetime
    due_at: datetime
    next_try_at: datetime | None
    attempt: int = 1
    repeat_every: timedelta | None = None
    webhook: str | None = None
    carried: bool = False
    detail: str | None = None
    ledger: tuple[Noted, ...] = ()

    @property
    def what(self) -> str:
        """The notification in words."""
        if self.webhook is not None:
            return f"call of the webhook {self.webhook}"
        kind = "page" if self.purpose in PAGING else f"message ({self.purpose})"
        name = self.name or f"user {self.user}"
        again = f" (attempt {self.attempt})" if self.attempt > 1 else ""
        return f"{kind} to {name}/{self.method_name or f'method {self.method}'}{again}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Somebody on duty in the alert's team, by shift or punched in; until None: without an end.

    `active`: they are not deactivated now.
    """

    tier: str
    name: str
    since: datetime
    until: datetime | None
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One alert with all that was written about it, in the order in which it was written.

    `policy` is the copy that it follows now, None where that is gone. `duties` cover the moments
    of its steps.
    """

    alert: Alert
    policy: Policy | None
    lines: tuple[Line, ...]
    notifications: tuple[Promised, ...]
    duties: tuple[Duty, ...] = ()


class Grade(StrEnum):
    """How bad it is."""

    LATE = "late"  # kept in the end
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A promise that was not kept: what was due when, and what happened to it in place of that."""

    due: datetime
    what: str
    how: str
    grade: Grade = Grade.BROKEN


def step_words(position: Position) -> str:
    """A step as people count."""
    return f"step {position.step + 1} of round {position.round + 1}"


def length(duration: timedelta) -> str:
    """A length of time in words, whole seconds.

    >>> length(timedelta(minutes=61, seconds=5))
    '1 h 1 min 5 s'
    """
    seconds = int(duration.total_seconds())
    parts = ((seconds // 3600, "h"), (seconds % 3600 // 60, "min"), (seconds % 60, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
