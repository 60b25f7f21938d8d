"""The check of queries finds what it is there for."""

import pytest

from deploy.solution.kql import faults

TIMED = "SIGNL4_CL\n| where TimeGenerated > ago(1d)\n"
ROWS = TIMED + "| summarize arg_max(TimeGenerated, *) by EventId\n"


@pytest.mark.parametrize(
    "query",
    [
        ROWS + "| where EventType == 'created' and Severity in ('high', 'critical')",
        ROWS + "| extend Minutes = (now() - TimeGenerated) / 1m\n| summarize max(Minutes) by Team",
        ROWS + "| where Detail.kind startswith 'raised'\n| take 5",
        TIMED + "| where Team in ({Team}) or '*' in ({Team})\n"
        "| summarize arg_max(TimeGenerated, *) by EventId",
        ROWS + "| summarize Pages = count() by Channel, bin(TimeGenerated, {TimeRange:grain})",
        "SecurityIncident\n| where TimeGenerated > ago(1d)\n| where Labels contains 'Tocsin'",
    ],
)
def test_a_sound_query_passes(query: str) -> None:
    assert faults(query, "SIGNL4_CL") == []


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", "nothing is not a table that is known here"),
        ("Heartbeat | where TimeGenerated > ago(1d)", "Heartbeat is not a table"),
        (ROWS + "| where Owner == 'x'", "Owner is not a column"),
        (ROWS + "| where eventtype == 'created'", "eventtype is not a column"),
        (ROWS + "| where EventType == 'paged'", "EventType never says 'paged'"),
        (ROWS + "| where Severity in ('high', 'High')", "Severity never says 'High'"),
        (ROWS + "| where Status !in ('new')", "Status never says 'new'"),
        (ROWS + "| where DeliveryStatus == 'lost'", "DeliveryStatus never says 'lost'"),
        (ROWS + "| where (Team == 'a'", "( is never closed"),
        (ROWS + "| where Team == 'a')", ") closes nothing"),
        (ROWS + "| where Team == 'a", '"\'" cannot be read here'),
        (ROWS + "| evaluate x", "evaluate is not an operator"),
        (ROWS + "| summarize hll(Team)", "hll() is not a function"),
        ("SIGNL4_CL\n| summarize arg_max(TimeGenerated, *) by EventId", "a limit of TimeGenerated"),
        (TIMED + "| summarize Pages = count()", "a row may have been sent twice"),
        ("SecurityIncident\n| where TimeGenerated > ago(1d)\n| where Severity == 'x'", "Severity"),
    ],
)
def test_each_fault_is_told(query: str, told: str) -> None:
    assert [fault for fault in faults(query, "SIGNL4_CL") if told in fault] != []


def test_where_nothing_is_counted_rows_may_come_twice() -> None:
    newest = TIMED + "| summarize Last = max(TimeGenerated)"
    assert faults(newest, "SIGNL4_CL", counts_events=False) == []
