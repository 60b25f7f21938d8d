"""Whether a client assertion was signed with the key of a certificate."""

import base64
import binascii
import json

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_PADDINGS = {
    "RS256": padding.PKCS1v15(),
    "PS256": padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH),
}


def signed_by(assertion: str, certificate: bytes) -> bool:
    """RFC 7515 compact form, RSA with SHA-256; the certificate is DER."""
    head, _, rest = assertion.partition(".")
    payload, _, signature = rest.partition(".")
    key = x509.load_der_x509_certificate(certificate).public_key()
    try:
        way = _PADDINGS[json.loads(_bytes(head))["alg"]]
        if not isinstance(key, rsa.RSAPublicKey):
            return False
        key.verify(_bytes(signature), f"{head}.{payload}".encode(), way, hashes.SHA256())
    except (ValueError, KeyError, TypeError, InvalidSignature, binascii.Error):
        return False
    return True


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
