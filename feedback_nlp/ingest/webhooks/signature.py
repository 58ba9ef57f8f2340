"""Checks who sent a message: HMAC-SHA256 over the body, compared in constant time."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

_PREFIX = "whsec_"


def signed_generic(body: bytes, given: str, secret: str) -> bool:
    """Tell whether ``given`` is the body's signature, hexadecimal with or without ``sha256=``."""
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), given.strip().lower().removeprefix("sha256=").encode())


def signed_standard(body: bytes, headers: Mapping[str, str], secret: str, *, now: float, tolerance: float) -> bool:
    """Tell whether a message is signed as Standard Webhooks are, and lately.

    :param headers: with lower-case names: webhook-id, webhook-timestamp, webhook-signature.
    :param secret: ``whsec_`` and base64, or any text, whose bytes are then the key.
    :param now: seconds since 1970.
    :param tolerance: how far the time of signing may be from now, in seconds.
    """
    identity, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not identity or not stamp.isascii() or not stamp.isdigit() or abs(now - int(stamp)) > tolerance:
        return False
    content = b".".join([identity.encode(), stamp.encode(), body])
    expected = base64.b64encode(hmac.new(_key(secret), content, hashlib.sha256).digest())
    versions = (one.partition(",") for one in headers.get("webhook-signature", "").split())
    return any(version == "v1" and hmac.compare_digest(expected, given.encode()) for version, _, given in versions)


def _key(secret: str) -> bytes:
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
