"""Recomputes from the history of an alert what should have happened, and names what did not."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from tocsin.core.verifying.episodes import episodes
from tocsin.core.verifying.history import (
    GRACE,
    Broken,
    Duty,
    Grade,
    History,
    Line,
    Noted,
    Promised,
)
from tocsin.core.verifying.pages import check_pages
from tocsin.core.verifying.repeats import check_repeats
from tocsin.core.verifying.steps import check_steps
from tocsin.core.verifying.whom import check_whom

__all__ = [
    "GRACE",
    "Broken",
    "Duty",
    "Grade",
    "History",
    "Line",
    "Noted",
    "Promised",
    "broken_promises",
    "judged",
]


def broken_promises(history: History, now: datetime, lease: timedelta) -> tuple[Broken, ...]:
    """Every promise about this alert that was not kept by `now`, in the order of their times.

    `lease` is how long a worker may hold a page. Lines of unknown kinds are reasons for nothing;
    what was due less than `GRACE` ago may still be under way.
    """
    if not judged(history):
        return ()
    return tuple(sorted(_all(history, now, lease), key=lambda one: one.due))


def judged(history: History) -> bool:
    """Whether its times can be held against each other: not over a clock that was set back."""
    return all(line.kind != "clock_set_back" for line in history.lines)


def _all(history: History, now: datetime, lease: timedelta) -> Iterator[Broken]:
    found = episodes(history.alert, history.lines)
    by_number = {episode.number: episode for episode in found}
    yield from check_steps(history, found, now)
    yield from check_whom(history, found)
    yield from check_pages(history, by_number, now, lease)
    yield from check_repeats(history, by_number, now)
