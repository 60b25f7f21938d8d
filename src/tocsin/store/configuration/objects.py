"""Configured objects as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """A kind of configured object; what others stand on comes first."""

    USER = "user"
    TEAM = "team"
    METHOD = "contact method"
    RULE = "notification rule"
    SCHEDULE = "schedule"
    OVERRIDE = "override"
    POLICY = "escalation policy"
    CATEGORY = "category"
    INTEGRATION = "integration"
    CONNECTOR = "connector"
    MAINTENANCE = "maintenance window"
    SETTING = "setting"
    STORED = "stored"

    @property
    def of_team(self) -> bool:
        """Whether a team owns it; the first part of its key is the team's name."""
        return self in _OF_TEAM

    @property
    def of_user(self) -> bool:
        """Whether a user owns it; the first part of its key is the user's name."""
        return self in {Kind.METHOD, Kind.RULE}

    @property
    def is_operation(self) -> bool:
        """Whether one that is made by UI or API is an operation, which no file is held against."""
        return self in {Kind.OVERRIDE, Kind.MAINTENANCE}


_OF_TEAM = {
    Kind.SCHEDULE, Kind.OVERRIDE, Kind.POLICY, Kind.CATEGORY, Kind.INTEGRATION, Kind.CONNECTOR,
}  # fmt: skip
_ORDER = {kind: number for number, kind in enumerate(Kind)}


@dataclass(frozen=True, slots=True)
class Key:
    """What names an object: `("soc", "primary")` for a schedule, `("mara", "urgent", "0")`."""

    kind: Kind
    names: tuple[str, ...]

    @property
    def owner(self) -> str:
        """The team or user that it belongs to, or its own name."""
        return self.names[0]

    @property
    def order(self) -> tuple[int, tuple[str, ...]]:
        """Sorts objects behind what they stand on."""
        return _ORDER[self.kind], self.names

    def __str__(self) -> str:
        if self.kind is Kind.STORED:
            return f"{self.names[0].replace('_', ' ')[:-1]} {self.names[1]}"
        return f"{self.kind} {'/'.join(self.names)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An object as it is stored. `file_body` is what the last apply made of it, None for nobody's.

    `team` and `user` are the ids of its owners; `parent` that of an override's schedule.
    """

    key: Key
    id: int
    body: Mapping[str, object]
    position: int = 0
    file_body: Mapping[str, object] | None = None
    changed_by: str | None = None
    changed_at: datetime | None = None
    team: int | None = None
    user: int | None = None
    parent: int | None = None

    @property
    def edited(self) -> bool:
        """Whether somebody changed here what an apply had made."""
        return self.file_body is not None and self.file_body != self.body


@dataclass(frozen=True, slots=True)
class Holdings:
    """Every configured object, and the ids of users, teams and schedules by name."""

    objects: dict[Key, Held] = field(default_factory=dict[Key, Held])
    users: dict[str, int] = field(default_factory=dict[str, int])
    teams: dict[str, int] = field(default_factory=dict[str, int])
    schedules: dict[tuple[str, ...], int] = field(default_factory=dict[tuple[str, ...], int])


def override_name(body: Mapping[str, object]) -> str:
    """What tells overrides of one schedule apart: who, instead of whom, from when."""
    who = " ".join(str(body[key]) for key in ("user", "replaces") if body.get(key) is not None)
    extra = " extra" if body.get("extra") is True else ""
    return f"{who}{extra} {body.get('from')}"
