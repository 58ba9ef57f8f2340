"""Findings that cannot stand side by side."""

import numpy as np
import pytest

from feedback_nlp.rootcause.backends import Found
from feedback_nlp.rootcause.settle import settle

CLAUSES = np.array([[0, 20], [21, 40]])


def piece(cause: str, sign: str, score: float, start: int, end: int) -> Found:
    return Found(0, cause, sign, score, start, end)


EXCUSE = piece("authority", "-", 0.9, 8, 20)


def test_who_may_not_help_is_not_to_blame_in_the_same_clause() -> None:
    assert settle([EXCUSE, piece("attitude", "-", 0.5, 0, 7)], CLAUSES) == [EXCUSE]


@pytest.mark.parametrize(
    "other",
    [
        piece("attitude", "-", 0.8, 0, 7),
        piece("attitude", "-", 0.5, 22, 30),
        piece("attitude", "+", 0.3, 0, 7),
        piece("returns", "-", 0.3, 8, 20),
    ],
    ids=["as sure", "another clause", "praise", "policy"],
)
def test_other_findings_stand_beside_an_excuse(other: Found) -> None:
    assert settle([EXCUSE, other], CLAUSES) == [EXCUSE, other]


def test_praise_within_the_words_of_a_likelier_complaint_is_none() -> None:
    blame = piece("attitude", "-", 0.6, 0, 10)
    assert settle([blame, piece("attitude", "+", 0.5, 2, 10)], CLAUSES) == [blame]
    for kept in (
        piece("attitude", "+", 0.5, 2, 12),
        piece("attitude", "+", 0.7, 0, 10),
        piece("knowledge", "+", 0.5, 2, 10),
    ):
        assert kept in settle([blame, kept], CLAUSES)


def test_words_that_speak_far_more_for_another_cause_of_the_driver_leave_the_lesser_one_out() -> None:
    rude = piece("attitude", "-", 0.9, 0, 10)
    assert settle([rude, piece("knowledge", "-", 0.2, 4, 14)], CLAUSES) == [rude]
    for kept in (
        piece("knowledge", "-", 0.3, 4, 14),
        piece("knowledge", "-", 0.2, 8, 14),
        piece("knowledge", "+", 0.2, 4, 14),
        piece("operations", "-", 0.2, 4, 14),
    ):
        assert kept in settle([rude, kept], CLAUSES)


def test_what_was_left_out_itself_puts_nothing_in_the_shade() -> None:
    praise = piece("attitude", "+", 0.7, 0, 12)
    outweighed, lesser = piece("attitude", "-", 0.5, 2, 12), piece("knowledge", "-", 0.14, 4, 12)
    assert settle([praise, outweighed, lesser], CLAUSES) == [praise, lesser]


def test_nothing_stays_nothing() -> None:
    assert settle([], np.zeros((0, 2), dtype=np.int64)) == []
