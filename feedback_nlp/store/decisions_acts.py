"""From what an analyst asks for to the row that records it: checked, cleaned, with what stood before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from feedback_nlp.core.columns import DRIVERS, SENTIMENTS, SIGNS
from feedback_nlp.core.decisions import NO_TOPIC, same_driver, text_key
from feedback_nlp.core.errors import ConfigError
from feedback_nlp.core.folding import fold
from feedback_nlp.lang.pack import CODES
from feedback_nlp.store.decisions_desk import Desk, Subject
from feedback_nlp.store.decisions_words import LONGEST_NOTE, assignment_of, labels_of, words_of

_LONGEST_CAUSE = 64


Said = tuple[str, str]
NameSplit = Callable[[Sequence[Said], Sequence[Said], Mapping[str, str]], Mapping[str, str]]
"""Names comments that are split off: text and language of each and of the topic's others, and the topic's labels."""


@dataclass(frozen=True)
class Request:
    """What an analyst asks for; see :meth:`feedback_nlp.store.decisions.DecisionLog.decide`."""

    act: str
    topic_id: int | None = None
    comment_ids: Sequence[str] = ()
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] = field(default_factory=dict)
    name_split: NameSplit | None = None

    def comment(self) -> str:
        """Return the one comment it is about.

        :raises ConfigError: when it names none, or several.
        """
        if len(self.comment_ids) != 1:
            raise ConfigError(f"{self.act}: one comment is needed, got {len(self.comment_ids)}.")
        return self.comment_ids[0]


@dataclass(frozen=True)
class Ready:
    """An act that may be recorded.

    :param topics: every topic it touches.
    :param comments: every comment it touches.
    """

    act: str
    topic_id: int | None
    comment_id: str | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    topics: Sequence[int] = ()
    comments: Sequence[str] = ()


def _about_topic(
    request: Request, topic: int, before: Mapping[str, Any], after: Mapping[str, Any], *topics: int
) -> Ready:
    return Ready(request.act, topic, None, before, after, (topic, *topics))


def _about_comment(request: Request, subject: Subject, before: Mapping[str, Any], after: Mapping[str, Any]) -> Ready:
    return Ready(request.act, None, subject.comment_id, before, after, (), (subject.comment_id,))


def _rename(desk: Desk, request: Request) -> Ready:
    topic = desk.topic(request.topic_id)
    after = labels_of(request.after)
    row = desk.topics[topic]
    return _about_topic(request, topic, {lang: row.get(f"label_{lang}") for lang in after}, after)


def _merge(desk: Desk, request: Request) -> Ready:
    topic, into = desk.topic(request.topic_id), desk.topic(request.after.get("into"), "into")
    if topic == into:
        raise ConfigError(f"Topic {topic} cannot be merged into itself.", fault="merge_itself")
    if desk.topics[topic]["locked"]:
        told = f"Topic {topic} is locked. Unlock it first, or merge {into} into it."
        raise ConfigError(told, fault="topic_locked", topic=topic, into=into)
    return _about_topic(request, topic, {"into": None}, {"into": into}, into)


def _split(desk: Desk, request: Request) -> Ready:
    topic = desk.topic(request.topic_id)
    known = {"comment_ids", "search", "subtopic", "labels"}
    strangers = [str(key) for key in request.after if key not in known]
    if strangers:
        raise ConfigError(f"split: '{strangers[0]}' is not known. Known: {', '.join(sorted(known))}.")
    part = _part(desk, request, topic)
    ids, members = _wanted(desk, request, topic), desk.ids_in(topic)
    here = set(members)
    outside = [comment for comment in ids if comment not in here]
    if outside:
        desk.comments(outside)
        message = f"{len(outside)} of the comments are not in topic {topic}, {outside[0]} for one."
        raise ConfigError(message, fault="comments_elsewhere", comments=len(outside), topic=topic)
    if len(ids) == len(members):
        raise ConfigError(f"That is every comment of topic {topic}. Rename it instead.", fault="split_everything")
    new = desk.next_split()
    labels = labels_of(request.after["labels"], removable=False) if request.after.get("labels") else part
    labels = labels or _named(desk, request, topic, set(ids))
    told = {key: request.after[key] for key in ("search", "subtopic") if request.after.get(key) is not None}
    after = {"topic_id": new, "comment_ids": ids, "labels": labels, **told}
    return Ready("split", topic, None, {"topics": dict.fromkeys(ids, topic)}, after, (topic, new), ids)


def _named(desk: Desk, request: Request, topic: int, ids: set[str]) -> dict[str, str | None]:
    """Return names by what the comments say; none where nobody knows how."""
    if request.name_split is None:
        return {}
    said = desk.said_in(topic)
    inside, outside = ([words for comment, words in said if (comment in ids) == wanted] for wanted in (True, False))
    above = {lang: str(desk.topics[topic].get(f"label_{lang}") or "") for lang in CODES}
    found = request.name_split(inside, outside, above)
    return labels_of(found, removable=False) if found else {}


def _part(desk: Desk, request: Request, topic: int) -> dict[str, str | None]:
    """Return the names of the sub-topic that is to be split off; none where it is not about one.

    :raises ConfigError: when the topic has no such sub-topic, or no comment is left in it.
    """
    wanted = request.after.get("subtopic")
    if wanted is None or request.after.get("comment_ids") or request.comment_ids:
        return {}
    found = [part for part in desk.topics[topic].get("subtopics") or () if part["subtopic_id"] == wanted]
    if not found or not desk.ids_in(topic, subtopic=wanted):
        raise ConfigError(f"Topic {topic} has no sub-topic {wanted!r} with comments.", fault="subtopic_unknown")
    names = {lang: found[0].get(f"label_{lang}") for lang in CODES}
    return (
        labels_of({lang: name for lang, name in names.items() if name}, removable=False) if any(names.values()) else {}
    )


def _wanted(desk: Desk, request: Request, topic: int) -> list[str]:
    """Return the ids that are to be split off: those named, those of a sub-topic, or those with words searched."""
    given = request.after.get("comment_ids") or request.comment_ids
    if given:
        return list(dict.fromkeys(str(comment) for comment in given))
    if request.after.get("subtopic") is not None:
        return desk.ids_in(topic, subtopic=request.after["subtopic"])
    if not request.after.get("search"):
        raise ConfigError("split: comments are needed, or words to search for.", fault="comments_needed")
    words = fold(words_of(request.after["search"], "split: search", LONGEST_NOTE))
    found = [
        comment
        for comment, text, clean in desk.texts_in(topic)
        if words in fold(text) or (clean is not None and words in fold(clean))
    ]
    if not found:
        raise ConfigError(f"No comment of topic {topic} holds these words.", fault="search_nothing")
    return found


def _move(desk: Desk, request: Request) -> Ready:
    topic = NO_TOPIC if request.topic_id == NO_TOPIC else desk.topic(request.topic_id)
    ids = [str(comment) for comment in (request.comment_ids or request.after.get("comment_ids") or ())]
    if not ids:
        raise ConfigError("move: at least one comment is needed.", fault="comments_needed")
    subjects = desk.comments(ids)
    moved = [comment for comment, subject in subjects.items() if subject.topic_id != topic]
    before = {"topics": {comment: subjects[comment].topic_id for comment in moved}}
    touched = dict.fromkeys([topic, *before["topics"].values()])
    only = moved[0] if len(moved) == 1 else None
    return Ready("move", topic, only, before, {"comment_ids": moved}, tuple(touched), moved)


def _flag(key: str, value: bool) -> Callable[[Desk, Request], Ready]:
    def prepare(desk: Desk, request: Request) -> Ready:
        topic = desk.topic(request.topic_id)
        return _about_topic(request, topic, {key: desk.topics[topic][key]}, {key: value})

    return prepare


def _note(desk: Desk, request: Request) -> Ready:
    after = {"text": words_of(request.after.get("text"), "The note", LONGEST_NOTE, lines=True)}
    if request.topic_id is not None:
        return _about_topic(request, desk.topic(request.topic_id), {}, after)
    return _about_comment(request, desk.comments([request.comment()])[request.comment()], {}, after)


def _assign(desk: Desk, request: Request) -> Ready:
    after = assignment_of(request.after)
    if request.topic_id is not None:
        topic = desk.topic(request.topic_id)
        state = desk.decided.topics.get(topic)
        return _about_topic(request, topic, dict((state and state.assigned) or {}), after)
    subject = desk.comments([request.comment()])[request.comment()]
    return _about_comment(request, subject, dict(desk.assigned(subject.comment_id) or {}), after)


def _confirm(desk: Desk, request: Request) -> Ready:
    """Record that someone looked at a comment's readings and found them right."""
    subject = desk.comments([request.comment()])[request.comment()]
    return _about_comment(request, subject, {}, {"text": text_key(subject.text)})


