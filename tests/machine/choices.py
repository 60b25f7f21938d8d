"""What the state machine draws from."""

from collections.abc import Callable, Mapping

from hypothesis import strategies as st

from tests.machine.installation import ACTORS, CATEGORIES, METHODS
from tocsin.actions.asked import Asked, Whom
from tocsin.core.changes import (
    Acknowledged,
    AcknowledgementExtended,
    Annotated,
    Change,
    Closed,
    EscalatedByHand,
    Reopened,
    ResponderAnswered,
    TakenOver,
    Unacknowledged,
)
from tocsin.core.event import Answer as Word
from tocsin.core.event import AnswerKind, Event
from tocsin.core.kinds import Actor, Mode, Severity, Via

AskedOf = Callable[[Actor, Whom, str | None], Asked]

PLACES = st.integers(0, 1)
CREWS = st.sampled_from([0, 1, None])
KEYS = st.sampled_from(["pump", "valve", "fan"])
WHO = st.sampled_from(sorted(ACTORS))
METHOD = st.sampled_from(sorted(METHODS))
PASSING = st.sampled_from([1, 5, 20, 31, 45, 61, 90, 121, 200, 360, 600])
PLAIN: Mapping[str, Callable[[Actor], Change]] = {
    "acknowledge": Acknowledged,
    "unacknowledge": Unacknowledged,
    "take over": TakenOver,
    "escalate": EscalatedByHand,
    "restart": lambda by: EscalatedByHand(by, restart=True),
    "responder": ResponderAnswered,
    "extend": AcknowledgementExtended,
    "close": Closed,
    "reopen": Reopened,
    "annotate": lambda by: Annotated(by, "seen"),
}
ANSWERS = [*PLAIN, "acknowledge", "reopen", "snooze 1", "snooze 6"]
EVENTS = st.builds(
    Event,
    title=st.just("Pump down"),
    external_id=KEYS,
    severity=st.sampled_from([Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.INFO]),
    mode=st.sampled_from([None, None, None, Mode.EMERGENCY, Mode.MULTI]),
    category=st.sampled_from([None, *CATEGORIES, "hold", "turns", "hasty", "picky"]),
)
WORDS = st.builds(Word, kind=st.sampled_from(AnswerKind), external_id=KEYS, comment=st.just("so"))
SAID = st.lists(st.one_of(EVENTS, EVENTS, WORDS), min_size=1, max_size=4)


def by(who: str) -> Actor:
    return Actor(who, ACTORS[who], Via.REPLY)


def whom(name: str) -> Whom:
    teams = {"soc": 1, "plant": 2}
    return Whom(name, team=teams[name]) if name in teams else Whom(name, user=ACTORS[name])
