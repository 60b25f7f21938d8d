"""The signed links of a notification: one for people, one for machines."""

import hmac
from collections.abc import Mapping
from uuid import UUID

from tocsin.core import ids
from tocsin.keys import Keys

PAGE = "page"
REPLY = "reply"
_ID = 32


def links(keys: Keys, public_url: str, team: int, notification: UUID) -> Mapping[str, str]:
    """Both links of a notification, the same whenever they are derived."""
    return {
        "page": f"{public_url}/p/{_secret(keys, PAGE, team, notification)}",
        "reply": f"{public_url}/r/{_secret(keys, REPLY, team, notification)}",
    }


def opened(keys: Keys, purpose: str, secret: str) -> tuple[int, UUID] | None:
    """The team and notification that a link of this purpose was made for, None if none was."""
    name, mark = secret[:_ID], secret[_ID:]
    found = ids.decode(name)
    expected = keys.link_secret(purpose, name)
    if not hmac.compare_digest(mark.encode(), expected.encode()) or found is None:
        return None
    team, notification = found
    return (team, notification) if isinstance(notification, UUID) else None


def page_nonce(keys: Keys, notification: UUID, uses: int) -> str:
    """The nonce of a page whose form was posted `uses` times before."""
    return keys.link_secret("page nonce", f"{notification}/{uses}")


def _secret(keys: Keys, purpose: str, team: int, notification: UUID) -> str:
    name = ids.encode(team, notification)
    return name + keys.link_secret(purpose, name)
