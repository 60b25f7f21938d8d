"""Recurrence rules of RFC 5545, as far as they name days; the time of day is that of the start.

Source: https://www.rfc-editor.org/rfc/rfc5545#section-3.3.10.
"""

from tocsin.core.recurrence.expanding import backwards, ends, first
from tocsin.core.recurrence.model import Frequency, Rule
from tocsin.core.recurrence.reading import MOST_COUNT, MOST_INTERVAL, parse

__all__ = [
    "MOST_COUNT",
    "MOST_INTERVAL",
    "Frequency",
    "Rule",
    "backwards",
    "ends",
    "first",
    "parse",
]
