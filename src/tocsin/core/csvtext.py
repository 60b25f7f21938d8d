"""Tables as CSV in which no spreadsheet takes a cell for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""With these a cell begins that some spreadsheet would work out instead of showing."""

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
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return out.getvalue()


def _harmless(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
