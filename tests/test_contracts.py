"""What holds for every row-wise stage, whoever writes it."""

import functools
import random
from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback_nlp.config import DEFAULT_STAGES, Config
from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import CLEAN, CLEAN_ENDS, DRIVER_SPANS, TEXT
from feedback_nlp.core.stage import Stage, check_plan, run_stages
from feedback_nlp.pipeline import TOPICS, build_stage, with_problems

ROW_STAGES = tuple(name for name in DEFAULT_STAGES if name != TOPICS)
TEXTS = (
    "الموظف كان وقحا جدا والطلب تأخر",
    "قوانین مرجوعی خیلی سخت‌گیرانه است ولی پشتیبانی عالی بود",
    "great staff but the refund took three weeks",
    "el mowazaf kan mo7taram awi",
    "barkhord karmand kheili bad bood",
    "",
    "😡😡",
    "12345",
    "<p>bad</p>&nbsp;",
    "\u202e\u200f\u200c \ufeff",
    "call me 09121234567 or sara@example.com",
    "service خیلی بد و delivery متاخر",
    "أنا " * 300,
    "خدمات",
)


@functools.cache
def stage(name: str) -> Stage:
    return build_stage(name, Config())


def run(texts: Sequence[str], upto: str) -> CommentBatch:
    wanted = ROW_STAGES[: ROW_STAGES.index(upto) + 1]
    done, _ = run_stages([stage(name) for name in wanted], with_problems(CommentBatch.from_texts(texts)))
    return done


def rows(batch: CommentBatch) -> list[dict[str, object]]:
    table = batch.table.drop_columns(["comment_id"])
    return table.to_pylist()


def test_the_default_plan_holds() -> None:
    check_plan([stage(name) for name in ROW_STAGES])


@pytest.mark.parametrize("name", ROW_STAGES)
def test_it_names_itself_and_its_columns(name: str) -> None:
    assert isinstance(stage(name), Stage)
    assert stage(name).name == name
    assert stage(name).provides


@pytest.mark.parametrize("name", ROW_STAGES)
def test_no_comments_give_no_rows(name: str) -> None:
    assert len(run([], name)) == 0


@pytest.mark.parametrize("name", ROW_STAGES)
def test_a_row_does_not_depend_on_its_neighbours(name: str) -> None:
    together = rows(run(TEXTS, name))
    for text, row in zip(TEXTS, together, strict=True):
        assert rows(run([text], name)) == [row]
    order = list(range(len(TEXTS)))
    random.Random(5).shuffle(order)
    shuffled = rows(run([TEXTS[at] for at in order], name))
    assert shuffled == [together[at] for at in order]


@pytest.mark.parametrize("name", ROW_STAGES)
def test_the_same_bytes_each_time(name: str) -> None:
    assert run(TEXTS, name).table.equals(run(TEXTS, name).table)


@given(st.lists(st.text(alphabet=st.characters(codec=None, exclude_categories=("Cs",)), max_size=60), max_size=4))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_is_taken_and_kept(texts: list[str]) -> None:
    done = run(texts, ROW_STAGES[-1])
    assert done.values(TEXT) == texts
    for text, clean, ends, drivers in zip(
        texts, done.values(CLEAN), done.values(CLEAN_ENDS), done.values(DRIVER_SPANS), strict=True
    ):
        assert (clean is None) == (ends is None)
        assert all(text[driver["start"] : driver["end"]].strip() for driver in drivers)


def test_every_column_has_its_declared_type() -> None:
    done = run(TEXTS, ROW_STAGES[-1])
    for name in ROW_STAGES:
        for column in stage(name).provides:
            assert column.accepts(done.table.schema.field(column.name).type)
    assert isinstance(done.table, pa.Table)
