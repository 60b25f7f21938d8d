"""What a schedule is made of: rotations, restrictions, events, overrides, temporary schedules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum

from tocsin.core.timewindow import Window

_MOST_PERIODS = 9_999  # keeps every hand-off inside the years that `datetime` knows


class Unit(StrEnum):
    """What a rotation's period is counted in, always on the wall clock."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Combine(StrEnum):
    """Who is on duty where several rotations apply at once."""

    LAST_WINS = "last_wins"
    EVERYBODY = "everybody"


class OnHolidays(StrEnum):
    """What a rotation has to do with the holidays of its team."""

    ONLY = "only"
    SKIP = "skip"


class Day(StrEnum):
    """A local day of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"

    @property
    def number(self) -> int:
        """0 for Monday up to 6 for Sunday, as `date.weekday()` counts."""
        return _DAY_NUMBER[self]


_DAY_NUMBER = {day: number for number, day in enumerate(Day)}


@dataclass(frozen=True, slots=True)
class DailyWindow:
    """Open on each listed local day from `from_`; a `to` not after it means the next day.

    The "24:00" of the configuration is `time(0)`. Raises `ValueError` without a day.
    """

    days: tuple[Day, ...]
    from_: time
    to: time

    def __post_init__(self) -> None:
        if not self.days:
            raise ValueError("a daily restriction names at least one day")
        _check_local(self.from_, self.to)


@dataclass(frozen=True, slots=True)
class WeeklyWindow:
    """Open once a week, wrapping over Sunday when needed; equal ends mean the whole week."""

    from_day: Day
    from_: time
    to_day: Day
    to: time

    def __post_init__(self) -> None:
        _check_local(self.from_, self.to)


Restriction = DailyWindow | WeeklyWindow


@dataclass(frozen=True, slots=True)
class Rotation:
    """People who take turns; each participant is a group of users on duty together.

    `participants[0]` is on duty from `start` on, a wall time. Hand-offs lie on the grid
    `handoff + k * every * unit` in wall time (`handoff` absent: `start`), which runs both ways;
    the turn moves at each hand-off after `start`. `active_until` is wall time, or an instant when
    it carries an offset. `time_zone` absent: the schedule's. With restrictions the rotation puts
    people on duty only while one of them is open; a period that they close entirely uses up a
    turn unless `skip_closed_periods`. `on_holidays` leaves only the team's holidays, or all other
    days; whose turn it is does not depend on it. Without participants nobody is on duty.
    """

    name: str
    participants: tuple[tuple[str, ...], ...]
    start: datetime
    unit: Unit
    every: int = 1
    handoff: datetime | None = None
    active_until: datetime | None = None
    time_zone: str | None = None
    restrictions: tuple[Restriction, ...] = ()
    skip_closed_periods: bool = False
    on_holidays: OnHolidays | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.every <= _MOST_PERIODS:
            raise ValueError(f"`every` is 1 to {_MOST_PERIODS}, not {self.every}")
        for wall in (self.start, self.handoff):
            if wall is not None and wall.tzinfo is not None:
                raise ValueError(f"{wall} carries an offset; a rotation keeps wall-clock time")

    @property
    def anchor(self) -> datetime:
        """The wall time of the hand-off from which the others are counted."""
        return self.start if self.handoff is None else self.handoff


@dataclass(frozen=True, slots=True)
class Event:
    """All of `users` on duty together in `window`, and again at each further time of its rule.

    `window` is in the schedule's zone. Where one time begins before the one before has ended, that
    one ends there.
    """

    users: tuple[str, ...]
    window: Window

    def __post_init__(self) -> None:
        if not self.users:
            raise ValueError("an event names at least one user")


@dataclass(frozen=True, slots=True)
class FixedShift:
    """One person from `from_` to `to`: wall time of the schedule's zone, or instants."""

    user: str
    from_: datetime
    to: datetime

    def __post_init__(self) -> None:
        _check_order(self.from_, self.to, "a shift")


@dataclass(frozen=True, slots=True)
class ImportedShift:
    """One person from `from_` to `to`, instants in UTC, as a calendar of others says."""

    user: str
    from_: datetime
    to: datetime
    calendar: str


@dataclass(frozen=True, slots=True)
class Temporary:
    """A schedule in the place of the usual one, from `from_` to `to`.

    While it is active only its own shifts count, clipped to it; overrides do not touch it. Where
    several are active, the shifts of all of them count.
    """

    from_: datetime
    to: datetime
    shifts: tuple[FixedShift, ...] = ()

    def __post_init__(self) -> None:
        _check_order(self.from_, self.to, "a temporary schedule")


@dataclass(frozen=True, slots=True)
class KeptShift:
    """A shift as it was before an edit, in instants; `why` is the reason in words."""

    user: str
    from_: datetime
    to: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What was planned before an edit and holds until `to`, for those on duty at the edit.

    In [from_, to), instants, it stands for rotations, events and temporary schedules; overrides
    look at it as they look at rotations.
    """

    from_: datetime
    to: datetime
    shifts: tuple[KeptShift, ...] = ()


@dataclass(frozen=True, slots=True)
class Override:
    """An exception to the rotations from `from_` to `to`.

    | user | replaces | extra | meaning |
    |---|---|---|---|
    | ada | | | ada takes over from everybody, and is on duty where nobody was |
    | ada | mara | | ada takes over where the rotations put mara on duty |
    | | mara | | mara is off, nobody takes her place |
    | ada | | yes | ada is on duty beside the others |

    The ends are wall time of the schedule's zone, or instants when they carry an offset. `swap`
    marks one that two people agreed on; it is only told, and changes nothing. Raises `ValueError`
    for other combinations, and for an end that is not after its beginning where both are of one
    sort.
    """

    from_: datetime
    to: datetime
    user: str | None = None
    replaces: str | None = None
    extra: bool = False
    swap: bool = False

    def __post_init__(self) -> None:
        if self.user is None and self.replaces is None:
            raise ValueError("an override names `user`, `replaces` or both")
        if self.extra and (self.user is None or self.replaces is not None):
            raise ValueError("an extra person has a `user` and replaces nobody")
        _check_order(self.from_, self.to, "an override")


@dataclass(frozen=True, slots=True)
class Schedule:
    """One tier's rotations, events, imported shifts in the order of precedence, and what is on top.

    `holidays` are the team's, local days of `time_zone`, each with its name.
    """

    name: str
    tier: str
    time_zone: str
    rotations: tuple[Rotation, ...] = ()
    overrides: tuple[Override, ...] = ()
    combine: Combine = Combine.LAST_WINS
    events: tuple[Event, ...] = ()
    temporary: tuple[Temporary, ...] = ()
    holidays: Mapping[date, str] = field(default_factory=dict[date, str])
    kept: Kept | None = None
    imported: tuple[ImportedShift, ...] = ()


def _check_local(*times: time) -> None:
    if any(clock.tzinfo is not None for clock in times):
        raise ValueError("a restriction keeps wall-clock time, without an offset")


def _check_order(from_: datetime, to: datetime, what: str) -> None:
    """An end of another sort than its beginning (wall time, instant) is compared when resolved."""
    if (from_.tzinfo is None) == (to.tzinfo is None) and to <= from_:
        raise ValueError(f"{what} ends after it begins")
