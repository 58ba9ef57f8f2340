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
        self._reading = Lock()
        self._shelf = Lock()
        self._others = Cache(2)
        self.cache = Cache()

    def current(self) -> Snapshot:
        """Return the newest snapshot at hand without asking the store, or make the first.

        :raises FeedbackError: when no run has been published yet.
        """
        return self._current or self.refresh()

    def refresh(self) -> Snapshot:
        """Return a snapshot of the store as it is now; costs two small queries where nothing changed.

        A night that was just published takes seconds to read. Whoever asks first reads it; the others are shown the
        night before, with what was decided until now, as long as that takes.

        :raises FeedbackError: when no run has been published yet.
        """
        run_id, version = self._store.current_run(), self._store.last_decision()
        if run_id is None:
            raise FeedbackError("The store has no published run yet. Start one: feedback-nlp run INPUT", fault="no_run")
        known = self._current
        if known is not None and known.key == (run_id, version):
            return known
        if known is None:
            return self._newest(run_id, version)
        if known.corpus.run_id == run_id or not self._reading.acquire(blocking=False):
            return self._newest(None, version)
        try:
            self._corpus(run_id)
            return self._newest(run_id, version)
        finally:
            self._reading.release()

    def _newest(self, run_id: str | None, version: int) -> Snapshot:
        """Return a snapshot made by whoever asks first and given to all from then on.

        :param run_id: None keeps to the run at hand, whichever it is by now.
        """
        with self._loading:
            known = self._current
            if run_id is None and known is not None:
                run_id = known.corpus.run_id
            if run_id is not None and (known is None or known.key != (run_id, version)):
                self._current = known = self._picture(run_id)
            return known  # type: ignore[return-value]

    def of_run(self, run_id: str) -> Snapshot:
        """Return a snapshot of any finished run, with today's decisions laid over it.

        :raises FeedbackError: when there is no such run, or it is not finished.
        """
        current = self.refresh()
        if current.corpus.run_id == run_id:
            return current
        with self._loading:
            return self._others.get((run_id, current.version), lambda: self._picture(run_id))

    def _corpus(self, run_id: str) -> Corpus:
        with self._shelf:
            if run_id in self._corpora:
                self._corpora.move_to_end(run_id)
                return self._corpora[run_id]
        LOG.info("reading run %s", run_id)
        corpus = open_corpus(self._store, run_id)
        with self._shelf:
            self._corpora[run_id] = corpus
            while len(self._corpora) > _MOST_CORPORA:
                self._corpora.popitem(last=False)
        return corpus

    def _picture(self, run_id: str) -> Snapshot:
        corpus = self._corpus(run_id)
        # Read before what it numbers: a decision that comes between is then laid over twice, never left out.
        version = self._store.last_decision()
        return take_snapshot(corpus, self._store.topics(run_id, decided=False), self._store.decided(), version)
