"""A table of topics as analysts decided: merged ones gone, names given, split-off ones added, sizes counted."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from feedback_nlp.core.columns import LANG, LANGS, SUBTOPIC_ID, TOPIC_ID
from feedback_nlp.core.decisions import NO_TOPIC, Decided, TopicState

_ID, _SIZE, _SHARE, _LABEL, _PARTS = "topic_id", "size", "share", "label_", "subtopics"
_CODES = LANGS[:3]
_EMPTIED = ("keywords_", "representatives_", _PARTS)
DECIDED_FIELDS = (
    pa.field("locked", pa.bool_(), nullable=False),
    pa.field("hidden", pa.bool_(), nullable=False),
    pa.field("merged", pa.list_(pa.int32()), nullable=False),
    pa.field("split_from", pa.int32()),
)
"""Columns that tell what was decided: locked, hidden, the topics merged into it, the one it was split off."""

Row = dict[str, Any]


class TopicCounts:
    """Counts a run's comments by topic, language and sub-topic, table by table."""

    def __init__(self) -> None:
        self._pairs: Counter[tuple[int, str]] = Counter()
        self._subtopics: Counter[int] = Counter()

    def add(self, comments: pa.Table) -> None:
        """Count the comments of a table that have a topic or -1."""
        names = [TOPIC_ID.name, LANG.name]
        if all(name in comments.column_names for name in names):
            topics, langs = (comments.column(name).to_pylist() for name in names)
            self._pairs.update((topic, lang) for topic, lang in zip(topics, langs, strict=True) if topic is not None)
        if SUBTOPIC_ID.name in comments.column_names:
            self._subtopics.update(comments.column(SUBTOPIC_ID.name).drop_null().to_pylist())

    @property
    def without(self) -> int:
        """Comments without a topic."""
        return self.by_topic.get(NO_TOPIC, 0)

    @property
    def by_topic(self) -> dict[int, int]:
        """Comments by topic."""
        return {topic: sum(langs.values()) for topic, langs in self.by_language.items()}

    @property
    def by_subtopic(self) -> dict[int, int]:
        """Comments by sub-topic."""
        return dict(self._subtopics)

    @property
    def by_language(self) -> dict[int, dict[str, int]]:
        """Comments by topic and language."""
        out: dict[int, dict[str, int]] = {}
        for (topic, lang), count in sorted(self._pairs.items()):
            out.setdefault(topic, {})[lang] = count
        return out


def recounted(table: pa.Table, counted: TopicCounts) -> pa.Table:
    """Return topics with sizes and shares as they were counted; without a column ``topic_id`` as they are."""
    if _ID not in table.column_names:
        return table
    rows = _counted(table.to_pylist(), counted.by_topic, counted.by_language)
    for row in rows:
        _count_parts(row, counted.by_subtopic)
    return pa.Table.from_pylist(rows, schema=table.schema)


def decided_topics(
    table: pa.Table,
    decided: Decided,
    counts: Mapping[int, int],
    langs: Mapping[int, Mapping[str, int]] | None = None,
    subtopics: Mapping[int, int] | None = None,
) -> pa.Table:
    """Return topics as analysts decided, with the columns of ``DECIDED_FIELDS`` at the end.

    A topic split off since the table was made stands right after the one it came from, with the same columns but for
    its name, its keywords, its sub-topics and its comments; where it was given no name, it is called after that topic
    with a number. A topic holds the sub-topics of those that were merged into it.

    :param table: topics as the machine found them, one row each; without a column ``topic_id`` it is returned as is.
    :param counts: comments by topic as decided; sizes and shares follow them where anything was decided.
    :param langs: the same by language, for the topics whose shares of languages shall follow them.
    :param subtopics: comments by sub-topic as decided; None leaves their sizes as they were.
    """
    if _ID not in table.column_names:
        return table
    rows: list[Row] = table.to_pylist()
    if decided.topics or decided.comments:
        rows = _counted(_with_splits(_standing(rows, decided), rows, decided), counts, langs or {})
        for row in rows:
            _count_parts(row, subtopics)
    for row in rows:
        state = decided.topics.get(row[_ID], TopicState())
        row.update(locked=state.locked, hidden=state.hidden, split_from=state.split_from)
        row["merged"] = merged_into(decided, row[_ID])
        row.update({_LABEL + lang: label for lang, label in state.labels.items() if _LABEL + lang in row})
    old = [field for field in table.schema if field.name not in {field.name for field in DECIDED_FIELDS}]
    return pa.Table.from_pylist(rows, schema=pa.schema([*old, *DECIDED_FIELDS]))


def merged_into(decided: Decided, topic_id: int) -> list[int]:
    """Return the topics that were merged into a topic, directly or through others, in order."""
    return sorted(
        topic for topic, root in decided.roots().items() if root == topic_id and not decided.topics[topic].gone
    )


def _standing(rows: list[Row], decided: Decided) -> list[Row]:
    roots = decided.roots()
    standing = {row[_ID]: row for row in rows if row[_ID] not in roots}
    for row in rows:
        root = standing.get(roots.get(row[_ID], NO_TOPIC))
        if root is not None and row.get(_PARTS):
            root[_PARTS] = [*(root[_PARTS] or ()), *row[_PARTS]]
    return list(standing.values())


def _with_splits(standing: list[Row], rows: list[Row], decided: Decided) -> list[Row]:
    known = {row[_ID]: row for row in rows}
    out = list(standing)
    for topic in decided.splits():
        source = decided.topics[topic].split_from
        origin = known.get(source if source is not None else NO_TOPIC)
        if topic in known or origin is None:
            continue
        known[topic] = row = _split_row(topic, origin, decided)
        above = [at for at, other in enumerate(out) if other[_ID] == source or other.get("_from") == source]
        out.insert(above[-1] + 1 if above else len(out), row)
    return [{name: value for name, value in row.items() if name != "_from"} for row in out]


def _split_row(topic: int, origin: Row, decided: Decided) -> Row:
    source = decided.topics[topic].split_from
    siblings = [each for each, state in sorted(decided.topics.items()) if state.split_from == source]
    given = decided.topics.get(NO_TOPIC if source is None else source, TopicState()).labels
    row = dict(origin) | {_ID: topic, "_from": source}
    for name in origin:
        if name.startswith(_LABEL):
            label = given.get(name.removeprefix(_LABEL), origin[name])
            row[name] = f"{label} ({siblings.index(topic) + 2})"
        elif name.startswith(_EMPTIED):
            row[name] = []
    return row


def _count_parts(row: Row, counts: Mapping[int, int] | None) -> None:
    """Give a topic's sub-topics their sizes, and their shares of the topic."""
    for part in row.get(_PARTS) or ():
        part[_SIZE] = part[_SIZE] if counts is None else counts.get(part["subtopic_id"], 0)
        part[_SHARE] = part[_SIZE] / max(row[_SIZE], 1)


def _counted(rows: list[Row], counts: Mapping[int, int], langs: Mapping[int, Mapping[str, int]]) -> list[Row]:
    whole = sum(counts.values())
    for row in rows:
        size = counts.get(row[_ID], 0)
        told: Row = {_SIZE: size, _SHARE: size / max(whole, 1)}
        if row[_ID] in langs:
            own = langs[row[_ID]]
            told |= {f"{_SHARE}_{lang}": own.get(lang, 0) / max(sum(own.values()), 1) for lang in _CODES}
        row.update({name: value for name, value in told.items() if name in row})
    return rows
