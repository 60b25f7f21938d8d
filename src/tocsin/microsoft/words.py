"""Microsoft's words for severity, status, classification, translated into ours."""

from dataclasses import dataclass
from typing import Literal

from tocsin.core.kinds import Severity
from tocsin.core.reconcile import RemoteStatus

Family = Literal["sentinel", "incident", "alert"]

SEVERITIES = {
    "high": Severity.HIGH,
    "medium": Severity.MEDIUM,
    "low": Severity.LOW,
    "informational": Severity.INFO,
}

_SENTINEL = {
    "new": RemoteStatus.NEW,
    "active": RemoteStatus.ACTIVE,
    "closed": RemoteStatus.CLOSED,
}
_INCIDENT = {
    "active": RemoteStatus.NEW,
    "inprogress": RemoteStatus.ACTIVE,
    "resolved": RemoteStatus.CLOSED,
    "redirected": RemoteStatus.CLOSED,
}
_ALERT = {
    "new": RemoteStatus.NEW,
    "inprogress": RemoteStatus.ACTIVE,
    "resolved": RemoteStatus.CLOSED,
}
_STATUSES: dict[Family, dict[str, RemoteStatus]] = {
    "sentinel": _SENTINEL,
    "incident": _INCIDENT,
    "alert": _ALERT,
}
_WRITTEN: dict[Family, dict[RemoteStatus, str]] = {
    "sentinel": {
        RemoteStatus.NEW: "New",
        RemoteStatus.ACTIVE: "Active",
        RemoteStatus.CLOSED: "Closed",
    },
    "incident": {
        RemoteStatus.NEW: "active",
        RemoteStatus.ACTIVE: "inProgress",
        RemoteStatus.CLOSED: "resolved",
    },
    "alert": {
        RemoteStatus.NEW: "new",
        RemoteStatus.ACTIVE: "inProgress",
        RemoteStatus.CLOSED: "resolved",
    },
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why an object is closed: Graph's word, Sentinel's word with the reason it must come with.

    The pairs are those of the REST reference 2025-09-01; BenignPositive without its reason is
    refused by Sentinel.
    """

    graph: str
    sentinel: str
    reason: str | None


_SUSPICIOUS = Verdict("truePositive", "TruePositive", "SuspiciousActivity")
_EXPECTED = Verdict("informationalExpectedActivity", "BenignPositive", "SuspiciousButExpected")
_BAD_LOGIC = Verdict("falsePositive", "FalsePositive", "IncorrectAlertLogic")
_BAD_DATA = Verdict("falsePositive", "FalsePositive", "InaccurateData")
UNDETERMINED = Verdict("unknown", "Undetermined", None)

_VERDICTS = {
    "truepositive": _SUSPICIOUS,
    "suspiciousactivity": _SUSPICIOUS,
    "informationalexpectedactivity": _EXPECTED,
    "benignpositive": _EXPECTED,
    "suspiciousbutexpected": _EXPECTED,
    "falsepositive": _BAD_LOGIC,
    "incorrectalertlogic": _BAD_LOGIC,
    "inaccuratedata": _BAD_DATA,
    "undetermined": UNDETERMINED,
    "unknown": UNDETERMINED,
}


def severity(word: str) -> Severity:
    """Ours for Microsoft's; what is missing or unknown is high, so that it is not slept through."""
    return SEVERITIES.get(squeezed(word), Severity.HIGH)


def status(word: str, family: Family) -> RemoteStatus:
    """Ours for Microsoft's; what is missing or unknown is new, so that somebody looks at it.

    `awaitingAction` (Defender Experts wait for the customer) is new for the same reason.
    """
    return _STATUSES[family].get(squeezed(word), RemoteStatus.NEW)


def written_status(wanted: RemoteStatus, family: Family) -> str:
    """Microsoft's word for a status of ours."""
    return _WRITTEN[family][wanted]


def verdict(word: str | None) -> Verdict | None:
    """The verdict that a word in Graph's or Sentinel's spelling names, or None."""
    return _VERDICTS.get(squeezed(word or ""))


def classification(word: str) -> str | None:
    """Microsoft's classification in Graph's spelling; None while nothing is determined."""
    found = verdict(word)
    return None if found is None or found is UNDETERMINED else found.graph


def squeezed(word: str) -> str:
    """A word without case, blanks and punctuation: samples and services mix the spellings."""
    return "".join(char for char in word.casefold() if char.isalnum())
