"""Joined comments: each is used once, in its language, and causes in a later window are found."""

import numpy as np
import pytest
from rootcause_batches import annotated_row

from feedback_nlp.embed.settings import ShippedBackend
from feedback_nlp.train.rootcause_data import build
from feedback_nlp.train.rootcause_long import JOINED, joined, long_figures

FILLING = "We went there on the tenth with the children and sat down near the window, as we do every year in spring. "


def test_comments_of_one_language_are_joined_each_once() -> None:
    rows = [{**annotated_row(number, ""), "lang": ("en", "fa")[number % 2]} for number in range(21)]
    comments, sizes = build(rows), np.arange(21)
    groups = list(joined(comments, sizes, 30))
    assert groups
    assert all(len(set(comments.langs[group])) == 1 and sizes[group].sum() > 30 for group in groups)
    used = [row for group in groups for row in group]
    assert len(set(used)) == len(used)
    assert groups == list(joined(comments, sizes, 30))
    assert not list(joined(comments, sizes, 1000))


@pytest.mark.usefixtures("default_profile")
def test_causes_beyond_the_first_window_count() -> None:
    backend = ShippedBackend()
    rows = [annotated_row(number, "") for number in range(40)]
    comments = build([{**row, "text": FILLING + row["text"]} for row in rows])
    figures = {one.metric: one for one in long_figures(comments, {}, backend)}
    micro = figures["micro-F1, driver × sign"]
    assert micro.data == JOINED
    assert micro.n > 3
    assert micro.value > float(micro.anchor.removeprefix("first window: ")) + 0.05
    assert not long_figures(build(rows[:3]), {}, backend)
