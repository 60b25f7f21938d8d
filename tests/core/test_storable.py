"""What a sender wrote, made fit to be stored."""

import json

from hypothesis import given
from hypothesis import strategies as st

from tocsin.core import storable

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
def test_clean_text_is_utf8_without_control_characters_and_stays_as_it_is(text: str) -> None:
    clean = storable.clean(text)
    clean.encode()
    assert not set(clean) & {chr(code) for code in (*range(9), 11, 12, *range(14, 32), 127)}
    assert storable.clean(clean) == clean


@given(ANY_TEXT)
def test_a_line_is_one_line_within_its_limit(text: str) -> None:
    line = storable.line(text, 10)
    assert len(line) <= 10
    assert line.split() == line.strip().split(" ") or not line


@given(ANY_TEXT, ANY_TEXT)
def test_a_long_key_is_shortened_but_stays_its_own(head: str, tail: str) -> None:
    long = storable.key("x" * 300 + head)
    assert len(long) == storable.KEY_LIMIT
    other = storable.key("x" * 300 + head + "y" + tail)
    assert other != long


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
        lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
        max_leaves=20,
    )
)
def test_a_tree_is_json_that_postgresql_takes(value: object) -> None:
    text = json.dumps(storable.tree(value), allow_nan=False)
    assert "\\u0000" not in text
    assert storable.tree(json.loads(text)) == json.loads(text)


def test_a_tree_is_cut_below_its_depth_and_numbers_beyond_64_bits_are_text() -> None:
    assert storable.tree({"a": {"b": [1]}}, 2) == {"a": {"b": "…"}}
    assert storable.tree([2**63, -(2**63) + 1, float("nan")]) == [
        "8000000000000000 (hexadecimal)",
        -(2**63) + 1,
        "nan",
    ]
