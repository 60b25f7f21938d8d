"""What plan and apply tell about their changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tocsin.actions.configure.faults import Fault
from tocsin.core.coverage import Comparison
from tocsin.store.shifts import OnDuty


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One object in a report: `schedule soc/primary`, and what is to be said about it."""

    what: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.what} ({self.note})" if self.note else self.what


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was done, or would be.

    `adopted` are objects that belong to the file from now on and stay as they are; `kept` are
    "not in the file". With `refused` nothing was written. `duty_before` and `duty_after` say who
    is on duty at `at` in the teams that the change touches, or in all when it touches none.
    `compared` has, by team, what becomes different ahead, where that was looked at.
    """

    at: datetime
    created: tuple[Line, ...] = ()
    changed: tuple[Line, ...] = ()
    removed: tuple[Line, ...] = ()
    adopted: tuple[Line, ...] = ()
    kept: tuple[Line, ...] = ()
    warnings: tuple[str, ...] = ()
    refused: tuple[Fault, ...] = ()
    duty_before: tuple[OnDuty, ...] = ()
    duty_after: tuple[OnDuty, ...] = ()
    compared: Mapping[str, Comparison] = field(default_factory=dict[str, Comparison])

    @property
    def changes(self) -> bool:
        """Whether anything is created, changed or removed."""
        return bool(self.created or self.changed or self.removed)


class RefusedError(Exception):
    """Nothing was written; `report.refused` names each reason with its remedy."""

    def __init__(self, report: Report) -> None:
        super().__init__("\n".join(map(str, report.refused)))
        self.report = report
