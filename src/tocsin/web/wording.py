"""The words of the pages in English and German, and how a browser's languages choose."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from tocsin.core.alert import Alert
from tocsin.core.kinds import Severity, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Everything a page says by itself. Templates take `user`, `time`, `number` and `action`."""

    raised: str
    source: str
    source_name: str
    category: str
    seen: str
    comment: str
    acknowledge: str
    take_over: str
    close: str
    escalate: str
    open: str
    exhausted: str
    acknowledged: str
    closed: str
    somebody: str
    not_found: str
    ended: str
    no_access: str
    used: str
    done: str
    unchanged: str
    unavailable: str
    unreadable: str
    may_not: str
    all: str
    more: str
    severities: Mapping[Severity, str]


ENGLISH = Words(
    raised="Raised",
    source="Open at the source",
    source_name="Source",
    category="Category",
    seen="Times seen",
    comment="Comment (optional)",
    acknowledge="Acknowledge",
    take_over="Take over",
    close="Close",
    escalate="Escalate",
    open="Open; nobody owns it yet.",
    exhausted="Open; nobody answered.",
    acknowledged="Acknowledged by {user} at {time}.",
    closed="Closed by {user} at {time}.",
    somebody="somebody",
    not_found="This link does not work. Open the alert from its newest message.",
    ended="This link has ended: the alert was closed more than a day ago.",
    no_access="You are no longer in this alert's team. Ask an admin if that is wrong.",
    used="This form was used before, so nothing was changed. The alert stands as shown.",
    done="Done.",
    unchanged="Nothing changed: it was so already.",
    unavailable="Tocsin cannot reach its database just now. Try again in a moment.",
    unreadable="The form could not be read. Open the link again.",
    may_not="Your role in this team lets you read only.",
    all="{action}: all {number}",
    more="… and {number} more",
    severities={
        Severity.CRITICAL: "CRITICAL",
        Severity.HIGH: "HIGH",
        Severity.MEDIUM: "MEDIUM",
        Severity.LOW: "LOW",
        Severity.INFO: "INFO",
    },
)

GERMAN = Words(
    raised="Ausgelöst",
    source="An der Quelle öffnen",
    source_name="Quelle",
    category="Kategorie",
    seen="Gesehen",
    comment="Kommentar (freiwillig)",
    acknowledge="Quittieren",
    take_over="Übernehmen",
    close="Schließen",
    escalate="Eskalieren",
    open="Offen; noch niemand ist zuständig.",
    exhausted="Offen; niemand hat geantwortet.",
    acknowledged="Quittiert von {user} um {time}.",
    closed="Geschlossen von {user} um {time}.",
    somebody="jemandem",
    not_found="Dieser Link gilt nicht. Öffne den Alarm aus seiner neuesten Nachricht.",
    ended="Dieser Link ist abgelaufen: Der Alarm ist seit mehr als einem Tag geschlossen.",
    no_access="Du bist nicht mehr im Team dieses Alarms. Wenn das falsch ist: frag einen Admin.",
    used="Dieses Formular wurde schon benutzt; es wurde nichts geändert. So steht der Alarm jetzt.",
    done="Erledigt.",
    unchanged="Nichts geändert: Es war schon so.",
    unavailable="Tocsin erreicht seine Datenbank gerade nicht. Versuch es gleich noch einmal.",
    unreadable="Das Formular war nicht lesbar. Öffne den Link noch einmal.",
    may_not="Deine Rolle in diesem Team erlaubt nur Lesen.",
    all="{action}: alle {number}",
    more="… und {number} weitere",
    severities={
        Severity.CRITICAL: "KRITISCH",
        Severity.HIGH: "HOCH",
        Severity.MEDIUM: "MITTEL",
        Severity.LOW: "NIEDRIG",
        Severity.INFO: "INFO",
    },
)

LANGUAGES: Mapping[str, Words] = {"en": ENGLISH, "de": GERMAN}


def language(accept: str) -> str:
    """`de` or `en`, by an Accept-Language header (RFC 9110 §12.5.4); English when in doubt."""
    best, weight = "en", 0.0
    for part in accept[:1000].split(","):
        name, _, parameter = part.strip().partition(";")
        wanted = name.partition("-")[0].strip().lower()
        quality = _quality(parameter)
        if wanted in LANGUAGES and quality > weight:
            best, weight = wanted, quality
    return best


def sentence(alert: Alert, words: Words, names: Mapping[int, str], zone: ZoneInfo) -> str:
    """How the alert stands, with times on the person's own clock."""
    match alert.status:
        case Status.OPEN:
            return words.exhausted if alert.exhausted else words.open
        case Status.ACKNOWLEDGED:
            taken = alert.taken
            user = names.get(alert.owner or 0) or (taken.name if taken else words.somebody)
            at = taken.at if taken else alert.updated_at
            return words.acknowledged.format(user=user, time=clock(at, zone))
        case Status.CLOSED:
            end = alert.closure
            user = names.get(end.user or 0, end.name) if end else words.somebody
            return words.closed.format(
                user=user, time=clock(end.at if end else alert.updated_at, zone)
            )


def clock(at: datetime, zone: ZoneInfo) -> str:
    """Date, time and the zone's abbreviation, as `2026-11-24 07:03 CET`."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(float(value), 1.0)
    except ValueError:
        return 0.0
