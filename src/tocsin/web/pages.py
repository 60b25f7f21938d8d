"""Pages that work without JavaScript: an alert with its buttons, or why there is none."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import Response

from tocsin.core.alert import Alert
from tocsin.core.kinds import Status
from tocsin.web.wording import LANGUAGES, Words, clock, sentence

SIZE_LIMIT = 10_000
"""Bytes of a page: it has to open on the worst connection that still carries anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An alert as its page shows it to the user `person`.

    `nonce` lets the form act once; `may_act` shows buttons; `carried` are the other alerts of the
    same message, on which the buttons act as well; `offered`: they may be taken over.
    """

    alert: Alert
    person: int
    team: str
    names: Mapping[int, str]
    zone: str
    nonce: str
    may_act: bool
    carried: tuple[Alert, ...] = ()
    offered: bool = False

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """All alerts of the message."""
        return (self.alert, *self.carried)


def alert_page(shown: Shown, language: str, said: str | None = None, status: int = 200) -> Response:
    """The alert with the buttons that its state allows, and what came of the last one."""
    words = LANGUAGES[language]
    return _page(
        status,
        language,
        heading=_fit(shown.alert.title, 600),
        said=said and _fit(said, 600),
        alert=_view(shown, words),
        actions=_actions(shown, words),
        nonce=shown.nonce,
        others=_others(shown, words),
    )


def notice_page(text: str, language: str, status: int) -> Response:
    """A page with one sentence, where there is no alert to show."""
    return _page(
        status, language, heading=text, said=None, alert=None, actions=(), nonce="", others=()
    )


def zone_of(name: str) -> ZoneInfo:
    """The zone, or UTC for a name that is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


_templates = Environment(
    loader=PackageLoader("tocsin.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _source(name: str) -> str:
    assert _templates.loader is not None
    return _templates.loader.get_source(_templates, name)[0]


_CSS = _source("page.css")
_CSS_HASH = base64.b64encode(hashlib.sha256(_CSS.encode()).digest()).decode()

_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Frame-Options": "DENY",
    "Vary": "Accept-Language",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_CSS_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
}


def _page(status: int, language: str, **values: object) -> Response:
    words = LANGUAGES[language]
    text = _templates.get_template("page.html").render(
        css=Markup(_CSS),  # noqa: S704 - our own file
        language=language,
        words=words,
        **values,
    )
    headers = _HEADERS | {"Content-Language": language}
    return Response(text, status, headers, "text/html; charset=utf-8")


def _view(shown: Shown, words: Words) -> dict[str, object]:
    alert, zone = shown.alert, zone_of(shown.zone)
    facts = [
        (words.source_name, _fit(alert.source.name or "", 300)),
        (words.category, _fit(alert.category or "", 300)),
        (words.seen, str(alert.seen_count) if alert.seen_count > 1 else ""),
    ]
    return {
        "badge": words.severities[alert.severity],
        "team": _fit(shown.team, 300),
        "number": alert.number,
        "state": _fit(sentence(alert, words, shown.names, zone), 600),
        "created": clock(alert.created_at, zone),
        "created_iso": _iso(alert.created_at),
        "facts": [(label, value) for label, value in facts if value],
        "url": _safe_url(alert.source.url),
        "text": _fit(alert.text, 3000),
    }


_MOST_OTHERS = 12


def _others(shown: Shown, words: Words) -> list[str]:
    """One line for each further alert of the message; the last says how many more there are."""
    zone = zone_of(shown.zone)
    lines = [
        _fit(
            f"#{alert.number} {words.severities[alert.severity]} {alert.title}"
            f" · {sentence(alert, words, shown.names, zone)}",
            200,
        )
        for alert in shown.carried[:_MOST_OTHERS]
    ]
    more = len(shown.carried) - len(lines)
    return [*lines, words.more.format(number=more)] if more else lines


def _actions(shown: Shown, words: Words) -> list[tuple[str, str]]:
    left = [alert for alert in shown.alerts if alert.status is not Status.CLOSED]
    if not shown.may_act or not left:
        return []
    label = words.take_over if shown.offered else words.acknowledge
    first = [("acknowledge", label)] if any(_asks(one, shown) for one in left) else []
    found = [*first, ("close", words.close), ("escalate", words.escalate)]
    if not shown.carried:
        return found
    return [(action, words.all.format(action=label, number=len(left))) for action, label in found]


def _asks(alert: Alert, shown: Shown) -> bool:
    """Whether an acknowledgement of this person would change something."""
    mine = alert.owner == shown.person
    asked = shown.person in alert.responders or (
        shown.offered if not mine else alert.awaiting_owner
    )
    return alert.status is Status.OPEN or asked


def _fit(text: str, most: int) -> str:
    """`text`, shortened so that it takes at most `most` bytes in the page."""
    if _bytes(text) <= most:
        return text
    low, high = 0, min(len(text), most)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _bytes(text[:middle]) <= most - 3 else (low, middle - 1)
    return text[:low].rstrip() + "…"


def _bytes(text: str) -> int:
    return len(escape(text).encode(errors="replace"))


def _safe_url(url: str | None) -> str | None:
    """Only addresses that a browser opens as a page, and none that would fill this one."""
    if url is None or not url.lower().startswith(("https://", "http://")) or _bytes(url) > 800:
        return None
    return url


def _iso(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
