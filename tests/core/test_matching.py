"""Tests on the fields of an event, and patterns that would never end."""

import time

import pytest

from tocsin.core.matching import ANYTHING, FieldTest, How, Match, fields, matches, pattern

FIELDS = fields(
    {"title": ("Pump 7 down",), "category": (None,), "source": ("Plant", "signl4")},
    {"Zone": "North", "tags": ["night", "DB"], "critical": True, "rack": 12},
)  # fmt: skip


@pytest.mark.parametrize(
    ("field", "how", "wanted", "passes"),
    [
        ("title", How.IS, "pump 7 DOWN", True),
        ("title", How.IS, "pump", False),
        ("Title", How.CONTAINS, "PUMP", True),
        ("title", How.REGEX, r"^Pump \d+", True),
        ("title", How.REGEX, r"^pump", False),  # a pattern means its letters
        ("title", How.REGEX, r"(?i)^pump", True),
        ("source", How.IS, "signl4", True),
        ("source", How.IS, "plant", True),
        ("zone", How.IS, "north", True),
        ("details.zone", How.IS, "north", True),
        ("tags", How.IS, "db", True),
        ("critical", How.IS, True, True),
        ("critical", How.IS, "true", True),
        ("rack", How.IS, 12, True),
        ("rack", How.IS, "12", True),
        ("rack", How.IS, 1, False),
        ("category", How.CONTAINS, "", False),  # there is none
        ("no such field", How.IS, "x", False),
        ("title", How.REGEX, "(", False),
    ],
)
def test_one_test(field: str, how: How, wanted: object, passes: bool) -> None:
    assert matches(Match(every=(FieldTest(field, how, wanted),)), FIELDS) is passes


def test_all_and_any() -> None:
    yes, no = FieldTest("title", How.CONTAINS, "pump"), FieldTest("title", How.CONTAINS, "valve")
    assert matches(ANYTHING, FIELDS)
    assert matches(Match(every=(yes,), some=(no, yes)), FIELDS)
    assert not matches(Match(every=(yes, no)), FIELDS)
    assert not matches(Match(every=(yes,), some=(no,)), FIELDS)
    assert matches(Match(some=(no, yes)), FIELDS)


@pytest.mark.parametrize("text", ["(a|aa)+$", "^(a|a?)+$", "(a*)*(a*)*(a*)*b"])
def test_a_pattern_that_would_never_end_finds_nothing_soon(text: str) -> None:
    begun = time.process_time()
    slow = fields({"title": ("a" * 5000 + "!",)}, {})
    assert not matches(Match(every=(FieldTest("title", How.REGEX, text),)), slow)
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("(", "it is no regular expression"),
        ("a{9999999999}", "it is no regular expression"),
        ("(" * 450 + ")" * 450, "it is no regular expression"),
        ("x" * 1001, "more than 1000 characters"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused(text: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        pattern(text)
