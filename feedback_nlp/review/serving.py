"""Serving: the application under uvicorn, with what only a whole configuration can open."""

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from fastapi import FastAPI

from feedback_nlp.config import Config
from feedback_nlp.core.errors import ConfigError, FeedbackError
from feedback_nlp.core.modelfolder import open_model, resolve_model
from feedback_nlp.normalise.settings import DeromaniseModel
from feedback_nlp.review.app import create_app
from feedback_nlp.review.search import Readings, no_readings
from feedback_nlp.rootcause.taxonomy import open_taxonomy

if TYPE_CHECKING:
    from feedback_nlp.store import Store

LOG = logging.getLogger(__name__)

_MOST_READINGS = 2
_MOST_REMEMBERED = 4096


def open_readings(config: Config) -> Readings:
    """Return what spells Latin words in native letters, for the search; English words stay as they are.

    The model is loaded at the first word.
    """
    backend = config.normalise.backend
    if not isinstance(backend, DeromaniseModel):
        return no_readings

    @lru_cache(maxsize=1)
    def model():  # type: ignore[no-untyped-def]  # noqa: ANN202 - a private type of the room
        from feedback_nlp.normalise.deromanise import WordModel

        return WordModel.from_folder(open_model(resolve_model(backend.model)))

    @lru_cache(maxsize=_MOST_REMEMBERED)
    def readings(word: str) -> Sequence[str]:
        found: list[str] = []
        for lang in ("ar", "fa"):
            best = [each.surface for each in model().candidates(word, lang)[:_MOST_READINGS]]
            # Where the word itself is the likeliest reading, it is an English one.
            found += best if best and best[0] != word else []
        return tuple(found)

    return readings


def open_app(store: "Store", config: Config, out: Path) -> FastAPI:
    """Make the application of a whole configuration.

    :param store: an open store, which the caller closes afterwards.
    :param out: folder of the runs' files.
    """
    return create_app(
        store, config.review, out, taxonomy=open_taxonomy(config.rootcause.taxonomy), readings=open_readings(config)
    )


def serve(store: "Store", config: Config, out: Path, *, told: Callable[[str], None]) -> None:
    """Serve the review page until interrupted.

    :param told: given one line about where the page is.
    :raises ConfigError: when nobody could log in, or the address cannot be listened on.
    """
    import uvicorn

    settings = config.review
    if not store.user_book().users() and settings.oidc.role is None:
        raise ConfigError("The review page has no users yet. Add one: feedback-nlp review users add NAME --role admin")
    app = open_app(store, config, out)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=2,
            timeout_keep_alive=60,
            h11_max_incomplete_event_size=32 * 1024,
        )
    )
    scheme = "https" if settings.https else "http"
    told(f"The review page is at {scheme}://{settings.host}:{settings.port}/ (Ctrl+C ends it).")
    Thread(target=_warm, args=(app,), name="review warming", daemon=True).start()
    server.run()


def _warm(app: FastAPI) -> None:
    """Read the current run and the search's model before the first reader asks."""
    site = app.state.site
    try:
        site.hub.refresh()
        site.readings("salam")
    except FeedbackError as error:
        LOG.info("nothing to warm: %s", error)
