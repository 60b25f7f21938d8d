"""Cuts the timeline of an alert into its episodes, each from its first step to its end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tocsin.core.alert import Alert
from tocsin.core.escalation import FIRST
from tocsin.core.kinds import Mode, Status
from tocsin.core.verifying.history import STEPPING, Line

_AGAIN = frozenset({"unacknowledged", "acknowledgement_expired", "snooze_ended", "reopened"})
_SAID = STEPPING | {"nobody_answered"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """The lines from the one that began it; `ended` is the place of the one that ended the paging.

    `replaced_at` is when the next one began. `sure`: the number and the end are certain.
    """

    number: int
    lines: tuple[Line, ...]
    ended: int | None = None
    replaced_at: datetime | None = None
    sure: bool = True

    @property
    def begun_at(self) -> datetime:
        """When its first step was due."""
        return self.lines[0].at

    @property
    def over_at(self) -> datetime | None:
        """Since when nobody is to be paged by it; None while it runs."""
        return self.replaced_at if self.ended is None else self.lines[self.ended].at


@dataclass(frozen=True, slots=True)
class _State:
    """The alert as the lines so far tell of it."""

    status: Status = Status.OPEN
    suppressed: bool = False
    answers: int = 0
    stepped: bool = False

    @property
    def paging(self) -> bool:
        return self.status is Status.OPEN and not self.suppressed


def episodes(alert: Alert, lines: Sequence[Line]) -> tuple[Episode, ...]:
    """All of them, oldest first; where they are not as many as the alert counts, none is sure."""
    found: list[Episode] = []
    state = _State()
    first = 0
    ended: int | None = None
    for index, line in enumerate(lines):
        before = state
        begins = index == 0 or _begins(state, line, _next(lines, index))
        state = _after(state, line, alert.acknowledgements_required, begins=begins)
        if begins:
            if index:
                found.append(_episode(lines[first:index], ended, line.at))
            first, ended = index, (None if state.paging else 0)
        elif before.paging and not state.paging:
            ended = index - first
    if lines:
        found.append(_episode(lines[first:], ended, None))
    return tuple(_numbered(alert, found))


def _episode(lines: Sequence[Line], ended: int | None, replaced_at: datetime | None) -> Episode:
    return Episode(number=0, lines=tuple(lines), ended=ended, replaced_at=replaced_at)


def _numbered(alert: Alert, found: Sequence[Episode]) -> Sequence[Episode]:
    """Counted back from the one that runs. In emergency mode each had its own number to answer."""
    counted = len(found) == alert.episode
    last = len(found) - 1
    return [
        replace(
            one,
            number=alert.episode - last + index,
            sure=counted and (alert.mode is not Mode.EMERGENCY or index == last),
        )
        for index, one in enumerate(found)
    ]


def _next(lines: Sequence[Line], index: int) -> Line | None:
    """The next line, where the same change may have written it."""
    after = lines[index + 1] if index + 1 < len(lines) else None
    return after if after is not None and after.at == lines[index].at else None


def _begins(state: _State, line: Line, after: Line | None) -> bool:
    """Whether this line began to escalate anew."""
    if line.kind in _AGAIN:
        return True
    if line.kind == "suppression_ended":
        return state.status is Status.OPEN
    if line.kind == "escalated":
        if not state.paging:
            return True
        return after is None or after.kind not in STEPPING or after.position == FIRST
    if line.kind != "severity_raised" or not state.paging or after is None:
        return False
    # It was only recorded until then, or nobody could be found.
    return after.position == FIRST if state.stepped else after.kind in _SAID


def _after(state: _State, line: Line, required: int, *, begins: bool) -> _State:
    """The state after this line."""
    match line.kind:
        case "raised":
            return _State(suppressed=bool(line.data.get("suppressed")))
        case "acknowledged" if state.status is Status.OPEN:
            answers = state.answers + 1
            status = Status.ACKNOWLEDGED if answers >= required else Status.OPEN
            return replace(state, answers=answers, status=status)
        case "snoozed" | "taken_over":
            return replace(state, status=Status.ACKNOWLEDGED)
        case "closed" | "merged":
            return replace(state, status=Status.CLOSED)
        case "suppressed":
            return replace(state, suppressed=True)
        case "step" | "nobody" | "passed_over":
            return replace(state, stepped=True)
        case "suppression_ended" | "escalated":
            state = replace(state, suppressed=False)
        case _:
            pass
    return _State(suppressed=state.suppressed) if begins else state
