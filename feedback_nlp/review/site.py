"""Site: everything the pages share, made once when the application opens."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import Request
from itsdangerous import BadSignature, TimestampSigner
from jinja2 import Environment

from feedback_nlp.config import ReviewSettings
from feedback_nlp.core.errors import ConfigError
from feedback_nlp.review.hub import Cache, Hub
from feedback_nlp.review.news import News
from feedback_nlp.review.passwords import new_secret
from feedback_nlp.review.search import Readings, no_readings
from feedback_nlp.review.throttle import Throttle
from feedback_nlp.rootcause.taxonomy import Taxonomy

if TYPE_CHECKING:
    from feedback_nlp.store import Store
    from feedback_nlp.store.users import UserBook

KEY_FILE = "review.key"
KEY_VARIABLE = "FEEDBACK_NLP_REVIEW_KEY"
SHORTEST_KEY = 32
_MOST_PICTURES = 6
SESSION, VISIT, LANGUAGE = "feedback_nlp_session", "feedback_nlp_visit", "feedback_nlp_lang"


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(eq=False)
class Site:
    """What every page needs.

    :param store: an open store.
    :param settings: how the page is served.
    :param taxonomy: names of causes.
    :param folder: folder of the runs' files.
    :param key: secret that cookies and tokens are sealed with.
    :param templates: the pages.
    :param readings: native spellings of Latin words, for the search.
    :param clock: the moment, with a time zone.
    """

    store: "Store"
    settings: ReviewSettings
    taxonomy: Taxonomy
    folder: Path
    key: bytes
    templates: Environment
    readings: Readings = no_readings
    clock: Callable[[], datetime] = _now
    users: "UserBook" = field(init=False)
    hub: Hub = field(init=False)
    news: News = field(init=False)
    pictures: Cache = field(init=False)
    by_user: Throttle = field(init=False)
    by_address: Throttle = field(init=False)
    signer: TimestampSigner = field(init=False)

    def __post_init__(self) -> None:
        self.users = self.store.user_book()
        self.hub = Hub(self.store)
        self.news = News(self.hub, self.store)
        self.pictures = Cache(_MOST_PICTURES)
        self.by_user = Throttle(self.settings.login_attempts)
        self.by_address = Throttle(4 * self.settings.login_attempts)
        self.signer = TimestampSigner(self.key, salt="feedback-nlp review")

    def cookie(self, name: str) -> str:
        """Return a cookie's full name: behind https one that no other host and no plain page can set."""
        return f"__Host-{name}" if self.settings.https else name

    def unsigned(self, value: str, seconds: int) -> str | None:
        """Return what a signed cookie holds, None where it is forged or older than that."""
        try:
            return self.signer.unsign(value, max_age=seconds).decode("ascii")
        except (BadSignature, UnicodeError):
            return None


def site_of(request: Request) -> Site:
    """Return the application's site."""
    site: Site = request.app.state.site
    return site


def open_key(folder: Path) -> bytes:
    """Return the secret of an output folder, made at the first start; the environment's goes before it.

    :raises ConfigError: when the secret is too short, or cannot be read or written.
    """
    given = os.environ.get(KEY_VARIABLE, "")
    if given:
        return _long_enough(given, KEY_VARIABLE)
    path = folder / KEY_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as stream:
            stream.write(new_secret() + "\n")
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigError(f"{path} cannot be made: {error.strerror}. Set {KEY_VARIABLE} instead.") from error
    try:
        return _long_enough(path.read_text(encoding="ascii").strip(), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read. Delete it: a new one is made, and users log in again.") from error


def _long_enough(text: str, where: str) -> bytes:
    if len(text) < SHORTEST_KEY:
        raise ConfigError(f"{where} must hold at least {SHORTEST_KEY} characters.")
    return text.encode("utf-8")


def languages() -> Sequence[str]:
    """Return the interface languages, English first as the one a mixed team shares."""
    from feedback_nlp.lang.pack import CODES

    return sorted(CODES, key=lambda code: code != "en")
