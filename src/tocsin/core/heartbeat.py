"""How long a heartbeat may stay away, and what is said when it does, fails or comes back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.core.event import Answer, AnswerKind, Event
from tocsin.core.kinds import Severity
from tocsin.core.notation import duration

EVERY = timedelta(minutes=1)
GRACE = timedelta(seconds=30)
OK, START, FAIL = "ok", "start", "fail"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A heartbeat is expected every so often, and is missed when it is `grace` late."""

    every: timedelta = EVERY
    grace: timedelta = GRACE

    def due(self, heard_at: datetime) -> datetime:
        """When the next one is missed."""
        return heard_at + self.every + self.grace


def rhythm(settings: Mapping[str, object]) -> Rhythm:
    """The rhythm that an integration's settings name; what cannot be read is as if not set.

    >>> rhythm({"every": "5m"}).due(datetime(2026, 11, 24, 3, 0)).isoformat()
    '2026-11-24T03:05:30'
    """
    return Rhythm(_span(settings.get("every"), EVERY), _span(settings.get("grace"), GRACE))


def silence(name: str, heard_at: datetime | None, expected: Rhythm) -> Event:
    """The alert about a heartbeat that did not come."""
    last = "a run began and did not end" if heard_at is None else f"last heard {_utc(heard_at)}"
    every, grace = (int(span.total_seconds()) for span in (expected.every, expected.grace))
    return Event(
        title=f"No heartbeat from {name}",
        text=f"{last[:1].upper()}{last[1:]}; expected every {every} s, at most {grace} s late.",
        external_id=_key(name),
        severity=Severity.HIGH,
        source_name=name,
    )


def failure(name: str, at: datetime) -> Event:
    """The alert about a sender that says itself that it failed."""
    return Event(
        title=f"{name} reports a failure",
        text=f"Its heartbeat said so at {_utc(at)}.",
        external_id=_key(name),
        severity=Severity.HIGH,
        source_name=name,
    )


def back(name: str, at: datetime) -> Answer:
    """What closes the alert when the heartbeat is there again."""
    comment = f"Heartbeat again at {_utc(at)}."
    return Answer(kind=AnswerKind.CLOSE, external_id=_key(name), by=name, comment=comment)


def _key(name: str) -> str:
    return f"heartbeat:{name}"


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _span(text: object, usual: timedelta) -> timedelta:
    try:
        return usual if text is None else duration(str(text))
    except ValueError:
        return usual
