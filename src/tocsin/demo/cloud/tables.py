"""What the simulated workspace answers to queries."""

from collections.abc import Sequence
from dataclasses import dataclass

Cell = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Table:
    """Columns as (name, type) pairs; `dynamic` cells are JSON in a string, as the API has it."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Cell, ...], ...]
    partial_error: bool = False

    def body(self) -> dict[str, object]:
        """The answer; an incomplete one carries its error beside the rows."""
        table: dict[str, object] = {
            "name": "PrimaryResult",
            "columns": [{"name": name, "type": kind} for name, kind in self.columns],
            "rows": [list(row) for row in self.rows],
        }
        answer: dict[str, object] = {"tables": [table]}
        if self.partial_error:
            answer["error"] = {
                "code": "PartialError",
                "message": "The query stopped early; these rows are not all.",
                "details": [{"code": "QueryLimit", "message": "A limit of the engine was met."}],
            }
        return answer


class Tables:
    """Answers by a part of the query's text; the one registered last wins.

    A query that nothing fits is answered by a table without rows.
    """

    def __init__(self) -> None:
        self._answers: list[tuple[str, Table]] = []

    def answer(
        self,
        part: str,
        columns: Sequence[tuple[str, str]],
        rows: Sequence[Sequence[Cell]],
        *,
        partial_error: bool = False,
    ) -> None:
        """Queries that contain `part` get these rows."""
        table = Table(tuple(columns), tuple(tuple(row) for row in rows), partial_error)
        self._answers.insert(0, (part, table))

    def find(self, query: str) -> Table:
        return next((table for part, table in self._answers if part in query), Table((), ()))