def _correct_sentiment(desk: Desk, request: Request) -> Ready:
    subject = desk.comments([request.comment()])[request.comment()]
    sentiment = request.after.get("sentiment")
    if sentiment not in SENTIMENTS:
        raise ConfigError(f"Sentiment {sentiment!r} is not known. Known: {', '.join(SENTIMENTS)}.")
    after = {"sentiment": sentiment, "text": text_key(subject.text)}
    return _about_comment(request, subject, {"sentiment": subject.sentiment}, after)


def _wrong_driver(desk: Desk, request: Request) -> Ready:
    subject = desk.comments([request.comment()])[request.comment()]
    return _driver_change(request, subject, _found_driver(request, subject), None)


def _correct_driver(desk: Desk, request: Request) -> Ready:
    subject = desk.comments([request.comment()])[request.comment()]
    before = None if request.before is None else _found_driver(request, subject)
    return _driver_change(request, subject, before, _driver(request.after, subject))


def _correct_evidence(desk: Desk, request: Request) -> Ready:
    subject = desk.comments([request.comment()])[request.comment()]
    before = _found_driver(request, subject)
    span = {key: request.after.get(key) for key in ("start", "end")}
    return _driver_change(request, subject, before, _driver({**before, **span}, subject))


def _driver_change(
    request: Request, subject: Subject, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> Ready:
    return _about_comment(request, subject, {"driver": before}, {"driver": after, "text": text_key(subject.text)})


def _driver(given: Mapping[str, Any], subject: Subject) -> dict[str, Any]:
    """Return a driver entry, checked.

    :raises ConfigError: when a value is not known or the evidence does not lie in the comment's text.
    """
    driver, cause, sign = given.get("driver"), given.get("cause"), given.get("sign")
    if driver not in DRIVERS:
        raise ConfigError(f"Driver {driver!r} is not known. Known: {', '.join(DRIVERS)}.")
    if sign not in SIGNS:
        raise ConfigError(f"Sign {sign!r} is not known. Known: {', '.join(SIGNS)}.")
    start, end = given.get("start"), given.get("end")
    if not isinstance(start, int) or not isinstance(end, int) or not 0 <= start < end <= len(subject.text):
        raise ConfigError(
            f"Evidence from {start!r} to {end!r} does not lie in the comment's {len(subject.text)} characters.",
            fault="evidence_outside",
        )
    if not subject.text[start:end].strip():
        raise ConfigError("The evidence is blank.", fault="evidence_blank")
    return {
        "driver": driver,
        "cause": words_of(cause, "The driver's cause", _LONGEST_CAUSE),
        "sign": sign,
        "start": start,
        "end": end,
    }


def _found_driver(request: Request, subject: Subject) -> dict[str, Any]:
    """Return the entry of the comment's drivers that the request speaks of.

    :raises ConfigError: when there is no such entry, naming those there are.
    """
    wanted = dict.fromkeys(("driver", "cause", "sign", "start", "end")) | dict(request.before or {})
    for driver in subject.drivers:
        if same_driver(driver, wanted):
            return {key: driver[key] for key in ("driver", "cause", "sign", "start", "end")}
    there = [f"{d['driver']}.{d['cause']}{d['sign']} [{d['start']}:{d['end']}]" for d in subject.drivers]
    raise ConfigError(
        f"Comment {subject.comment_id} has no such driver. It has: {', '.join(there) if there else 'none'}.",
        fault="driver_gone",
    )


_PREPARE: dict[str, Callable[[Desk, Request], Ready]] = {
    "rename": _rename,
    "merge": _merge,
    "split": _split,
    "move": _move,
    "lock": _flag("locked", True),
    "unlock": _flag("locked", False),
    "hide": _flag("hidden", True),
    "show": _flag("hidden", False),
    "note": _note,
    "assign": _assign,
    "confirm": _confirm,
    "wrong_driver": _wrong_driver,
    "correct_driver": _correct_driver,
    "correct_evidence": _correct_evidence,
    "correct_sentiment": _correct_sentiment,
}


def prepare(desk: Desk, request: Request) -> Ready:
    """Check an act and work out what it records.

    :raises ConfigError: when it asks for something that cannot be, saying what could.
    """
    if request.act not in _PREPARE:
        raise ConfigError(f"'{request.act}' is no act. Known: {', '.join(_PREPARE)}.")
    return _PREPARE[request.act](desk, request)
