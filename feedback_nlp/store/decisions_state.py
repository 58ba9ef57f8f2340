"""What stands after a row of decisions: the one place that knows what each act does."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from feedback_nlp.core.decisions import CommentState, Decided, TopicState


@dataclass(frozen=True)
class Act:
    """One act as it was recorded.

    :param stands: False where it was undone.
    """

    act: str
    topic_id: int | None
    comment_id: str | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    stands: bool = True


@dataclass
class Standing:
    """The state that acts are carried out on, one after another.

    :param topics: by topic id; untouched ones are missing.
    :param comments: by comment id, likewise.
    """

    topics: dict[int, TopicState] = field(default_factory=dict)
    comments: dict[str, CommentState] = field(default_factory=dict)

    def decided(self) -> Decided:
        """Return the state as a value, without entries that say nothing."""
        return Decided(
            {topic: state for topic, state in sorted(self.topics.items()) if state != TopicState()},
            {comment: state for comment, state in sorted(self.comments.items()) if state != CommentState()},
        )

    def carry_out(self, act: Act) -> None:
        """Carry out an act; of an undone one only that a split left a number behind."""
        if act.stands:
            _EFFECTS[act.act](self, act)
        elif act.act == "split":
            # Comments that a run gave the new topic meanwhile go back to where it was split off.
            source, new = _topic(act), int(act.after["topic_id"])
            self._topic(new, into=source, gone=True, split_from=source)

    def _topic(self, topic_id: int, **changes: Any) -> None:  # noqa: ANN401 - fields of TopicState
        self.topics[topic_id] = replace(self.topics.get(topic_id, TopicState()), **changes)

    def _comment(self, comment_id: str, **changes: Any) -> None:  # noqa: ANN401 - fields of CommentState
        self.comments[comment_id] = replace(self.comments.get(comment_id, CommentState()), **changes)

    def rename(self, act: Act) -> None:
        """Give a topic labels, or take them back."""
        labels = dict(self.topics.get(_topic(act), TopicState()).labels)
        for lang, label in act.after.items():
            labels.pop(lang, None)
            if label is not None:
                labels[lang] = label
        self._topic(_topic(act), labels=dict(sorted(labels.items())))

    def merge(self, act: Act) -> None:
        """Put a topic into another, unless that one lies in it already."""
        source, into = _topic(act), int(act.after["into"])
        state = self.topics.get(source, TopicState())
        if not state.gone and Decided(self.topics).root(into) != source:
            self._topic(source, into=into)

    def split(self, act: Act) -> None:
        """Make a topic of some comments of another."""
        new = int(act.after["topic_id"])
        self._topic(new, split_from=_topic(act), labels=dict(sorted(act.after.get("labels", {}).items())))
        self._place(act.after["comment_ids"], new)

    def move(self, act: Act) -> None:
        """Put comments into a topic."""
        self._place(act.after["comment_ids"], _topic(act))

    def _place(self, comment_ids: Iterable[str], topic_id: int) -> None:
        for comment in comment_ids:
            self._comment(comment, topic_id=topic_id)

    def flag(self, act: Act) -> None:
        """Lock, unlock, hide or show a topic."""
        self._topic(_topic(act), **act.after)

    def correct_sentiment(self, act: Act) -> None:
        """Set a comment's sentiment."""
        self._for_text(act, sentiment=act.after["sentiment"])

    def correct_drivers(self, act: Act) -> None:
        """Put a driver in the place of another; either may be missing."""
        state = self._for_text(act)
        step = {"before": act.before["driver"], "after": act.after["driver"]}
        self._comment(_comment(act), drivers=(*state.drivers, step))

    def _for_text(self, act: Act, **changes: Any) -> CommentState:  # noqa: ANN401 - fields of CommentState
        """Forget corrections of an earlier text of the comment, and make some changes."""
        state = self.comments.get(_comment(act), CommentState())
        if state.text != act.after["text"]:
            state = replace(state, sentiment=None, drivers=(), text=act.after["text"])
        self.comments[_comment(act)] = state = replace(state, **changes)
        return state

    def assign(self, act: Act) -> None:
        """Say who follows up, or nobody."""
        assigned = dict(act.after) or None
        if act.topic_id is not None:
            self._topic(act.topic_id, assigned=assigned)
        else:
            self._comment(_comment(act), assigned=assigned)

    def note(self, act: Act) -> None:
        """Leave everything as it is."""


def _topic(act: Act) -> int:
    return -1 if act.topic_id is None else act.topic_id


def _comment(act: Act) -> str:
    return act.comment_id or ""


_EFFECTS: dict[str, Callable[[Standing, Act], None]] = {
    "rename": Standing.rename,
    "merge": Standing.merge,
    "split": Standing.split,
    "move": Standing.move,
    "lock": Standing.flag,
    "unlock": Standing.flag,
    "hide": Standing.flag,
    "show": Standing.flag,
    "wrong_driver": Standing.correct_drivers,
    "correct_driver": Standing.correct_drivers,
    "correct_evidence": Standing.correct_drivers,
    "correct_sentiment": Standing.correct_sentiment,
    "assign": Standing.assign,
    "note": Standing.note,
    "confirm": Standing.note,
}
ACTS = tuple(_EFFECTS)


def standing_after(acts: Iterable[Act]) -> Decided:
    """Return what stands after acts in the order they were decided."""
    standing = Standing()
    for act in acts:
        standing.carry_out(act)
    return standing.decided()
