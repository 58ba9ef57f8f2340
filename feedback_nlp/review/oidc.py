"""OpenID Connect: the authorisation-code flow with PKCE (RFC 7636) against any provider with a discovery document.

The code is traded for tokens on a connection of our own to the provider, whose TLS certificate vouches for the ID token
(OpenID Connect Core 1.0, 3.1.3.7, step 6); its issuer, audience, expiry and nonce are checked here.
"""

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2

from feedback_nlp.config import OidcSettings
from feedback_nlp.core.errors import FeedbackError
from feedback_nlp.review.passwords import new_secret, same

SECRET_VARIABLE = "FEEDBACK_NLP_OIDC_SECRET"
SCOPES = "openid email profile"
_SECONDS = 10.0
_LEEWAY = 120
_LARGEST = 1_000_000
_LOCAL = ("localhost", "127.0.0.1", "::1")


class OidcError(FeedbackError):
    """The provider did not vouch for anybody, or cannot be understood."""


@dataclass(frozen=True)
class Journey:
    """What one log-in has to bring back, kept in a signed cookie on its way.

    :param state: ties the answer to this browser.
    :param nonce: ties the ID token to this log-in.
    :param verifier: proves to the provider who asked.
    :param after: where to go on to.
    """

    state: str
    nonce: str
    verifier: str
    after: str

    def as_text(self) -> str:
        """Return it as text for a cookie."""
        content = json.dumps([self.state, self.nonce, self.verifier, self.after]).encode()
        return base64.urlsafe_b64encode(content).decode("ascii")

    @classmethod
    def from_text(cls, text: str) -> "Journey":
        """Read it from a cookie.

        :raises OidcError: when it is none of ours.
        """
        try:
            state, nonce, verifier, after = json.loads(base64.urlsafe_b64decode(text))
        except ValueError as error:
            raise OidcError("The log-in was not begun here.") from error
        return cls(str(state), str(nonce), str(verifier), str(after))


def begin_journey(after: str) -> Journey:
    """Begin a log-in."""
    return Journey(new_secret(), new_secret(), new_secret(), after)


def _checked(address: object, what: str) -> str:
    """Return an address of the provider that nobody can listen in on.

    :raises OidcError: for plain http to another machine.
    """
    parts = urlsplit(str(address))
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL):
        return str(address)
    raise OidcError(f"The provider's {what} must be an https address.")


class Provider:
    """An OpenID Connect provider.

    :param settings: its address and our name there.
    :param redirect: address of this page that it sends browsers back to.
    """

    def __init__(self, settings: OidcSettings, redirect: str) -> None:
        self._settings = settings
        self._redirect = redirect
        self._known: Mapping[str, Any] | None = None

    def leave(self, journey: Journey) -> str:
        """Return the address at the provider to send a browser to.

        :raises OidcError: when the provider cannot be reached or understood.
        """
        challenge = base64.urlsafe_b64encode(hashlib.sha256(journey.verifier.encode()).digest()).rstrip(b"=")
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": self._redirect,
            "scope": SCOPES,
            "state": journey.state,
            "nonce": journey.nonce,
            "code_challenge": challenge.decode("ascii"),
            "code_challenge_method": "S256",
        }
        address = _checked(self._discovered()["authorization_endpoint"], "authorization_endpoint")
        return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"

    def arrive(self, journey: Journey, *, state: str, code: str, now: datetime) -> str:
        """Trade a code for the name of the user whom the provider vouches for.

        :param state: as it came back.
        :raises OidcError: when anything does not fit.
        """
        if not same(state, journey.state):
            raise OidcError("The log-in was begun in another browser.")
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect,
            "client_id": self._settings.client_id,
            "code_verifier": journey.verifier,
        }
        secret = os.environ.get(SECRET_VARIABLE)
        tokens = self._asked("POST", _checked(self._discovered()["token_endpoint"], "token_endpoint"), sent, secret)
        claims = self._vouched(str(tokens.get("id_token", "")), journey.nonce, now)
        name = claims.get(self._settings.claim)
        if not isinstance(name, str) or not name:
            raise OidcError(f"The provider tells no '{self._settings.claim}' of this user.")
        if self._settings.claim == "email" and claims.get("email_verified") is False:
            raise OidcError("The provider has not verified this user's address.")
        return name

    def _discovered(self) -> Mapping[str, Any]:
        if self._known is None:
            issuer = str(self._settings.issuer).rstrip("/")
            found = self._asked("GET", _checked(f"{issuer}/.well-known/openid-configuration", "issuer"))
            if str(found.get("issuer", "")).rstrip("/") != issuer:
                raise OidcError("The provider's discovery document names another issuer.")
            if not {"authorization_endpoint", "token_endpoint"} <= set(found):
                raise OidcError("The provider's discovery document lacks an endpoint.")
            self._known = found
        return self._known

    def _asked(
        self, method: str, address: str, form: Mapping[str, str] | None = None, secret: str | None = None
    ) -> Mapping[str, Any]:
        auth = None if secret is None else (self._settings.client_id, secret)
        try:
            answer = httpx2.request(method, address, data=form, auth=auth, timeout=_SECONDS, follow_redirects=False)
            content = answer.json() if answer.status_code == 200 and len(answer.content) <= _LARGEST else None
        except (httpx2.HTTPError, ValueError) as error:
            raise OidcError("The provider of log-ins cannot be reached or understood.") from error
        if not isinstance(content, dict):
            raise OidcError(f"The provider of log-ins answered with status {answer.status_code}.")
        return content

    def _vouched(self, token: str, nonce: str, now: datetime) -> Mapping[str, Any]:
        """Return the claims of an ID token that is meant for this log-in.

        :raises OidcError: when it is not.
        """
        parts = token.split(".")
        try:
            claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
            expires = float(claims["exp"])
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise OidcError("The provider's ID token cannot be read.") from error
        audience = claims.get("aud")
        ours = audience if isinstance(audience, list) else [audience]
        meant = (
            self._settings.client_id in ours and claims.get("azp", self._settings.client_id) == self._settings.client_id
        )
        if str(claims.get("iss", "")).rstrip("/") != str(self._settings.issuer).rstrip("/") or not meant:
            raise OidcError("The provider's ID token is meant for somebody else.")
        if expires < now.timestamp() - _LEEWAY or not same(str(claims.get("nonce", "")), nonce):
            raise OidcError("The provider's ID token is too old or of another log-in.")
        return claims  # type: ignore[no-any-return]
