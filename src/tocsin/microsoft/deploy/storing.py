"""Files of certificates and secrets, readable by their owner only."""

import os
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

RENEW_BEFORE = timedelta(days=30)
_KEY_BITS = 2048
_LEEWAY = timedelta(minutes=10)  # for clocks that differ
_HEADER = re.compile(r"# made by tocsin azure, key ([0-9A-Za-z-]+), ends (\S+)")


class StoreError(Exception):
    """A file that cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Held:
    """A certificate as DER, or the id of a secret, with its end."""

    proof: bytes | str
    ends: datetime


def read_certificate(path: Path) -> Held | None:
    """The certificate beside its private key in a PEM file; None without a file."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from error
    strange = f"{path} is no certificate with its RSA key: it is not overwritten; name another file"
    try:
        key = serialization.load_pem_private_key(data, None)
        found = x509.load_pem_x509_certificate(data)
    except (ValueError, TypeError):
        raise StoreError(strange) from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise StoreError(strange)
    return Held(found.public_bytes(serialization.Encoding.DER), found.not_valid_after_utc)


def make_certificate(path: Path, name: str, now: datetime, valid: timedelta) -> None:
    """A new key with a self-signed certificate. Raises `StoreError`."""
    key = rsa.generate_private_key(65537, _KEY_BITS)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _LEEWAY)
        .not_valid_after(now + valid)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write(path, private + made.public_bytes(serialization.Encoding.PEM))


def read_secret(path: Path) -> Held | None:
    """The id of the secret in an environment file; None without a file."""
    try:
        found = _HEADER.match(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path} cannot be read") from error
    if found is None:
        raise StoreError(f"{path} was not made by tocsin azure: it is not overwritten")
    return Held(found[1], datetime.fromisoformat(found[2]))


def write_secret(path: Path, held: Held, name: str, secret: str) -> None:
    """An environment file, as systemd and containers read them. Raises `StoreError`."""
    head = f"# made by tocsin azure, key {held.proof!s}, ends {held.ends.isoformat()}"
    write(path, f"{head}\n{name}={secret}\n".encode())


def write(path: Path, data: bytes) -> None:
    """All or nothing, with mode 0600 from the first byte."""
    beside = path.with_name(f"{path.name}.part")
    try:
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error


def pending(path: Path) -> Path:
    """Where a new certificate waits until Microsoft knows it."""
    return path.with_name(f"{path.name}.new")
