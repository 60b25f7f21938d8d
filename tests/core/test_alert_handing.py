"""How an alert is handed on and ended: the table, cell by cell."""

import pytest

from tests.core.alert_cells import Row, cells, outcome
from tests.core.stories import ADA, EVA, JONAS, MARA, PORTAL, UNREACHABLE, by
from tocsin.core.changes import (
    Closed,
    EscalatedByHand,
    MergedInto,
    OwnerLeft,
    Reassigned,
    Reopened,
    RespondersAdded,
    Suppressed,
)
from tocsin.core.kinds import Status

CELLS = cells(
    Row(
        name="escalate by hand",
        change=EscalatedByHand(by(MARA)),
        open="""
            open, owner nobody, timer 03:04
            page ada.phone 02:59 escalation
            timeline escalated, step
        """,
        acknowledged="""
            open, owner nobody, timer 03:10
            take back all
            page ada.phone 03:05 escalation
            timeline escalated, step
        """,
        closed="refused: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="escalate a suppressed one",
        change=EscalatedByHand(by(MARA)),
        early=((0.5, Suppressed("maintenance")),),
        open="""
            open, owner nobody, timer 03:01
            take back all
            page mara.phone 02:59 escalation every 30s
            page mara.mail 03:01 escalation
            timeline escalated, step
        """,
        acknowledged="""
            open, owner nobody, timer 03:07
            take back all
            page mara.phone 03:05 escalation every 30s
            page mara.mail 03:07 escalation
            timeline escalated, step
        """,
        closed="refused: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="reassign to a person",
        change=Reassigned(by(MARA), (JONAS,), "Jonas"),
        open="""
            open, owner nobody, timer 03:00
            page jonas.phone 02:59 escalation every 30s
            timeline reassigned
        """,
        acknowledged="""
            acknowledged, owner jonas, timer 06:49
            page jonas.phone 03:05 responder every 30s
            source acknowledged by Jonas
            timeline reassigned
        """,
        closed="refused: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="reassign to a team",
        change=Reassigned(by(ADA), (UNREACHABLE, JONAS, EVA), "network"),
        open="""
            open, owner nobody, timer 03:00
            page jonas.phone 02:59 escalation every 30s
            page eva.phone 02:59 escalation
            timeline reassigned
        """,
        acknowledged="""
            acknowledged, owner jonas, timer 06:49
            page jonas.phone 03:05 responder every 30s
            page eva.phone 03:05 responder
            source acknowledged by Jonas
            timeline reassigned
        """,
        closed="refused: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="reassign again to the same person",
        change=Reassigned(by(ADA), (JONAS,), "Jonas"),
        early=((0.5, Reassigned(by(MARA), (JONAS,), "Jonas")),),
        late=((1.5, Reassigned(by(MARA), (JONAS,), "Jonas")),),
        open="unchanged: already given to Jonas, who is being paged",
        acknowledged="unchanged: already owned by Jonas",
        closed="refused: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="reassign to the owner, or to whom only the step pages",
        change=Reassigned(by(ADA), (MARA,), "Mara"),
        open="""
            open, owner nobody, timer 03:00
            take back mara
            page mara.phone 02:59 escalation every 30s
            page mara.mail 03:00 escalation
            timeline reassigned
        """,
        acknowledged="unchanged: already owned by Mara",
        closed="refused: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="reassign to one more than before",
        change=Reassigned(by(ADA), (JONAS, EVA), "network"),
        early=((0.5, Reassigned(by(MARA), (EVA,), "Eva")),),
        open="""
            open, owner nobody, timer 03:00
            take back jonas eva
            page jonas.phone 02:59 escalation every 30s
            page eva.phone 02:59 escalation
            timeline reassigned
        """,
        acknowledged="""
            acknowledged, owner jonas, timer 06:49
            take back jonas eva
            page jonas.phone 03:05 responder every 30s
            page eva.phone 03:05 responder
            source acknowledged by Jonas
            timeline reassigned
        """,
        closed="refused: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="reassign to nobody in reach",
        change=Reassigned(by(ADA), (UNREACHABLE,), "Nobody"),
        open="refused: Nobody cannot be reached: nobody on duty, or no contact method",
        acknowledged="refused: Nobody cannot be reached: nobody on duty, or no contact method",
        closed="refused: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="reassign a suppressed one",
        change=Reassigned(by(ADA), (JONAS,), "Jonas"),
        early=((0.5, Suppressed("maintenance")),),
        open="""
            open, owner nobody, timer never, suppressed: maintenance
            page jonas.phone 02:59 responder every 30s
            timeline reassigned
        """,
        acknowledged="""
            acknowledged, owner jonas, timer 06:49, suppressed: maintenance
            page jonas.phone 03:05 responder every 30s
            source acknowledged by Jonas
            timeline reassigned
        """,
        closed="refused: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="responders added",
        change=RespondersAdded(by(MARA), (EVA, UNREACHABLE)),
        open="""
            open, owner nobody, timer 03:00
            page eva.phone 02:59 responder
            timeline responders_added
        """,
        acknowledged="""
            acknowledged, owner mara, timer 06:49
            page eva.phone 03:05 responder
            timeline responders_added
        """,
        closed="refused: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="responders asked again",
        change=RespondersAdded(by(MARA), (EVA, UNREACHABLE)),
        early=((0.5, RespondersAdded(by(ADA), (EVA,))),),
        open="unchanged: asked already, and being paged",
        acknowledged="unchanged: asked already, and being paged",
        closed="refused: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="close",
        change=Closed(by(JONAS), "false alarm", "falsePositive"),
        open="""
            closed, owner nobody, timer never
            take back all and responders
            page mara.phone 02:59 resolved
            source closed by Jonas
            timeline closed
        """,
        acknowledged="""
            closed, owner mara, timer never
            take back all and responders
            page mara.phone 03:05 resolved
            source closed by Jonas
            timeline closed
        """,
        closed="unchanged: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="close at the source",
        change=Closed(PORTAL),
        open="""
            closed, owner nobody, timer never
            take back all and responders
            page mara.phone 02:59 resolved
            timeline closed
        """,
        acknowledged="""
            closed, owner mara, timer never
            take back all and responders
            page mara.phone 03:05 resolved
            timeline closed
        """,
        closed="unchanged: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="merged",
        change=MergedInto("incident-2", PORTAL),
        open="""
            closed, owner nobody, timer never
            take back all and responders
            page mara.phone 02:59 resolved
            timeline merged
        """,
        acknowledged="""
            closed, owner mara, timer never
            take back all and responders
            page mara.phone 03:05 resolved
            timeline merged
        """,
        closed="unchanged: closed by Mara at 02:00 UTC",
    ),
    Row(
        name="its owner goes off duty",
        change=OwnerLeft(MARA.id, "Mara", {JONAS.id: "Jonas", MARA.id: "Mara"}),
        open="unchanged: not acknowledged by them any more",
        acknowledged="""
            acknowledged, owner mara, timer 06:49
            page jonas.phone 03:05 offered
            timeline offered
        """,
        closed="unchanged: not acknowledged by them any more",
    ),
    Row(
        name="somebody else than its owner goes off duty",
        change=OwnerLeft(JONAS.id, "Jonas", {EVA.id: "Eva"}),
        open="unchanged: not acknowledged by them any more",
        acknowledged="unchanged: not acknowledged by them any more",
        closed="unchanged: not acknowledged by them any more",
    ),
    Row(
        name="reopen by hand",
        change=Reopened(by(JONAS)),
        open="unchanged: not closed, but open",
        acknowledged="unchanged: not closed, but acknowledged",
        closed="""
            open, owner nobody, timer 03:07
            take back all
            page mara.phone 03:05 escalation every 30s
            page mara.mail 03:07 escalation
            source reopened by Jonas
            timeline reopened, step
        """,
    ),
    Row(
        name="reopen at the source",
        change=Reopened(PORTAL),
        open="unchanged: not closed, but open",
        acknowledged="unchanged: not closed, but acknowledged",
        closed="""
            open, owner nobody, timer 03:07
            take back all
            page mara.phone 03:05 escalation every 30s
            page mara.mail 03:07 escalation
            timeline reopened, step
        """,
    ),
)


@pytest.mark.parametrize(("row", "status", "expected"), CELLS.values(), ids=CELLS)
def test_an_alert_is_handed_on_as_the_table_says(row: Row, status: Status, expected: str) -> None:
    assert outcome(row, status) == expected
