"""Settles what cannot stand side by side in a comment: blame of who may not help, praise that is blame, echoes."""

from collections.abc import Sequence

from feedback_nlp.rootcause.backends import Found, Ints

_PEOPLE = frozenset({"attitude", "knowledge", "support"})
_SURER = 0.6
_IN_THE_SHADE = 0.3


def settle(found: Sequence[Found], clauses: Ints) -> list[Found]:
    """Return one comment's findings without those that others speak against.

    A person who is said not to be allowed to help is not to blame in the same clause, unless that is nearly as sure.
    Of praise and complaint about one cause the likelier is kept where the other rests on none but its words. A cause
    goes, too, where half of its evidence is that of another of the same driver and sign, over three times as sure.

    :param found: findings of one comment.
    :param clauses: int64 array (k, 2) of starts and ends of its clauses, in order.
    """
    excuses = [piece for piece in found if piece.cause == "authority" and piece.sign == "-"]
    left = [
        piece
        for piece in found
        if not any(_excused(piece, excuse, clauses) for excuse in excuses)
        and not any(_outweighed(piece, other) for other in found)
    ]
    return [piece for piece in left if not any(_in_the_shade(piece, other) for other in left)]


def _excused(piece: Found, excuse: Found, clauses: Ints) -> bool:
    if piece.cause not in _PEOPLE or piece.sign != "-" or piece.score >= _SURER * excuse.score:
        return False
    return any(
        max(start, piece.start) < min(end, piece.end) and max(start, excuse.start) < min(end, excuse.end)
        for start, end in clauses.tolist()
    )


def _outweighed(piece: Found, other: Found) -> bool:
    within = other.start <= piece.start and piece.end <= other.end
    return piece.cause == other.cause and piece.sign != other.sign and within and piece.score < other.score


def _in_the_shade(piece: Found, other: Found) -> bool:
    shared = min(piece.end, other.end) - max(piece.start, other.start)
    alike = piece.sign == other.sign and (piece.cause in _PEOPLE) == (other.cause in _PEOPLE)
    return alike and shared > 0 and 2 * shared >= piece.end - piece.start and piece.score < _IN_THE_SHADE * other.score
