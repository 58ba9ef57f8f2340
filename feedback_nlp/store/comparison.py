"""Runs beside each other: two of them with what came and went, or all of them by the day comments were written."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, func, select

from feedback_nlp.core.columns import LANG, ROOT_CAUSE, SENTIMENT, TOPIC_ID
from feedback_nlp.core.errors import ConfigError
from feedback_nlp.store.decisions_view import topic_counts, topics_of
from feedback_nlp.store.schema import COMMENTS, RUNS

COMPARED = (LANG, SENTIMENT, ROOT_CAUSE)
NO_VALUE = "-"
_BY_DAY = tuple(column.name for column in (*COMPARED, TOPIC_ID))

Counts = Mapping[str, int]


@dataclass(frozen=True)
class TopicPair:
    """A topic in two runs.

    :param labels: its names by language, the second run's where it is there.
    :param first: its comments in the first run, None where it is not there; likewise ``second``.
    """

    topic_id: int
    labels: Mapping[str, str]
    first: int | None
    second: int | None


@dataclass(frozen=True)
class Comparison:
    """Two runs side by side.

    :param comments: comments of each run.
    :param shared: ids that stand in both; the rest of the first run is gone, of the second new.
    :param mix: by column, comments of the first and of the second run by value; ``-`` where there is none.
    :param topics: every topic of either run, as analysts decided; the largest change first.
    """

    runs: tuple[str, str]
    comments: tuple[int, int]
    shared: int
    mix: Mapping[str, tuple[Counts, Counts]]
    topics: tuple[TopicPair, ...]

    @property
    def gone(self) -> int:
        """Comments of the first run that the second lacks."""
        return self.comments[0] - self.shared

    @property
    def new(self) -> int:
        """Comments of the second run that the first lacks."""
        return self.comments[1] - self.shared

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as plain values."""
        return asdict(self) | {"gone": self.gone, "new": self.new}


def compare(connection: Connection, names: tuple[str, str], runs: tuple[int, int]) -> Comparison:
    """Compare two runs that may be read.

    :param names: their ids.
    :param runs: their numbers.
    """
    first, second = COMMENTS.alias("a"), COMMENTS.alias("b")
    both = (first.c.run == runs[0]) & (second.c.run == runs[1]) & (first.c.comment_id == second.c.comment_id)
    shared = connection.execute(select(func.count()).select_from(first).join(second, both)).scalar_one()
    mixes = {column.name: (_counts(connection, runs[0], column.name), _counts(connection, runs[1], column.name))
             for column in COMPARED}  # fmt: skip
    sizes = tuple(sum(mixes[LANG.name][place].values()) for place in (0, 1))
    return Comparison(names, (sizes[0], sizes[1]), int(shared), mixes, _topics(connection, runs))


def by_day(connection: Connection, name: str) -> pa.Table:
    """Count the comments of all finished runs by the day they were written and by a column's value.

    Each comment counts once, as the newest run that holds it read it, and on its own day, however late it arrived.

    :param name: a column of few values.
    :returns: day (null for comments without a date, which come first), value and comments, in order.
    :raises ConfigError: for a column of many values.
    """
    if name not in _BY_DAY:
        raise ConfigError(f"Days are counted by one of {', '.join(_BY_DAY)}, not by '{name}'.")
    done = select(RUNS.c.run).where(RUNS.c.state == "finished")
    newest = select(COMMENTS.c.comment_id, func.max(COMMENTS.c.run).label("run"))
    last = newest.where(COMMENTS.c.run.in_(done)).group_by(COMMENTS.c.comment_id).subquery()
    day, value = func.substr(COMMENTS.c.created_at, 1, 10), COMMENTS.c[name]
    same = (COMMENTS.c.run == last.c.run) & (COMMENTS.c.comment_id == last.c.comment_id)
    query = select(day, value, func.count()).select_from(COMMENTS).join(last, same).group_by(day, value)
    found = [(row[0], NO_VALUE if row[1] is None else str(row[1]), int(row[2])) for row in connection.execute(query)]
    found.sort(key=lambda row: (row[0] or "", row[1]))
    days, values, counts = zip(*found, strict=True) if found else ((), (), ())
    dates = pa.array(days, pa.string()).cast(pa.date32())
    return pa.table({"day": dates, "value": pa.array(values, pa.string()), "comments": pa.array(counts, pa.int64())})


def _counts(connection: Connection, run: int, name: str) -> dict[str, int]:
    column = COMMENTS.c[name]
    query = select(column, func.count()).where(COMMENTS.c.run == run).group_by(column)
    return dict(sorted((str(value or NO_VALUE), int(count)) for value, count in connection.execute(query)))


def _topics(connection: Connection, runs: tuple[int, int]) -> tuple[TopicPair, ...]:
    labels: dict[int, dict[str, str]] = {}
    sizes: list[dict[int, int]] = []
    for run in runs:
        counts = topic_counts(connection, run)
        table = topics_of(connection, run)
        names = [name for name in table.column_names if name.startswith("label_")]
        found = table.to_pylist() if "topic_id" in table.column_names else []
        for row in found:
            labels[row["topic_id"]] = {name.removeprefix("label_"): row[name] for name in names}
        sizes.append({row["topic_id"]: counts.get(row["topic_id"], 0) for row in found})
    pairs = [TopicPair(topic, labels[topic], sizes[0].get(topic), sizes[1].get(topic)) for topic in labels]
    return tuple(sorted(pairs, key=lambda pair: (-abs((pair.second or 0) - (pair.first or 0)), pair.topic_id)))
