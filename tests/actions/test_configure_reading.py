"""Reading configuration text: YAML 1.2 values, faults by line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.actions.configure import ConfigureError, read
from tocsin.actions.configure.exporting import text_of


def _faults(content: str | bytes) -> list[str]:
    with pytest.raises(ConfigureError) as refused:
        read(content)
    return [str(fault) for fault in refused.value.faults]


def test_what_yaml_1_1_would_bend_is_text() -> None:
    text = "a: no\nb: on\nc: 12:00\nd: 2026-11-02T09:00\ne: y\nf: 1_000\ng: 1:2:3\nh: =\n"
    expected = ["no", "on", "12:00", "2026-11-02T09:00", "y", "1_000", "1:2:3", "="]
    assert list(read(text).value.values()) == expected


def test_the_core_schema_resolves_null_booleans_numbers() -> None:
    text = "a: ~\nb:\nc: true\nd: FALSE\ne: 010\nf: 0o17\ng: 0x1F\nh: 1e3\ni: -.5\nj: '1'\n"
    assert list(read(text).value.values()) == [
        None,
        None,
        True,
        False,
        10,
        15,
        31,
        1000.0,
        -0.5,
        "1",
    ]


def test_keys_are_text_as_written() -> None:
    assert list(read("1: a\ntrue: b\n~: c\n").value) == ["1", "true", "~"]


def test_a_directive_for_yaml_1_1_changes_nothing() -> None:
    assert read("%YAML 1.1\n---\na: no\n").value == {"a": "no"}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: a: this key stands here twice"),
        ("a: 1\nb: [1\n", "line 3: this is not YAML"),
        ("a: 1\nb: c: d\n", "line 2: this is not YAML"),
        ("a: 1\nb: !!python/object:os.x 1\n", "line 2: the tag"),
        ("a: 1\nb: *none\n", "line 2: *none names no value"),
        ("a: &a [*a]\n", "line 1: *a names no value"),
        ("a: 1\n---\nb: 2\n", "line 2: a second document"),
        ("a: 1\n? [b]\n: c\n", "line 2: a key is text"),
        ('a: 1\nb: "\\0"\n', "line 2: b: the text holds a character"),
        ('a: "\\ud800"\n', "line 1: a: the text holds a character"),
        ("a: 1\nb: .inf\n", "line 2: b: this is no number"),
        ("a: 99999999999999999999\n", "line 1: a: the number is too large"),
        ("a: {<<: 3}\n", "`<<` merges"),
        ("a: \x07\n", "line 1: this is not YAML"),
        ("", "the file is empty"),
        ("# nothing\n", "the file is empty"),
        ("- a\n", "the file is a mapping"),
        (b"a: 1\nb: \xff\n", "line 2: the file is not UTF-8"),
        ("a: " + "[" * 10_000, "nested more than"),
        ("a: " + "x" * 1_100_000, "1048576 are the most"),
    ],
)
def test_bad_text_is_refused_with_its_line(content: str | bytes, fault: str) -> None:
    assert any(fault in found for found in _faults(content)), _faults(content)


def test_every_fault_is_named_at_once() -> None:
    assert len(_faults("a: 1\na: 2\nb: !x 1\nc: .nan\n")) == 3


def test_anchors_and_merges_work_within_bounds() -> None:
    text = "base: &b {x: 1, y: 2}\na: {<<: *b, y: 3}\nb: {<<: [*b, {z: 4}]}\n"
    assert read(text).value["a"] == {"x": 1, "y": 3}
    assert read(text).value["b"] == {"x": 1, "y": 2, "z": 4}


def test_aliases_cannot_make_a_small_file_endless() -> None:
    lines = ["a0: &a0 [1, 2]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "aliases make the file too large" in _faults("\n".join(lines))[0]


def test_values_know_the_line_of_their_key() -> None:
    lines = read("a:\n  b: 1\n  c:\n    - x\n    - y\n").lines
    assert lines["a", "c"] == 3
    assert lines["a", "c", 1] == 5


_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(_TEXT, _VALUES, min_size=1, max_size=4))
def test_what_export_writes_is_read_as_it_was(tree: dict[str, object]) -> None:
    assert read(text_of(tree)).value == tree


def test_the_example_is_read_with_its_texts_and_numbers(shared: Path) -> None:
    value = read((shared / "examples/soc.yaml").read_bytes()).value
    assert value["version"] == 1
    assert list(value) == ["version", "users", "teams", "settings"]
