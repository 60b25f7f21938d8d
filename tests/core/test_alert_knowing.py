"""What is learned about an alert, and its step's timer: the table, cell by cell."""

import pytest

from tests.core.alert_cells import Row, cells, outcome
from tests.core.stories import JONAS, PORTAL, at, by
from tocsin.core.changes import (
    Annotated,
    DetailsUpdated,
    SeenAgain,
    SeverityRaised,
    StepTimedOut,
    Suppressed,
    SuppressionEnded,
)
from tocsin.core.escalation import FIRST
from tocsin.core.kinds import Severity, Status, Urgency

MEDIUM: dict[str, object] = {"severity": Severity.MEDIUM, "urgency": Urgency.NORMAL}
INFO: dict[str, object] = {"severity": Severity.INFO, "urgency": Urgency.RECORD}

CELLS = cells(
    Row(
        name="seen again",
        change=SeenAgain(),
        open="""
            open, owner nobody, timer 03:00, seen 2 times
            timeline -
        """,
        acknowledged="""
            acknowledged, owner mara, timer 06:49, seen 2 times
            timeline -
        """,
        closed="refused: closed; the same key raises a new alert",
    ),
    Row(
        name="severity raised",
        change=SeverityRaised(Severity.CRITICAL, Urgency.URGENT),
        open="""
            open, owner nobody, timer 03:00
            timeline severity_raised
        """,
        acknowledged="""
            acknowledged, owner mara, timer 06:49
            page mara.phone 03:05 update
            timeline severity_raised
        """,
        closed="""
            closed, owner mara, timer never
            timeline severity_raised
        """,
    ),
    Row(
        name="severity not raised",
        change=SeverityRaised(Severity.HIGH, Urgency.URGENT),
        open="unchanged: already high",
        acknowledged="unchanged: already high",
        closed="unchanged: already high",
    ),
    Row(
        name="normal became urgent",
        change=SeverityRaised(Severity.HIGH, Urgency.URGENT),
        fields=MEDIUM,
        open="""
            open, owner nobody, timer 03:00
            take back mara
            page mara.phone 02:59 escalation every 30s
            page mara.mail 03:01 escalation
            timeline severity_raised
        """,
        acknowledged="""
            acknowledged, owner mara, timer 03:07, awaiting its owner
            page mara.phone 03:05 update
            timeline severity_raised
        """,
        closed="""
            closed, owner mara, timer never
            timeline severity_raised
        """,
    ),
    Row(
        name="record became normal",
        change=SeverityRaised(Severity.MEDIUM, Urgency.NORMAL),
        fields=INFO,
        open="""
            open, owner nobody, timer 03:01
            take back all
            page mara.phone 02:59 escalation
            timeline severity_raised, step
        """,
        acknowledged="""
            acknowledged, owner mara, timer 06:49
            page mara.phone 03:05 update
            timeline severity_raised
        """,
        closed="""
            closed, owner mara, timer never
            timeline severity_raised
        """,
    ),
    Row(
        name="other words",
        change=DetailsUpdated(title="Impossible travel, twice"),
        open="""
            open, owner nobody, timer 03:00
            timeline details
        """,
        acknowledged="""
            acknowledged, owner mara, timer 06:49
            timeline details
        """,
        closed="""
            closed, owner mara, timer never
            timeline details
        """,
    ),
    Row(
        name="annotate",
        change=Annotated(by(JONAS), "seen this before"),
        open="""
            open, owner nobody, timer 03:00
            source note by Jonas
            timeline annotated
        """,
        acknowledged="""
            acknowledged, owner mara, timer 06:49
            source note by Jonas
            timeline annotated
        """,
        closed="""
            closed, owner mara, timer never
            source note by Jonas
            timeline annotated
        """,
    ),
    Row(
        name="annotate at the source",
        change=Annotated(PORTAL, "seen this before"),
        open="""
            open, owner nobody, timer 03:00
            timeline annotated
        """,
        acknowledged="""
            acknowledged, owner mara, timer 06:49
            timeline annotated
        """,
        closed="""
            closed, owner mara, timer never
            timeline annotated
        """,
    ),
    Row(
        name="suppressed",
        change=Suppressed("maintenance"),
        open="""
            open, owner nobody, timer never, suppressed: maintenance
            take back all
            timeline suppressed
        """,
        acknowledged="""
            acknowledged, owner mara, timer 06:49, suppressed: maintenance
            timeline suppressed
        """,
        closed="unchanged: closed",
    ),
    Row(
        name="suppression ended",
        change=SuppressionEnded(),
        early=((0.5, Suppressed("maintenance")),),
        open="""
            open, owner nobody, timer 03:01
            take back all
            page mara.phone 02:59 escalation every 30s
            page mara.mail 03:01 escalation
            timeline suppression_ended, step
        """,
        acknowledged="""
            acknowledged, owner mara, timer 06:49
            timeline suppression_ended
        """,
        closed="""
            closed, owner mara, timer never
            timeline suppression_ended
        """,
    ),
    Row(
        name="step timed out",
        change=StepTimedOut(at(2), 1, FIRST),
        now=2,
        open="""
            open, owner nobody, timer 03:05
            page ada.phone 03:00 escalation
            timeline step
        """,
        acknowledged="unchanged: the alert has left what this timer was set for",
        closed="unchanged: the alert has left what this timer was set for",
    ),
    Row(
        name="step not over",
        change=StepTimedOut(at(2), 1, FIRST),
        now=1,
        open="unchanged: not due yet",
        acknowledged="unchanged: the alert has left what this timer was set for",
        closed="unchanged: the alert has left what this timer was set for",
    ),
)


@pytest.mark.parametrize(("row", "status", "expected"), CELLS.values(), ids=CELLS)
def test_what_is_learned_changes_an_alert_as_the_table_says(
    row: Row, status: Status, expected: str
) -> None:
    assert outcome(row, status) == expected
