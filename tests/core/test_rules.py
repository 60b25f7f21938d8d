"""A person's rules become pages."""

from datetime import timedelta

import pytest

from tests.core.stories import ADA, EVA, JONAS, MARA, MINUTE, NIGHT, SECOND, UNREACHABLE, at
from tocsin.core.kinds import Urgency
from tocsin.core.rules import MINIMUM_REPEAT, Method, Page, Person, Rule, pages

PHONE, MAIL = Method(11, "phone", "webhook"), Method(12, "mail", "email")
NOW = timedelta(0)
Expected = list[tuple[int, timedelta, timedelta | None]]


def person(*rules: Rule) -> Person:
    """Somebody with a phone and mail, and these rules for what is urgent."""
    return Person(1, "Mara", (PHONE, MAIL), {Urgency.URGENT: rules})


def asked(person_: Person, urgency: Urgency = Urgency.URGENT) -> Expected:
    """Method, delay and repetition of each page."""
    return [(p.method, p.due_at - NIGHT, p.repeat_every) for p in pages(person_, urgency, NIGHT)]


TABLE: dict[str, tuple[Person, Expected]] = {
    "as written": (
        person(Rule(NOW, "phone", 30 * SECOND), Rule(2 * MINUTE, "mail")),
        [(11, NOW, 30 * SECOND), (12, 2 * MINUTE, None)],
    ),
    "in the order of time": (
        person(Rule(2 * MINUTE, "phone"), Rule(NOW, "mail")),
        [(12, NOW, None), (11, 2 * MINUTE, None)],
    ),
    "one method twice, later again": (
        person(Rule(NOW, "phone"), Rule(MINUTE, "phone")),
        [(11, NOW, None), (11, MINUTE, None)],
    ),
    "the same method at the same moment once": (
        person(Rule(NOW, "phone", MINUTE), Rule(NOW, "phone")),
        [(11, NOW, MINUTE)],
    ),
    "a method that is gone is left out": (
        person(Rule(NOW, "pager"), Rule(MINUTE, "mail")),
        [(12, MINUTE, None)],
    ),
    "no usable rule: every method at once": (
        person(Rule(NOW, "pager")),
        [(11, NOW, None), (12, NOW, None)],
    ),
    "no rule: every method at once": (person(), [(11, NOW, None), (12, NOW, None)]),
    "nobody answers within a second": (
        person(Rule(NOW, "phone", SECOND)),
        [(11, NOW, MINIMUM_REPEAT)],
    ),
    "no method": (UNREACHABLE, []),
}


@pytest.mark.parametrize(("who", "expected"), TABLE.values(), ids=TABLE)
def test_rules_ask_for_pages(who: Person, expected: Expected) -> None:
    assert asked(who) == expected


@pytest.mark.parametrize("who", [MARA, JONAS, ADA, EVA, UNREACHABLE], ids=lambda who: who.name)
def test_nobody_is_paged_for_the_record(who: Person) -> None:
    assert pages(who, Urgency.RECORD, NIGHT) == ()


def test_each_urgency_has_its_own_rules() -> None:
    assert asked(MARA, Urgency.NORMAL) == [(11, NOW, None)]
    assert pages(EVA, Urgency.NORMAL, at(1)) == (Page(EVA.id, 41, at(1)),)
