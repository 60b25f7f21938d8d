"""A measured figure beside its limit, and how it is printed."""

import os
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Whether more or less is better."""

    AT_LEAST = "≥"
    AT_MOST = "≤"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """`value` and `limit` are in `unit`; `against` says what the limit was measured from.

    Without a limit it is only told. `wrong` says what was lost or answered badly: then the figure
    counts for nothing.
    """

    name: str
    value: float
    unit: str
    kind: Kind = Kind.AT_MOST
    limit: float | None = None
    against: str = ""
    note: str = ""
    wrong: str = ""

    @property
    def ratio(self) -> float | None:
        """The figure in parts of its limit."""
        return None if not self.limit else self.value / self.limit

    @property
    def verdict(self) -> str:
        """`pass`, `miss`, `wrong`, or nothing for a figure without a limit."""
        if self.wrong:
            return "wrong"
        if self.limit is None:
            return ""
        kept = self.value >= self.limit if self.kind is Kind.AT_LEAST else self.value <= self.limit
        return "pass" if kept else "miss"

    def line(self) -> str:
        """One line for people."""
        limit = "" if self.limit is None else f"{self.kind} {_number(self.limit)} {self.unit}"
        ratio = "" if self.ratio is None else f"{self.ratio:.2f} of it"
        shown = f"{_number(self.value)} {self.unit}"
        head = f"{self.name:<52}{shown:>13}  {limit:<16}{ratio:<12}{self.verdict:<6}"
        tail = "; ".join(part for part in (self.against, self.note, self.wrong) if part)
        return f"{head}{tail}".rstrip()


def busy() -> str:
    """How busy the machine is: runnable processes, averaged over one and five minutes."""
    one, five, _ = os.getloadavg()
    return f"load average {one:.1f} (1 min), {five:.1f} (5 min) on {os.cpu_count()} cores"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
