"""Writes a page as a mail."""

import hashlib
import re
from datetime import datetime
from email.headerregistry import Address as MailAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from html import escape
from typing import Final

from tocsin.core.kinds import Urgency
from tocsin.ports import Outgoing

_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")
_ASCII: Final = SMTP.clone(cte_type="7bit")
_LINK_TEXT: Final = "Open the alert and answer"


def letter(message: Outgoing, sender: str, to: str, now: datetime) -> bytes:
    """The whole mail, lines ended by CRLF, ASCII only (any relay takes it).

    Message-ID follows from the message's id and References from the alert's, so that a retry is
    recognised and all mails of an alert form one thread. Only `links.page` stands in it.
    """
    name, plain_sender = parseaddr(sender)
    local, _, domain = plain_sender.rpartition("@")
    mail = EmailMessage(policy=_ASCII)
    mail["Date"] = format_datetime(now)
    mail["From"] = MailAddress(display_name=_one_line(name), username=local, domain=domain)
    mail["To"] = to
    mail["Subject"] = _one_line(message.subject) or "Tocsin"
    mail["Message-ID"] = _identifier("n", message.id, domain)
    if message.alert is not None:
        thread = _identifier("alert", str(message.alert.get("id", "")), domain)
        mail["In-Reply-To"] = thread
        mail["References"] = thread
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834
    mail["X-Auto-Response-Suppress"] = "All"
    if message.urgency is Urgency.URGENT:
        mail["Importance"] = "high"
        mail["X-Priority"] = "1"
    page = message.links.get("page")
    body = _clean(message.body or message.text)
    mail.set_content(_as_text(body, page))
    mail.add_alternative(_as_html(body, page, message.language), subtype="html")
    return mail.as_bytes()


def _as_text(body: str, page: str | None) -> str:
    return body if page is None else f"{body}\n\n{_LINK_TEXT}:\n{page}\n"


def _as_html(body: str, page: str | None, language: str) -> str:
    lines = escape(body).replace("\n", "<br>\n")
    link = "" if page is None else f'<p><a href="{escape(page)}">{_LINK_TEXT}</a></p>\n'
    return (
        f'<!doctype html>\n<html lang="{escape(language)}"><head><meta charset="utf-8"></head>'
        f"<body>\n<p>{lines}</p>\n{link}</body></html>\n"
    )


def _identifier(kind: str, of: str, domain: str) -> str:
    safe = of if _ID.fullmatch(of) else hashlib.sha256(of.encode(errors="replace")).hexdigest()
    return f"<{kind}-{safe}@{domain}>"


def _one_line(text: str) -> str:
    """Header text: no line ends or control characters, so that nothing can be injected."""
    printable = "".join(char if char.isprintable() else " " for char in _clean(text))
    return " ".join(printable.split())[:250]


def _clean(text: str) -> str:
    """Without lone surrogates, which no encoding can write, and without control characters."""
    whole = text.encode(errors="replace").decode().replace("\r\n", "\n")
    return "".join(char for char in whole if char >= " " or char in "\n\t")
