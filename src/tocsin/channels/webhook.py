"""Pages a program by a signed HTTP POST."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

import msgspec

from tocsin.egress import AnswerTooLargeError
from tocsin.keys import webhook_signature
from tocsin.ports import (
    Address,
    Capabilities,
    ChannelContext,
    EgressError,
    Failed,
    FailureKind,
    Outgoing,
    Sent,
)

WITHIN: Final = timedelta(seconds=10)
LONGEST_RETRY_AFTER: Final = timedelta(hours=1)
"""A receiver that asks for more is asked again after this: a page is worth nothing next week."""

_MAX_ADDRESS = 2000
_TRY_LATER = frozenset({408, 425, 429})
_BAD_MESSAGE = frozenset({400, 413, 415, 422})


class WebhookChannel:
    """The contract's "Outgoing page on channel `webhook`", signed as Standard Webhooks has it.

    The receiver's answer decides: 2xx accepts; 408, 425, 429, 5xx are tried again, not before
    `Retry-After`; 410 and the complaints about the message (400, 413, 415, 422) are final; what
    is left (3xx, 401, 403, 404, ...) means a wrong address and waits for somebody to put it right.
    """

    media: ClassVar[tuple[str, ...]] = ("webhook",)
    capabilities: ClassVar[Capabilities] = Capabilities(two_way=True, machine=True)

    def __init__(self, context: ChannelContext) -> None:
        self._egress = context.egress
        self._clock = context.clock

    @staticmethod
    def check_address(value: str) -> str | None:
        """An http or https address with a host; whether it may be reached shows when sending."""
        if len(value) > _MAX_ADDRESS:
            return f"the address has more than {_MAX_ADDRESS} characters"
        if any(char <= " " or char == "\x7f" for char in value):
            return "the address holds blanks or control characters"
        try:
            parts = urlsplit(value)
            whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            whole = False
        return None if whole else "the address is not like https://host/path"

    @staticmethod
    def check_settings(settings: Mapping[str, Any]) -> str | None:
        """There is nothing to set."""
        unknown = ", ".join(sorted(map(str, settings)))
        return f"the channel webhook has no setting {unknown}" if unknown else None

    async def send(self, message: Outgoing, address: Address) -> Sent | Failed:
        """Post the page once; unsigned where there is no signing key, since that still wakes."""
        now = self._clock.now()
        body = _body(message)
        try:
            headers = _headers(message.id, address.signing_key, now, body)
        except ValueError as error:
            return Failed(kind=FailureKind.CONFIGURATION, reason=f"{error}: rotate the key")
        try:
            answer = await self._egress.request(
                "POST", address.value, headers=headers, content=body, within=WITHIN
            )
        except AnswerTooLargeError as error:  # the status came, and the rest does not matter
            return _outcome(error.status, None, now)
        except EgressError as error:
            kind = FailureKind.CONFIGURATION if error.refused else FailureKind.TEMPORARY
            return Failed(kind=kind, reason=error.reason, maybe_applied=error.maybe_applied)
        return _outcome(answer.status, answer.headers.get("retry-after"), now)

    async def close(self) -> None:
        """Connections belong to the guarded client."""


def _body(message: Outgoing) -> bytes:
    links = {name: message.links[name] for name in ("page", "reply") if name in message.links}
    if message.alert is None:
        links.pop("reply", None)
    bundle = {"alerts": list(message.alerts)} if message.alerts else {}
    return msgspec.json.encode(
        {
            "id": message.id,
            "kind": message.kind,
            "user": message.user,
            "contact_method": message.contact_method,
            "urgency": message.urgency,
            "step": message.step,
            "attempt": message.attempt,
            "text": message.text,
            "alert": None if message.alert is None else dict(message.alert),
            **bundle,
            "links": links,
        }
    )


def _headers(
    message_id: str, signing_key: str | None, now: datetime, body: bytes
) -> dict[str, str]:
    timestamp = int(now.timestamp())
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
    }
    if signing_key is not None:
        headers["webhook-signature"] = webhook_signature(signing_key, message_id, timestamp, body)
    return headers


def _outcome(status: int, retry_after: str | None, now: datetime) -> Sent | Failed:
    said = f"the receiver answered {status}"
    if 200 <= status < 300:
        return Sent(detail=f"HTTP {status}")
    if status in _TRY_LATER or status >= 500:
        return Failed(
            kind=FailureKind.TEMPORARY,
            reason=said,
            retry_after=_wait(retry_after, now),
            maybe_applied=status >= 500,
        )
    if status == 410:
        reason = f"{said}: it takes no more pages; remove the contact method or enter a new address"
        return Failed(kind=FailureKind.PERMANENT, reason=reason)
    if status in _BAD_MESSAGE:
        return Failed(kind=FailureKind.PERMANENT, reason=f"{said}: it does not take this page")
    remedy = "enter the address it points to" if 300 <= status < 400 else "check the address"
    return Failed(kind=FailureKind.CONFIGURATION, reason=f"{said}: {remedy}")


def _wait(retry_after: str | None, now: datetime) -> timedelta | None:
    """`Retry-After` (RFC 9110, 10.2.3) in seconds or as a date; None when absent or unreadable."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        longest = int(LONGEST_RETRY_AFTER.total_seconds())
        return timedelta(seconds=min(int(text[:9]), longest))
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta(0)), LONGEST_RETRY_AFTER)
