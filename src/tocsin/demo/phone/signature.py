"""Whether a page is signed as the Standard Webhooks specification says.

Written from the specification, not from the channel that signs: a shared function would share its
mistakes. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

TOLERANCE: Final = timedelta(minutes=5)
"""How far the sender's clock may be off; an older page could be one that was recorded."""


def why_refused(
    headers: Mapping[str, str], body: bytes, signing_key: str, now: datetime
) -> str | None:
    """None when the page is genuine and fresh, else what is wrong.

    `headers` finds names in lower case. Raises `ValueError` for a key that is not `whsec_` with
    base64 behind it.
    """
    key = base64.b64decode(signing_key.removeprefix("whsec_"), validate=True)
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not message_id or not timestamp:
        return "webhook-id or webhook-timestamp is missing"
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        return "webhook-timestamp is not a whole number of seconds"
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        return "webhook-timestamp is more than five minutes off"
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    expected = hmac.digest(key, signed, hashlib.sha256)
    if any(hmac.compare_digest(one, expected) for one in _given(headers)):
        return None
    return "webhook-signature is missing or does not match"


def _given(headers: Mapping[str, str]) -> list[bytes]:
    """The signatures of version 1; a sender that changes its key sends several."""
    found: list[bytes] = []
    for part in headers.get("webhook-signature", "").split():
        version, _, text = part.partition(",")
        try:
            signature = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            continue
        if version == "v1":
            found.append(signature)
    return found
