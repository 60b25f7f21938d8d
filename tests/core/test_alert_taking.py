"""How people take an alert, give it back and put it off: the table, cell by cell."""

import pytest

from tests.core.alert_cells import Row, cells, outcome
from tests.core.stories import ADA, EVA, JONAS, MARA, PORTAL, at, by
from tocsin.core.changes import (
    Acknowledged,
    AcknowledgementExpired,
    AcknowledgementExpiring,
    AcknowledgementExtended,
    ResponderAnswered,
    RespondersAdded,
    Snoozed,
    SnoozeEnded,
    TakenOver,
    Unacknowledged,
)
from tocsin.core.kinds import Actor, Mode, Status, Via

TWO: dict[str, object] = {"mode": Mode.MULTI, "acknowledgements_required": 2}

CELLS = cells(
    Row(
        name="another acknowledges",
        change=Acknowledged(by(JONAS), "on it"),
        open="""
            acknowledged, owner jonas, timer 06:49
            take back all
            page mara.phone 02:59 acknowledged
            source acknowledged by Jonas
            timeline acknowledged
        """,
        acknowledged="unchanged: already acknowledged by Mara at 01:59 UTC",
        closed="refused: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="the same acknowledges",
        change=Acknowledged(by(MARA)),
        open="""
            acknowledged, owner mara, timer 06:49
            take back all
            source acknowledged by Mara
            timeline acknowledged
        """,
        acknowledged="unchanged: already acknowledged by Mara",
        closed="refused: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="the portal acknowledges",
        change=Acknowledged(PORTAL),
        open="""
            acknowledged, owner nobody, timer 06:59
            take back all
            page mara.phone 02:59 acknowledged
            timeline acknowledged
        """,
        acknowledged="unchanged: already acknowledged by Mara at 01:59 UTC",
        closed="refused: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="the first of two acknowledges",
        change=Acknowledged(by(ADA)),
        fields=TWO,
        late=((1.5, Acknowledged(by(JONAS))),),
        open="""
            open, owner nobody, timer 03:00
            take back ada
            timeline acknowledged
        """,
        acknowledged="""
            acknowledged, owner mara, timer 06:49:30
            timeline acknowledged
        """,
        closed="refused: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="the second of two acknowledges",
        change=Acknowledged(by(ADA)),
        fields=TWO,
        early=((0.5, Acknowledged(by(JONAS))),),
        open="""
            acknowledged, owner jonas, timer 06:49
            take back all
            page mara.phone 02:59 acknowledged
            source acknowledged by Ada
            timeline acknowledged
        """,
        acknowledged="""
            acknowledged, owner jonas, timer 06:49
            timeline acknowledged
        """,
        closed="refused: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="take over",
        change=TakenOver(by(JONAS), "mine"),
        open="""
            acknowledged, owner jonas, timer 06:49
            take back all
            page mara.phone 02:59 acknowledged
            source acknowledged by Jonas
            timeline acknowledged
        """,
        acknowledged="""
            acknowledged, owner jonas, timer 06:55
            page mara.phone 03:05 update
            page jonas.phone 03:05 update
            source acknowledged by Jonas
            timeline taken_over
        """,
        closed="refused: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="take over at the source",
        change=TakenOver(Actor("Jonas", JONAS.id, Via.SOURCE)),
        open="""
            acknowledged, owner jonas, timer 06:49
            take back all
            page mara.phone 02:59 acknowledged
            timeline acknowledged
        """,
        acknowledged="""
            acknowledged, owner jonas, timer 06:55
            page mara.phone 03:05 update
            page jonas.phone 03:05 update
            timeline taken_over
        """,
        closed="refused: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="unacknowledge",
        change=Unacknowledged(by(MARA), "ill"),
        open="unchanged: not acknowledged, but open",
        acknowledged="""
            open, owner nobody, timer 03:07
            take back all
            page mara.phone 03:05 escalation every 30s
            page mara.mail 03:07 escalation
            source note by Mara
            timeline unacknowledged, step
        """,
        closed="unchanged: not acknowledged, but closed",
    ),
    Row(
        name="acknowledgement expired",
        change=AcknowledgementExpired(at(241), 1),
        late=((231, AcknowledgementExpiring(at(231), 1)),),
        now=241,
        open="unchanged: the alert has left what this timer was set for",
        acknowledged="""
            open, owner nobody, timer 07:01
            take back all
            page mara.phone 06:59 escalation every 30s
            page mara.mail 07:01 escalation
            source note by Tocsin
            timeline acknowledgement_expired, step
        """,
        closed="unchanged: the alert has left what this timer was set for",
    ),
    Row(
        name="snooze ended",
        change=SnoozeEnded(at(122), 1),
        late=((1.5, Snoozed(by(MARA), at(122))),),
        now=122,
        open="unchanged: the alert has left what this timer was set for",
        acknowledged="""
            open, owner nobody, timer 05:02
            take back all
            page mara.phone 05:00 escalation every 30s
            page mara.mail 05:02 escalation
            source note by Tocsin
            timeline snooze_ended, step
        """,
        closed="unchanged: the alert has left what this timer was set for",
    ),
    Row(
        name="snooze",
        change=Snoozed(by(JONAS), at(122)),
        open="""
            acknowledged, owner jonas, timer 05:00
            take back all
            page mara.phone 02:59 acknowledged
            source acknowledged by Jonas
            timeline snoozed
        """,
        acknowledged="""
            acknowledged, owner mara, timer 05:00
            take back all
            timeline snoozed
        """,
        closed="refused: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="snooze until the same time again",
        change=Snoozed(by(JONAS), at(122)),
        late=((1.5, Snoozed(by(MARA), at(122))),),
        open="""
            acknowledged, owner jonas, timer 05:00
            take back all
            page mara.phone 02:59 acknowledged
            source acknowledged by Jonas
            timeline snoozed
        """,
        acknowledged="unchanged: already snoozed until 2026-11-18T04:00:00Z",
        closed="refused: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="snooze that ends now",
        change=Snoozed(by(JONAS), at(7)),
        now=7,
        open="refused: a snooze must end in the future",
        acknowledged="refused: a snooze must end in the future",
        closed="refused: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="acknowledgement extended",
        change=AcknowledgementExtended(by(MARA)),
        open="unchanged: not acknowledged, but open",
        acknowledged="""
            acknowledged, owner mara, timer 06:55
            timeline extended
        """,
        closed="unchanged: not acknowledged, but closed",
    ),
    Row(
        name="extended by another",
        change=AcknowledgementExtended(by(JONAS)),
        open="unchanged: not acknowledged, but open",
        acknowledged="refused: only its owner can extend an acknowledgement",
        closed="unchanged: not acknowledged, but closed",
    ),
    Row(
        name="responder answered",
        change=ResponderAnswered(by(EVA)),
        early=((0.5, RespondersAdded(by(MARA), (EVA,))),),
        open="""
            acknowledged, owner eva, timer 06:49
            take back all
            take back eva
            page mara.phone 02:59 acknowledged
            source acknowledged by Eva
            timeline acknowledged
        """,
        acknowledged="""
            acknowledged, owner mara, timer 06:49
            take back eva
            timeline responder_answered
        """,
        closed="""
            closed, owner mara, timer never
            timeline responder_answered
        """,
    ),
    Row(
        name="responder acknowledges",
        change=Acknowledged(by(EVA)),
        early=((0.5, RespondersAdded(by(MARA), (EVA,))),),
        open="""
            acknowledged, owner eva, timer 06:49
            take back all
            take back eva
            page mara.phone 02:59 acknowledged
            source acknowledged by Eva
            timeline acknowledged
        """,
        acknowledged="""
            acknowledged, owner mara, timer 06:49
            take back eva
            timeline responder_answered
        """,
        closed="refused: closed by Mara at 02:00 UTC",
    ),
)


@pytest.mark.parametrize(("row", "status", "expected"), CELLS.values(), ids=CELLS)
def test_an_alert_is_taken_as_the_table_says(row: Row, status: Status, expected: str) -> None:
    assert outcome(row, status) == expected
