"""Rules that turn an event into a category, a severity, a team and a deduplication key."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from tocsin.core.escalation import Policy
from tocsin.core.event import Event
from tocsin.core.kinds import Mode, Severity, Urgency
from tocsin.core.matching import ANYTHING, Fields, Match, matches


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A kind of alert that a team knows by its keywords; the first that matches is chosen."""

    name: str
    keywords: tuple[str, ...] = ()
    match_all: bool = False
    suppress: bool = False
    urgency: Urgency | None = None
    mode: Mode | None = None
    acknowledgements: int | None = None
    policy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What is decided about an event before it becomes an alert.

    `mode` and `acknowledgements` are None where neither sender nor category says.
    """

    category: str | None
    severity: Severity
    urgency: Urgency
    mode: Mode | None
    acknowledgements: int | None
    policy: str | None
    suppressed: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """A maintenance window that is open until `until`, and which alerts it means.

    `integration` is the row of the one that it means, None for all; 0 is that of none.
    """

    name: str
    reason: str
    until: datetime
    integration: int | None = None
    category: str | None = None
    match: Match = ANYTHING


def hushing(
    windows: Iterable[Maintenance], integration: int | None, category: str | None, fields: Fields
) -> Maintenance | None:
    """The window that means such an alert, the one that is open longest; None where none does."""
    meant = [
        window
        for window in windows
        if window.integration in {None, integration}
        and (window.category is None or window.category.casefold() == (category or "").casefold())
        and matches(window.match, fields)
    ]
    return max(meant, key=lambda window: window.until, default=None)


def chosen(policies: Mapping[str, Policy], name: str | None) -> tuple[str | None, Policy]:
    """The policy called `name`, else `default`, else any, else one without steps and a name.

    An alert with none of them is told to the team's admins at once, so it is never silent.
    """
    for one in (name, "default", *policies):
        if one is not None and one in policies:
            return one, policies[one]
    return None, Policy(steps=())


def route(event: Event, categories: Iterable[Category], policy: str | None = None) -> Route:
    """Where `event` goes; a severity that the sender did not say is high.

    `policy` is the integration's or connector's own; a category's wins.
    """
    category = _category(event, tuple(categories))
    severity = event.severity or Severity.HIGH
    return Route(
        category=category.name if category else event.category,
        severity=severity,
        urgency=(category and category.urgency) or URGENCY[severity],
        mode=event.mode or (category.mode if category else None),
        acknowledgements=category.acknowledgements if category else None,
        policy=(category and category.policy) or policy,
        suppressed=f"category {category.name}" if category and category.suppress else None,
    )


URGENCY: Mapping[Severity, Urgency] = {
    Severity.CRITICAL: Urgency.URGENT,
    Severity.HIGH: Urgency.URGENT,
    Severity.MEDIUM: Urgency.NORMAL,
    Severity.LOW: Urgency.NORMAL,
    Severity.INFO: Urgency.RECORD,
}


def urgency(severity: Severity, name: str | None, categories: Iterable[Category]) -> Urgency:
    """How urgent an alert of a category is when its severity has changed."""
    category = next((one for one in categories if one.name == name), None)
    return (category and category.urgency) or URGENCY[severity]


def _category(event: Event, categories: tuple[Category, ...]) -> Category | None:
    """The one the sender asks for, else the first whose keywords stand in the event."""
    asked = (event.category or "").casefold()
    if asked:
        for category in categories:
            if category.name.casefold() == asked:
                return category
    words = "\n".join(_words(event)).casefold()
    return next((category for category in categories if _matches(category, words)), None)


def _matches(category: Category, words: str) -> bool:
    if not category.keywords:
        return False
    found = (bool(keyword) and keyword.casefold() in words for keyword in category.keywords)
    return all(found) if category.match_all else any(found)


def _words(event: Event) -> Iterable[str]:
    yield event.title
    yield event.text
    for name, value in event.details.items():
        yield name
        yield str(value)
