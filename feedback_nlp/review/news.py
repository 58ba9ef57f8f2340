"""News: what open pages are told when a decision is taken or a night is published, wherever that happened."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool

from feedback_nlp.core.errors import FeedbackError
from feedback_nlp.review.hub import Hub

if TYPE_CHECKING:
    from feedback_nlp.store import Store

LOG = logging.getLogger(__name__)

SECONDS = 0.7
"""How often the store is asked; others see an act within twice this."""
_MOST_ACTS = 50


class News:
    """Asks the store for changes and passes them on.

    :param hub: brought up to date with each change.
    :param store: an open store.
    """

    def __init__(self, hub: Hub, store: "Store") -> None:
        self._hub = hub
        self._store = store
        self._listeners: set[asyncio.Queue[dict[str, Any]]] = set()
        self._seen: tuple[str, int] | None = None

    async def watch(self) -> None:
        """Ask for ever; cancelled when the application closes."""
        while True:
            try:
                message = await run_in_threadpool(self._look)
            except FeedbackError as error:
                # A busy database or one without a run yet: the next look may see more.
                LOG.debug("no news: %s", error)
                message = None
            if message is not None:
                for queue in self._listeners:
                    queue.put_nowait(message)
            await asyncio.sleep(SECONDS)

    def _look(self) -> dict[str, Any] | None:
        """Return what changed since the last look, None where nothing did."""
        before = self._seen
        run_id, version = self._hub.refresh().key
        self._seen = (run_id, version)
        if before is None or before == self._seen:
            return None
        acts = self._store.history(after=before[1], limit=_MOST_ACTS)
        told = [
            {"act": act.act, "author": act.author, "topic_id": act.topic_id, "comment_id": act.comment_id}
            for act in acts
        ]
        return {"version": version, "run": run_id, "new_run": run_id != before[0], "acts": told}

    async def listen(self) -> AsyncIterator[dict[str, Any] | None]:
        """Yield what changes as it changes, and None every fifteen seconds to keep the connection alive."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            while True:
                try:
                    yield await asyncio.wait_for(queue.get(), timeout=15)
                except TimeoutError:
                    yield None
        finally:
            self._listeners.discard(queue)
