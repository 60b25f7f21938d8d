"""The table of what a change does to an open, an acknowledged and a closed alert."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from inspect import cleandoc

from tests.core.stories import MARA, after, at, by, opened, plan, shown
from tocsin.core.alert import apply
from tocsin.core.changes import Acknowledged, Change, Closed
from tocsin.core.kinds import Status


@dataclass(frozen=True, kw_only=True)
class Row:
    """One change and what comes of it, in the words of `stories.shown`, for each state.

    The alert was raised at 02:58 with `fields`, then `early` happened; Mara acknowledged it at
    02:59, then `late` happened; she closed it at 03:00. The change comes at `now`, by default at
    02:59 to the open alert and at 03:05 to the others.
    """

    name: str
    change: Change
    open: str
    acknowledged: str
    closed: str
    fields: Mapping[str, object] = field(default_factory=dict[str, object])
    early: tuple[tuple[float, Change], ...] = ()
    late: tuple[tuple[float, Change], ...] = ()
    now: float | None = None


Cell = tuple[Row, Status, str]


def cells(*rows: Row) -> dict[str, Cell]:
    """A test for each cell, by its name: the row, the state, what is expected."""
    return {
        f"{row.name.replace(' ', '-')}/{status}": (row, status, cleandoc(expected))
        for row in rows
        for status, expected in (
            (Status.OPEN, row.open),
            (Status.ACKNOWLEDGED, row.acknowledged),
            (Status.CLOSED, row.closed),
        )
    }


def outcome(row: Row, status: Status) -> str:
    """What really comes of the row's change in this state."""
    alert = after(opened(**row.fields), *row.early)
    if status is not Status.OPEN:
        alert = after(alert, (1, Acknowledged(by(MARA))), *row.late)
    if status is Status.CLOSED:
        alert = after(alert, (2, Closed(by(MARA))))
    assert alert.status is status
    now = row.now if row.now is not None else (1 if status is Status.OPEN else 7)
    return shown(apply(alert, row.change, plan(), at(now)))
