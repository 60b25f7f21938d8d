"""Tables as CSV in which no spreadsheet takes a cell for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA = ("=", "+", "-", "@")
"""With these a cell begins, behind blanks, that some spreadsheet would work out."""

_BLANKS = ("\t", "\r", "\n")
"""With these too: some spreadsheet passes over them."""

Cell = str | int | float | None


def csv_text(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """The table with its head, comma between cells, lines ending as RFC 4180 has it.

    Text that begins like a formula gets an apostrophe before it; numbers stay numbers.

    >>> csv_text(["user", "hours"], [["=1+1", -2.5]])
    "user,hours\\r\\n'=1+1,-2.5\\r\\n"
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return out.getvalue()


def harmless(cell: Cell) -> Cell:
    """The cell, with an apostrophe before text that a spreadsheet would work out."""
    if not isinstance(cell, str):
        return cell
    risky = cell.startswith(_BLANKS) or cell.lstrip().startswith(_FORMULA)
    return f"'{cell}" if risky else cell
