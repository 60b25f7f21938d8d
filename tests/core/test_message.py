"""What a message says."""

from dataclasses import replace

import pytest
from inline_snapshot import snapshot

from tests.core.stories import JONAS, MARA, acknowledged, after, at, by, closed, opened
from tocsin.core.alert import Alert, Origin
from tocsin.core.changes import Closed, TakenOver
from tocsin.core.effects import Purpose
from tocsin.core.message import BODY_LIMIT, SUBJECT_LIMIT, TEXT_LIMIT, state_sentence, words

FULL = opened(
    title="Impossible\n travel",
    text="Mallory signed in from two continents.\nWithin a minute.",
    category="identity",
    source=Origin("microsoft", "sentinel", "https://portal.example.org/1"),
)


def test_a_page_says_how_bad_what_where_and_its_number() -> None:
    said = words(FULL, Purpose.ESCALATION, "SOC", 1)
    assert said.subject == snapshot("HIGH #12 Impossible travel")
    assert said.text == snapshot("HIGH #12 Impossible travel (SOC · sentinel)")
    assert said.body == snapshot("""\
HIGH #12 Impossible travel
Team: SOC · sentinel
Raised: 2026-11-18 01:58:00 UTC
Category: identity
Link: https://portal.example.org/1

Mallory signed in from two continents.
Within a minute.\
""")


def test_the_first_repetition_is_the_first_reminder() -> None:
    bodies = [words(FULL, Purpose.ESCALATION, "SOC", attempt).body for attempt in (1, 2, 3)]
    assert [body.partition("HIGH")[0] for body in bodies] == ["", "Reminder 1. ", "Reminder 2. "]


def test_a_reminder_counts_from_the_second_message() -> None:
    bare = replace(opened(), source=Origin("signl4"))
    assert words(bare, Purpose.ESCALATION, "SOC", 3).body == snapshot("""\
Reminder 2. HIGH #12 Impossible travel
Team: SOC
Raised: 2026-11-18 01:58:00 UTC\
""")
    assert words(bare, Purpose.RESPONDER, "SOC", 1).body == snapshot("""\
HIGH #12 Impossible travel
Team: SOC
Raised: 2026-11-18 01:58:00 UTC\
""")


def test_news_says_what_is_new() -> None:
    taken = after(acknowledged(), (5, TakenOver(by(JONAS))))
    assert words(acknowledged(), Purpose.ACKNOWLEDGED, "SOC", 1).text == snapshot(
        "Acknowledged by Mara: HIGH #12 Impossible travel (SOC · sentinel)"
    )
    assert words(taken, Purpose.UPDATE, "SOC", 1).text == snapshot(
        "Update: HIGH #12 Impossible travel (SOC · sentinel) Acknowledged by Jonas at 02:03 UTC."
    )
    assert words(closed(), Purpose.RESOLVED, "SOC", 1).text == snapshot(
        "Closed by Mara: HIGH #12 Impossible travel (SOC · sentinel)"
    )


def test_long_words_are_shortened_and_marked() -> None:
    long = opened(title="x" * 1000, text="y" * 10_000)
    said = words(long, Purpose.ESCALATION, "SOC", 1)
    assert len(said.subject) == SUBJECT_LIMIT
    assert len(said.text) == TEXT_LIMIT
    assert said.subject.endswith("…")
    assert said.text.endswith("…")
    assert said.body.endswith("y…")
    assert said.body.count("y") == BODY_LIMIT - 1


@pytest.mark.parametrize(
    ("alert", "sentence"),
    [
        (opened(), "Open; nobody owns it yet."),
        (replace(opened(), exhausted=True), "Open; nobody answered."),
        (acknowledged(), "Acknowledged by Mara at 01:59 UTC."),
        (after(acknowledged(), (5, TakenOver(by(JONAS)))), "Acknowledged by Jonas at 02:03 UTC."),
        (closed(), "Closed by Mara at 02:00 UTC."),
        (after(opened(), (3, Closed(by(MARA)))), "Closed by Mara at 02:01 UTC."),
    ],
)
def test_the_state_is_told_in_one_sentence(alert: Alert, sentence: str) -> None:
    assert state_sentence(alert) == sentence


def test_a_message_says_the_same_however_often_it_is_asked() -> None:
    once = words(FULL, Purpose.ESCALATION, "SOC", 2)
    assert words(replace(FULL, updated_at=at(99)), Purpose.ESCALATION, "SOC", 2) == once


def test_the_last_page_says_that_nobody_answered() -> None:
    alert = replace(opened(), exhausted=True)
    assert words(alert, Purpose.ESCALATION, "soc", 1).subject.startswith("Nobody answered: ")
