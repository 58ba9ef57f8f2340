"""Plans are checked before work starts, and a stage keeps its promise or is named."""

from collections.abc import Mapping

import pyarrow as pa
import pytest

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import CLEAN, LANG, PROBLEMS, TEXT, Column
from feedback_nlp.core.errors import ConfigError, StageContractError
from feedback_nlp.core.stage import Stage, check_plan, run_stages


class Fixed:
    def __init__(self, name: str, requires: tuple[Column, ...], gives: Mapping[Column, pa.Array]) -> None:
        self.name = name
        self.requires = requires
        self.provides = tuple(column for column in gives if column != PROBLEMS)
        self._gives = gives

    def compute(self, batch: CommentBatch) -> Mapping[Column, pa.Array]:
        return self._gives


def test_a_plan_out_of_order_names_the_stage_to_move() -> None:
    langid = Fixed("langid", (TEXT,), {LANG: pa.array(["ar"])})
    sentiment = Fixed("sentiment", (LANG, CLEAN), {})
    assert isinstance(langid, Stage)
    with pytest.raises(ConfigError) as caught:
        check_plan([sentiment, langid])
    assert "'lang' is made by 'langid', put it earlier" in str(caught.value)
    assert "'clean' is made by no stage here" in str(caught.value)
    check_plan([langid])


def test_stages_add_their_columns_and_are_timed() -> None:
    stages = [
        Fixed("langid", (TEXT,), {LANG: pa.array(["ar"]), PROBLEMS: pa.array([["short"]], PROBLEMS.dtype)}),
        Fixed("normalise", (TEXT,), {CLEAN: pa.array(["x"])}),
    ]
    batch, seconds = run_stages(stages, CommentBatch.from_texts(["x"]))
    assert batch.values(LANG) == ["ar"]
    assert batch.values(PROBLEMS) == [["short"]]
    assert set(seconds) == {"langid", "normalise"}


def test_returning_less_than_promised_is_an_error() -> None:
    stage = Fixed("langid", (TEXT,), {LANG: pa.array(["ar"])})
    stage.provides = (LANG, CLEAN)
    with pytest.raises(StageContractError, match="langid: promised"):
        run_stages([stage], CommentBatch.from_texts(["x"]))
