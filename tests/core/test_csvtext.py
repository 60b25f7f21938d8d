"""Tables as CSV."""

import csv
import io

import pytest

from tocsin.core.csvtext import csv_text


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\t =", " \n@"])
def test_no_cell_begins_like_a_formula(begin: str) -> None:
    text = csv_text(["user", "hours"], [[f"{begin}1+1", -2.5], ["ada = 1", None]])
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows == [["user", "hours"], [f"'{begin}1+1", "-2.5"], ["ada = 1", ""]]


def test_quotes_commas_and_lines_stay_inside_their_cell() -> None:
    cell = 'Ada, "the\r\nlead"'
    text = csv_text(["user"], [[cell]])
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["user"], [cell]]
