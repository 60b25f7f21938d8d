"""What a changed definition would change: who is on duty, how fair it is, what to watch out for."""

from tocsin.actions.whatif.defining import Definition, compare, definition, worked_out
from tocsin.actions.whatif.showing import comparison_object, coverage_object, share_object

__all__ = [
    "Definition",
    "compare",
    "comparison_object",
    "coverage_object",
    "definition",
    "share_object",
    "worked_out",
]
