"""Hashes: argon2 for passwords, sha256 for random secrets, HMAC for what a browser brings back."""

import hashlib
import hmac
import secrets
from functools import cache
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from feedback_nlp.core.errors import ConfigError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST = 10
LONGEST = 1024


# Each hash takes 19 MiB while it is made (the least that OWASP's Password Storage Cheat Sheet advises for argon2id), so
# that only a few at a time may be: otherwise anybody could fill the memory by trying to log in.
_AT_ONCE = BoundedSemaphore(2)


@cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@cache
def _nobody() -> str:
    """Return a hash that no password fits, so that an unknown user costs as much time as a known one."""
    return _hasher().hash(secrets.token_urlsafe(32))


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password.

    :raises ConfigError: when it has fewer than 10 or more than 1024 characters.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise ConfigError(f"A password has {SHORTEST} to {LONGEST} characters.")
    with _AT_ONCE:
        return _hasher().hash(password)


def fits(password: str, stored: str | None) -> bool:
    """Tell whether a password is the one of a hash; takes as long where there is no hash.

    :param stored: None where the user is unknown or has no password.
    """
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        with _AT_ONCE:
            return _hasher().verify(stored or _nobody(), password[:LONGEST]) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def new_secret() -> str:
    """Return a random secret of 256 bits as text for an address or a cookie."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return the sha256 of a random secret, hexadecimal."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def sealed(key: bytes, purpose: str, value: str) -> str:
    """Return a text that only a holder of the key can make: for tokens against forged requests.

    :param purpose: keeps seals for one use from serving another.
    """
    return hmac.new(key, f"{purpose}:{value}".encode(), hashlib.sha256).hexdigest()


def same(left: str, right: str) -> bool:
    """Compare two secrets in a time that does not tell where they differ."""
    return hmac.compare_digest(left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass"))
