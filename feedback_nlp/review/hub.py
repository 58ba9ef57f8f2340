"""Hub: keeps the newest snapshot at hand and tells open pages when it changes."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock, RLock
from typing import TYPE_CHECKING, TypeVar

from feedback_nlp.core.errors import FeedbackError
from feedback_nlp.review.corpus import Corpus, open_corpus
from feedback_nlp.review.snapshot import Snapshot, take_snapshot

if TYPE_CHECKING:
    from feedback_nlp.store import Store

LOG = logging.getLogger(__name__)
T = TypeVar("T")

_MOST_CORPORA = 3
_MOST_CACHED = 512


class Cache:
    """Remembers what is costly to make; the oldest goes first.

    :param most: entries kept.
    """

    def __init__(self, most: int = _MOST_CACHED) -> None:
        self._most = most
        self._found: OrderedDict[Hashable, object] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what stands under a key, made now where nothing does; two threads may make it at once."""
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]  # type: ignore[return-value]
        made = make()
        with self._lock:
            self._found[key] = made
            while len(self._found) > self._most:
                self._found.popitem(last=False)
        return made


class Hub:
    """Snapshots of the run that readers see, and of earlier ones to compare with.

    :param store: an open store.
    """

    def __init__(self, store: "Store") -> None:
        self._store = store
        self._corpora: OrderedDict[str, Corpus] = OrderedDict()
        self._current: Snapshot | None = None
        self._loading = RLock()
        self._others = Cache(2)
        self.cache = Cache()

    def current(self) -> Snapshot:
        """Return the newest snapshot at hand without asking the store, or make the first.

        :raises FeedbackError: when no run has been published yet.
        """
        return self._current or self.refresh()

    def refresh(self) -> Snapshot:
        """Return a snapshot of the store as it is now; costs two small queries where nothing changed.

        :raises FeedbackError: when no run has been published yet.
        """
        run_id, version = self._store.current_run(), self._store.last_decision()
        if run_id is None:
            raise FeedbackError("The store has no published run yet. Start one: feedback-nlp run INPUT")
        known = self._current
        if known is not None and known.key == (run_id, version):
            return known
        with self._loading:
            known = self._current
            if known is None or known.key != (run_id, version):
                self._current = self._picture(run_id)
            return self._current  # type: ignore[return-value]

    def of_run(self, run_id: str) -> Snapshot:
        """Return a snapshot of any finished run, with today's decisions laid over it.

        :raises FeedbackError: when there is no such run, or it is not finished.
        """
        current = self.refresh()
        if current.corpus.run_id == run_id:
            return current
        with self._loading:
            return self._others.get((run_id, current.version), lambda: self._picture(run_id))

    def _picture(self, run_id: str) -> Snapshot:
        if run_id not in self._corpora:
            LOG.info("reading run %s", run_id)
            self._corpora[run_id] = open_corpus(self._store, run_id)
            while len(self._corpora) > _MOST_CORPORA:
                self._corpora.popitem(last=False)
        self._corpora.move_to_end(run_id)
        # Read before what it numbers: a decision that comes between is then laid over twice, never left out.
        version = self._store.last_decision()
        return take_snapshot(
            self._corpora[run_id], self._store.topics(run_id, decided=True), self._store.decided(), version
        )
