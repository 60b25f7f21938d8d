"""A person's notification rules: which contact method, after how long, at which urgency."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tocsin.core.kinds import Urgency


@dataclass(frozen=True, slots=True)
class Method:
    """One way to reach a person; `id` is the contact method's, `channel` its medium."""

    id: int
    name: str
    channel: str


@dataclass(frozen=True, slots=True)
class Rule:
    """After `after`, use the method called `via`; again every `repeat_every` until answered."""

    after: timedelta
    via: str
    repeat_every: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may be paged, with what is known about reaching them at this moment.

    `time_zone` is their own, None where they never said.
    """

    id: int
    name: str
    methods: tuple[Method, ...] = ()
    rules: Mapping[Urgency, tuple[Rule, ...]] = field(
        default_factory=dict[Urgency, tuple[Rule, ...]]
    )
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One message due to one contact method of one person."""

    user: int
    method: int
    due_at: datetime
    repeat_every: timedelta | None = None


MINIMUM_REPEAT = timedelta(seconds=5)
"""Nobody can answer faster than this; a shorter `repeat_every` is raised to it."""


def pages(person: Person, urgency: Urgency, start: datetime) -> tuple[Page, ...]:
    """What `person`'s rules ask for when they are paged at `start`, in the order of their times.

    A person without a usable rule for this urgency is reached by every method at once: a gap in
    somebody's rules is no reason to page nobody. Empty only for record, or without any method.
    """
    if urgency is Urgency.RECORD:
        return ()
    methods = {method.name: method for method in person.methods}
    chosen = tuple(
        Page(person.id, methods[rule.via].id, start + rule.after, _repeat(rule))
        for rule in person.rules.get(urgency, ())
        if rule.via in methods
    )
    if not chosen:
        chosen = tuple(Page(person.id, method.id, start) for method in person.methods)
    return tuple(sorted(_once_each(chosen), key=lambda page: page.due_at))


def _repeat(rule: Rule) -> timedelta | None:
    return None if rule.repeat_every is None else max(rule.repeat_every, MINIMUM_REPEAT)


def _once_each(pages_: Iterable[Page]) -> Iterable[Page]:
    """Two rules for the same method at the same instant are one page."""
    seen: set[tuple[int, datetime]] = set()
    for page in pages_:
        if (page.method, page.due_at) not in seen:
            seen.add((page.method, page.due_at))
            yield page
