"""What the phone's page shows: its document, and the state that it draws."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Final

from tocsin.demo.phone.phone import Phone
from tocsin.demo.phone.rings import Action, Reply, Ring

Object = dict[str, object]

PAGE: Final = (Path(__file__).parent / "screen.html").read_text(encoding="utf-8")


def _hash(tag: str) -> str:
    """The source expression of an inline element (https://www.w3.org/TR/CSP3/#framework-hash)."""
    found = re.search(f"<{tag}>(.*?)</{tag}>", PAGE, re.DOTALL)
    assert found is not None
    digest = hashlib.sha256(found[1].encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src {_hash('style')}; script-src {_hash('script')}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
}

BUTTONS: Final[dict[str, tuple[Action, ...]]] = {
    "open": ("acknowledge", "close", "escalate"),
    "acknowledged": ("close", "escalate"),
}
"""Which buttons an alert has, by its status as the phone last heard it."""


def shown(phone: Phone, *, incidents: bool) -> Object:
    """The state that the page draws: alerts, the one heard of last first, each with its rings.

    `incidents` tells the page that it may ask for a new one.
    """
    by_alert: dict[str, list[Ring]] = {}
    for ring in phone.rung():
        by_alert.setdefault(ring.alert_id or ring.page.id, []).append(ring)
    replies: dict[str, list[Reply]] = {}
    for reply in phone.replies:
        replies.setdefault(reply.ring.alert_id or "", []).append(reply)
    cards = [_card(rings, replies.get(key, [])) for key, rings in by_alert.items()]
    cards.sort(key=lambda card: str(card["at"]), reverse=True)
    return {"version": phone.version, "incidents": incidents, "alerts": cards}


def _card(rings: list[Ring], replies: list[Reply]) -> Object:
    last = rings[-1]
    alert = last.page.alert
    status = _status(last, replies)
    return {
        "at": last.at.isoformat(),
        "ring": last.page.id,
        "title": alert.title if alert else last.page.text,
        "severity": alert.severity if alert else "",
        "number": alert.number if alert else None,
        "team": alert.team if alert else "",
        "text": last.page.text,
        "status": status,
        "rings": [_ring(ring) for ring in reversed(rings)],
        "replies": [_reply(reply) for reply in reversed(replies)],
        "buttons": BUTTONS.get(status, ()) if "reply" in last.page.links else (),
    }


def _status(last: Ring, replies: list[Reply]) -> str:
    """What was heard last: by the page, or by Tocsin's answer to a button."""
    answered = [reply for reply in replies if reply.status]
    if answered and answered[-1].at >= last.at:
        return answered[-1].status
    return last.page.alert.status if last.page.alert else ""


def _ring(ring: Ring) -> Object:
    page = ring.page
    return {
        "at": ring.at.isoformat(),
        "id": page.id,
        "kind": page.kind,
        "user": page.user,
        "step": page.step,
        "attempt": page.attempt,
        "text": page.text,
        "copies": ring.copies,
    }


def _reply(reply: Reply) -> Object:
    return {
        "at": reply.at.isoformat(),
        "user": reply.ring.page.user,
        "action": reply.action,
        "accepted": reply.accepted,
        "message": reply.message,
    }
