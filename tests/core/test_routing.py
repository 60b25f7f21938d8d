"""Where an event goes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tocsin.core.event import Event
from tocsin.core.kinds import Mode, Severity, Urgency
from tocsin.core.matching import FieldTest, How, Match, fields
from tocsin.core.routing import Category, Maintenance, Route, hushing, route

IDENTITY = Category(name="identity", keywords=("sign-in", "impossible travel"))
BOTH = Category(name="both", keywords=("vpn", "Berlin"), match_all=True)
NOISE = Category(name="noise", keywords=("test alert",), suppress=True)
SILENT = Category(name="silent")
DRILL = Category(
    name="Drill",
    keywords=("drill",),
    urgency=Urgency.NORMAL,
    mode=Mode.MULTI,
    acknowledgements=3,
    policy="drills",
)
CATEGORIES = (SILENT, BOTH, IDENTITY, NOISE, DRILL)


def routed(event: Event, policy: str | None = None) -> Route:
    """The route among all the categories."""
    return route(event, CATEGORIES, policy)


@pytest.mark.parametrize(
    ("event", "category"),
    [
        (Event(title="Risky SIGN-IN"), "identity"),
        (Event(title="x", text="An Impossible Travel was seen"), "identity"),
        (Event(title="x", details={"what": "sign-in"}), "identity"),
        (Event(title="x", details={"sign-in": 1}), "identity"),
        (Event(title="VPN down"), None),
        (Event(title="VPN down", text="in berlin"), "both"),
        (Event(title="VPN sign-in in Berlin"), "both"),  # the first that matches
        (Event(title="nothing"), None),
        (Event(title="sign-in", category="NOISE"), "noise"),  # asked for by the sender
        (Event(title="sign-in", category="unheard of"), "identity"),
        (Event(title="nothing", category="unheard of"), "unheard of"),
        (Event(title="silent"), None),  # no keywords: only when asked for
        (Event(title="x", category="Silent"), "silent"),
    ],
)
def test_the_sender_or_the_keywords_choose_the_category(event: Event, category: str | None) -> None:
    assert routed(event).category == category


@pytest.mark.parametrize(
    ("severity", "taken", "urgency"),
    [
        (Severity.CRITICAL, Severity.CRITICAL, Urgency.URGENT),
        (Severity.HIGH, Severity.HIGH, Urgency.URGENT),
        (Severity.MEDIUM, Severity.MEDIUM, Urgency.NORMAL),
        (Severity.LOW, Severity.LOW, Urgency.NORMAL),
        (Severity.INFO, Severity.INFO, Urgency.RECORD),
        (None, Severity.HIGH, Urgency.URGENT),
    ],
)
def test_the_severity_decides_the_urgency(
    severity: Severity | None, taken: Severity, urgency: Urgency
) -> None:
    chosen = routed(Event(title="x", severity=severity))
    assert (chosen.severity, chosen.urgency) == (taken, urgency)


def test_a_category_overrides_urgency_mode_and_policy() -> None:
    assert routed(Event(title="drill", severity=Severity.CRITICAL), policy="mine") == Route(
        category="Drill",
        severity=Severity.CRITICAL,
        urgency=Urgency.NORMAL,
        mode=Mode.MULTI,
        acknowledgements=3,
        policy="drills",
        suppressed=None,
    )


def test_a_sender_that_asks_for_a_mode_gets_it() -> None:
    assert routed(Event(title="drill", mode=Mode.EMERGENCY)).mode is Mode.EMERGENCY


def test_without_a_category_the_policy_of_the_way_in_is_taken() -> None:
    chosen = routed(Event(title="nothing"), policy="mine")
    assert (chosen.policy, chosen.mode, chosen.suppressed) == ("mine", None, None)


def test_a_suppressing_category_says_so() -> None:
    assert routed(Event(title="a test alert")).suppressed == "category noise"


END = datetime(2026, 12, 1, 4, tzinfo=UTC)
WINDOW = Maintenance(name="patching", reason="new disks", until=END)
FIELDS = fields({"title": ("Pump down",)}, {"zone": "north"})
NORTH = Match(every=(FieldTest("zone", How.IS, "north"),))


@pytest.mark.parametrize(
    ("window", "means"),
    [
        (WINDOW, True),
        (replace(WINDOW, integration=7), True),
        (replace(WINDOW, integration=8), False),
        (replace(WINDOW, integration=0), False),  # names one that the team does not have
        (replace(WINDOW, category="IDENTITY"), True),
        (replace(WINDOW, category="noise"), False),
        (replace(WINDOW, match=NORTH), True),
        (replace(WINDOW, match=Match(some=(FieldTest("zone", How.IS, "south"),))), False),
        (replace(WINDOW, integration=7, category="noise", match=NORTH), False),
    ],
)
def test_a_window_means_what_all_that_it_says_means(window: Maintenance, means: bool) -> None:
    found = hushing((window,), 7, "identity", FIELDS)
    assert (found is not None) is means


def test_an_alert_without_category_or_integration_is_meant_by_windows_that_name_none() -> None:
    assert hushing((WINDOW,), None, None, FIELDS) == WINDOW
    assert hushing((replace(WINDOW, category="x"),), None, None, FIELDS) is None
    assert hushing((replace(WINDOW, integration=7),), None, None, FIELDS) is None


def test_of_several_windows_the_one_that_is_open_longest_counts() -> None:
    longer = replace(WINDOW, name="move", until=END + timedelta(hours=1))
    assert hushing((WINDOW, longer, WINDOW), 7, None, FIELDS) == longer
    assert hushing((), 7, None, FIELDS) is None
