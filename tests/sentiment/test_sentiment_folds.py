"""What is held out together, and what may then be fitted on."""

from collections.abc import Sequence

import numpy as np

from feedback_nlp.train.sentiment_data import Labelled
from feedback_nlp.train.sentiment_folds import judging_rows, part_of, source_groups, without


def labelled(
    sets: Sequence[str],
    *,
    identities: Sequence[str] | None = None,
    judged: Sequence[bool] | None = None,
    splits: Sequence[str] | None = None,
    domains: Sequence[str] | None = None,
    sources: Sequence[str] | None = None,
) -> Labelled:
    count = len(sets)
    names = np.array(sets)
    return Labelled(
        texts=[f"text {k}" for k in range(count)],
        langs=np.array([name[:2] for name in sets]),
        labels=np.zeros(count, dtype=np.int64),
        sources=names if sources is None else np.array(sources),
        sets=names,
        judged=np.array(judged if judged else [False] * count),
        rated=np.zeros(count, dtype=bool),
        domains=np.array(domains if domains else ["x"] * count),
        splits=np.array(splits if splits else [""] * count),
        chosen=np.zeros(count, dtype=bool),
        identities=np.array(identities if identities else [f"id {k}" for k in range(count)]),
    )


def test_what_shares_a_review_with_the_held_out_is_left_out() -> None:
    given = labelled(["ar_a", "ar_a", "ar_b", "ar_b"], identities=["r1", "r2", "r1", "r3"])
    assert without(given, np.array([True, False, False, False])).tolist() == [False, True, False, True]


def test_kept_back_comments_join_only_while_their_own_set_is_held_out_in_turn() -> None:
    given = labelled(["en_a", "en_a", "en_b"], judged=[False, True, True])
    assert without(given, np.array([True, False, False])).tolist() == [False, True, False]


def test_overlapping_sources_share_a_fold_and_no_source_is_lost() -> None:
    names = ["ar_arsarcasm_v2", "ar_astd", "ar_marsa", *[f"ar_set{k}" for k in range(9)]]
    folds = source_groups(labelled(names), "ar")
    assert sorted(name for fold in folds for name in fold) == sorted(names)
    assert len(folds) == 6
    assert any({"ar_arsarcasm_v2", "ar_astd"} <= set(fold) for fold in folds)
    assert source_groups(labelled(names), "en") == []


def test_a_fold_never_takes_all_of_a_domain() -> None:
    names = [f"en_s{k:02}" for k in range(12)]
    folds = source_groups(labelled(names, domains=["hotel"] * 6 + ["bank"] * 6), "en")
    assert all({int(name[-2:]) < 6 for name in fold} == {True, False} for fold in folds)


def test_a_source_is_judged_on_its_published_test_split_else_on_a_fifth() -> None:
    names = ["ar_a"] * 4 + ["ar_b"] * 500
    chosen = judging_rows(labelled(names, splits=["test", "train", "test", "train"] + [""] * 500))
    assert chosen[:4].tolist() == [True, False, True, False]
    assert 0.1 < chosen[4:].mean() < 0.3


def test_annotated_comments_and_published_hold_outs_are_judged_as_they_are() -> None:
    given = labelled(["fa_snappfood", "fa_snappfood", "rootcause"], judged=[True, False, False], splits=["test"] * 3)
    assert judging_rows(given).tolist() == [True, False, False]


def test_parts_are_fifths_told_by_the_text_alone() -> None:
    parts = [part_of(str(k)) for k in range(1000)]
    assert parts == [part_of(str(k)) for k in range(1000)]
    assert min(np.bincount(parts)) > 150
    assert set(parts) == set(range(5))
