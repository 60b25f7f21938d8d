"""Row ids that sort by the time at which they were made."""

import os
from datetime import UTC, datetime
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def uuid7(now: datetime) -> UUID:
    """A version 7 UUID (RFC 9562 §5.7): 48 bits of milliseconds, 74 random bits."""
    milliseconds = int((now - _EPOCH).total_seconds() * 1000)
    random = int.from_bytes(os.urandom(10))
    return UUID(
        int=(milliseconds & (1 << 48) - 1) << 80
        | 7 << 76
        | (random >> 68 & 0xFFF) << 64
        | 2 << 62
        | random & (1 << 62) - 1
    )
