"""A small check of queries: do they parse as far as can be told, and name what the table has?

It knows the operators and functions that the solution uses, and no more: a new one is added here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tocsin.core.kinds import Severity, Status
from tocsin.core.notification import State
from tocsin.microsoft.table import COLUMNS, EventType

# Columns of Microsoft's own tables that the queries read (learn: SecurityIncident).
OTHER_TABLES: Mapping[str, frozenset[str]] = {
    "SecurityIncident": frozenset({"TimeGenerated", "IncidentName", "IncidentNumber", "Labels"}),
}
WORDS: Mapping[str, frozenset[str]] = {
    "EventType": frozenset(EventType),
    "Status": frozenset(Status),
    "Severity": frozenset(Severity),
    "DeliveryStatus": frozenset(State),
}
_OPERATORS = frozenset({
    "where", "summarize", "project", "extend", "order", "distinct", "take", "by", "asc", "desc",
    "and", "or", "in", "contains", "startswith", "between",
})  # fmt: skip
_FUNCTIONS = frozenset({
    "ago", "arg_max", "bin", "count", "countif", "dcount", "dcountif", "iff", "isempty",
    "isnotempty", "isnotnull", "max", "maxif", "minif", "now", "percentile", "round", "take_anyif",
})  # fmt: skip
_PARAMETERS = {"{TimeRange}": "> ago(1d)", "{TimeRange:grain}": "1h", "{Team}": "'*'"}
_TOKEN = re.compile(
    r"(?P<text>'[^'\n]*'|\"[^\"\n]*\")|(?P<number>\d+(?:\.\d+)?(?:d|h|m|s)?\b)"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<sign>==|!=|<=|>=|=>|!(?=startswith|in\b|contains)|[-+*/<>=(),|.;])"
    r"|(?P<blank>\s+)|(?P<odd>.)"
)
_PAIRS = {")": "("}


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a sign, a number or a quoted text."""

    kind: str
    text: str


def faults(query: str, table: str, *, counts_events: bool = True) -> list[str]:
    """What is wrong with a query; empty when nothing is.

    `counts_events`: each event has to count once, so rows of the custom table are deduplicated.
    """
    for name, stands_for in _PARAMETERS.items():
        query = query.replace(name, stands_for)
    tokens = [
        Token(str(found.lastgroup), found.group())
        for found in _TOKEN.finditer(query)
        if found.lastgroup != "blank"
    ]
    if odd := [token.text for token in tokens if token.kind == "odd"]:
        return [f"{odd[0]!r} cannot be read here"]
    source = tokens[0].text if tokens else ""
    known = frozenset(COLUMNS) if source == table else OTHER_TABLES.get(source)
    if known is None:
        return [f"{source or 'nothing'} is not a table that is known here"]
    return [
        *_unbalanced(tokens),
        *_unknown(tokens, known),
        *_wrong_words(tokens),
        *_untimed(tokens),
        *(_doubled(query) if source == table and counts_events else ()),
    ]


def _unbalanced(tokens: Sequence[Token]) -> Iterator[str]:
    opened: list[str] = []
    for token in tokens:
        if token.kind == "sign" and token.text == "(":
            opened.append(token.text)
        elif (
            token.kind == "sign"
            and token.text in _PAIRS
            and (not opened or opened.pop() != _PAIRS[token.text])
        ):
            yield f"{token.text} closes nothing"
    if opened:
        yield f"{opened[-1]} is never closed"


def _unknown(tokens: Sequence[Token], columns: frozenset[str]) -> Iterator[str]:
    """Names are columns until a name is given by `NAME =`; a pipe begins with an operator."""
    known = set(columns)
    for before, token, after in zip(
        [Token("", ""), *tokens], tokens[1:], [*tokens[2:], Token("", "")], strict=False
    ):
        del before
        if token.kind == "name" and after == Token("sign", "=") and token.text not in _OPERATORS:
            known.add(token.text)
    for index, token in enumerate(tokens[1:], start=1):
        following = tokens[index + 1] if index + 1 < len(tokens) else Token("", "")
        previous = tokens[index - 1]
        if previous == Token("sign", "|") and token.text not in _OPERATORS:
            yield f"{token.text} is not an operator that is known here"
        elif token.kind != "name" or previous == Token("sign", "."):
            continue
        elif following == Token("sign", "("):
            if token.text not in _FUNCTIONS | _OPERATORS:
                yield f"{token.text}() is not a function that is known here"
        elif token.text not in known | _OPERATORS:
            yield f"{token.text} is not a column"


def _wrong_words(tokens: Sequence[Token]) -> Iterator[str]:
    """Texts that a column of few words is compared with: one after ==, several after in."""
    for index, token in enumerate(tokens):
        if token.text not in WORDS:
            continue
        sign = tokens[index + 1].text if index + 1 < len(tokens) else ""
        if sign not in {"==", "!=", "in", "!"}:
            continue
        for said in tokens[index + 2 :]:
            if said.kind == "text":
                word = said.text[1:-1]
                if word not in WORDS[token.text]:
                    yield f"{token.text} never says {word!r}"
            elif said.text not in {"(", ",", "in"}:
                break
            if sign in {"==", "!="}:
                break


def _untimed(tokens: Sequence[Token]) -> Iterator[str]:
    first = [token.text for token in tokens[1:4]]
    if first != ["|", "where", "TimeGenerated"]:
        yield "the first thing after the table has to be a limit of TimeGenerated"


def _doubled(query: str) -> Iterator[str]:
    """Only the table's own filters may stand before the deduplication."""
    steps = [step.strip() for step in query.split("|")[1:]]
    later = [step for step in steps if not step.startswith("where")]
    if not later or later[0] != "summarize arg_max(TimeGenerated, *) by EventId":
        yield "a row may have been sent twice: summarize arg_max(TimeGenerated, *) by EventId"
