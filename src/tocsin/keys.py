"""Signing, sealing, hashing."""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import stat
import string
import zlib
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET_BYTES: Final = 32
_FILE_PREFIX: Final = "tocsin-key-1:"
_SEALED_VERSION: Final = b"\x01"
_KEY_ID_BYTES: Final = 4
_NONCE_BYTES: Final = 12  # NIST SP 800-38D: 96 bits
_BASE62: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_TCS: Final = "tcs_"
_TOKEN_RANDOM: Final = 32  # base62 digits, 190 bits
_TOKEN_CHECK: Final = 6  # base62 digits, enough for a CRC-32
_SIGNING_PREFIX: Final = "whsec_"


class KeyFileError(Exception):
    """The key file cannot be used; the message names the file, the fault and the remedy."""


class SealError(Exception):
    """A sealed value cannot be opened: other key, other context, or changed bytes."""


class Keys:
    """The installation's key. Every use has a subkey of its own, derived by HKDF-SHA256 (RFC 5869).

    `secret` is 32 random bytes. Shows nothing of itself in a log or traceback.
    """

    __slots__ = ("_hash_key", "_key_id", "_link_keys", "_seal", "_secret")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SECRET_BYTES:
            raise ValueError(f"the installation's key has {SECRET_BYTES} bytes, not {len(secret)}")
        self._secret = secret
        self._hash_key = self._subkey("hash")
        self._key_id = self._subkey("key id")[:_KEY_ID_BYTES]
        self._seal = AESGCM(self._subkey("seal"))
        self._link_keys: dict[str, bytes] = {}

    def __repr__(self) -> str:
        return "Keys(...)"

    def __reduce__(self) -> str:
        raise TypeError("keys are not pickled")

    def link_secret(self, purpose: str, notification_id: str) -> str:
        """32 URL-safe characters (192 bits), the same for the same purpose and notification."""
        key = self._link_keys.get(purpose)
        if key is None:
            key = self._link_keys[purpose] = self._subkey(f"link {purpose}")
        digest = hmac.digest(key, notification_id.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:24]).decode()

    @property
    def fingerprint(self) -> bytes:
        """32 bytes that tell this key from others, and nothing else of it."""
        return self.hash("installation")

    def hash(self, text: str) -> bytes:
        """32 bytes by which a secret is looked up; useless without the installation's key."""
        return hmac.digest(self._hash_key, text.encode(errors="surrogatepass"), hashlib.sha256)

    def matches(self, text: str, hashed: bytes) -> bool:
        """Whether `hashed` is the hash of `text`, in constant time."""
        return hmac.compare_digest(self.hash(text), hashed)

    def seal(self, plain: bytes | str, context: str) -> bytes:
        """Encrypt for storage (AES-256-GCM). Opens only with the same context, for example a row.

        Layout: version, 4 bytes that name the key, nonce, ciphertext with tag.
        """
        data = plain.encode() if isinstance(plain, str) else plain
        nonce = os.urandom(_NONCE_BYTES)
        head = _SEALED_VERSION + self._key_id
        return head + nonce + self._seal.encrypt(nonce, data, head + context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """What was sealed. Raises `SealError`."""
        head = _SEALED_VERSION + self._key_id
        if sealed[:1] != _SEALED_VERSION or len(sealed) < len(head) + _NONCE_BYTES:
            raise SealError("this is not a sealed value")
        if sealed[: len(head)] != head:
            raise SealError(
                "the value was sealed with another key: use the key file of the installation "
                "that stored it, or enter the secret again"
            )
        nonce = sealed[len(head) :][:_NONCE_BYTES]
        try:
            return self._seal.decrypt(
                nonce, sealed[len(head) + _NONCE_BYTES :], head + context.encode()
            )
        except InvalidTag:
            raise SealError("the sealed value was changed or belongs elsewhere") from None

    def _subkey(self, purpose: str) -> bytes:
        info = f"tocsin {purpose}".encode()
        return HKDF(hashes.SHA256(), SECRET_BYTES, salt=None, info=info).derive(self._secret)


def load_or_create(path: Path) -> Keys:
    """The keys in the file at `path`, which is made (mode 0600) when it does not exist.

    Of two processes that start at once, one makes the file and both use it. Raises `KeyFileError`.
    """
    try:
        if not path.exists():
            _create(path)
    except OSError as error:
        raise KeyFileError(f"key file {path} cannot be made: {error}") from error
    return load(path)


def load(path: Path) -> Keys:
    """The keys in the file at `path`. Raises `KeyFileError`."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError as error:
        raise KeyFileError(
            f"key file {path} does not exist, and this database was used with a key already: "
            "restore the file from the backup, or name it with TOCSIN_SECRET_KEY_FILE (a new key "
            "would fit none of its addresses, tokens and secrets)"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"key file {path} cannot be read: {error}") from error
    if not stat.S_ISREG(mode) or mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise KeyFileError(f"key file {path} is open to other users: chmod 600 {path}")
    try:
        return Keys(base64.b64decode(text.removeprefix(_FILE_PREFIX), validate=True))
    except ValueError as error:
        raise KeyFileError(
            f"key file {path} does not hold a Tocsin key: restore it from the backup "
            "(a new key cannot open the secrets that are stored)"
        ) from error


def new_token() -> str:
    """An API token: `tcs_`, random letters and digits, and a checksum that shows typing errors."""
    body = _TCS + "".join(secrets.choice(_BASE62) for _ in range(_TOKEN_RANDOM))
    return body + _checksum(body)


def token_is_wellformed(text: str) -> bool:
    """Whether `text` can be a token at all; asked before the database is."""
    body, check = text[:-_TOKEN_CHECK], text[-_TOKEN_CHECK:]
    return (
        text.isascii()
        and len(text) == len(_TCS) + _TOKEN_RANDOM + _TOKEN_CHECK
        and body.startswith(_TCS)
        and hmac.compare_digest(check, _checksum(body))
    )


def new_nonce() -> str:
    """22 URL-safe characters for a single use, 128 random bits."""
    return secrets.token_urlsafe(16)


def new_signing_key() -> str:
    """A Standard Webhooks key: `whsec_` and the base64 of 32 random bytes."""
    return _SIGNING_PREFIX + base64.b64encode(os.urandom(SECRET_BYTES)).decode()


def signing_key_bytes(signing_key: str) -> bytes:
    """The bytes of `whsec_` + base64. Raises `ValueError`, without the key in its message."""
    try:
        key = base64.b64decode(signing_key.removeprefix(_SIGNING_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    # 24 to 64 bytes by the Standard Webhooks specification; some receivers hand out shorter ones
    if not signing_key.startswith(_SIGNING_PREFIX) or not key:
        raise ValueError("a signing key is whsec_ followed by base64")
    return key


def webhook_signature(signing_key: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`, version v1 of the Standard Webhooks specification.

    `timestamp` is in whole seconds since 1970. Raises `ValueError` as `signing_key_bytes`.
    """
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    digest = hmac.digest(signing_key_bytes(signing_key), signed, hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode()


def _create(path: Path) -> None:
    """Written whole beside its place first: nobody ever reads half a key."""
    text = _FILE_PREFIX + base64.b64encode(os.urandom(SECRET_BYTES)).decode() + "\n"
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # fails where another process was first
        except FileExistsError:
            return
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        draft.unlink()


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(_TOKEN_CHECK):
        number, digit = divmod(number, len(_BASE62))
        digits = _BASE62[digit] + digits
    return digits
