"""Public ids: opaque text that carries the team and the row."""

import base64
import binascii
import zlib
from uuid import UUID

_CHECK = 4  # bytes of a CRC-32, so that a mistyped id is no id
_ROW = 8
_UUID = 16


def encode(team: int, row: int | UUID) -> str:
    """26 lower-case base32 characters for a numbered row, 32 for a UUID; team 0 is no team's.

    >>> encode(1, 7)
    'aaaaaaiaaaaaaaaaaad7fsshr4'
    """
    owner = team.to_bytes(4, "big")
    if isinstance(row, UUID):
        data = owner + row.bytes
    else:
        data = owner + row.to_bytes(_ROW, "big")
        data += zlib.crc32(data).to_bytes(_CHECK, "big")
    return base64.b32encode(data).decode().rstrip("=").lower()


def decode(text: str) -> tuple[int, int | UUID] | None:
    """The team and the row of a public id, None for any other text.

    >>> decode(encode(3, 12))
    (3, 12)
    >>> decode("primary") is None
    True
    """
    if len(text) not in {26, 32} or text != text.lower() or not text.isascii():
        return None
    try:
        data = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    except binascii.Error:
        return None
    team, rest = int.from_bytes(data[:4], "big"), data[4:]
    if len(rest) == _UUID:
        return team, UUID(bytes=rest)
    row, check = rest[:_ROW], rest[_ROW:]
    if zlib.crc32(data[: 4 + _ROW]).to_bytes(_CHECK, "big") != check:
        return None
    if encode(team, number := int.from_bytes(row, "big")) != text:  # unused bits of the last letter
        return None
    return team, number
