"""What a reading encoder says of a text: the labels of its scores, in order.

Sentiment and root causes take these scores from the columns of the embed stage; none of them is calibrated.
"""

from collections.abc import Mapping

from feedback_nlp.core.columns import (
    EFFORTS,
    EMOTIONS,
    INTENTS,
    OTHER_CAUSES,
    POLARITIES,
    RESOLUTIONS,
    SENTIMENTS,
    STAGES,
)

READ_DRIVERS = ("policy-", "policy+", "employee-", "employee+")
READ_CAUSES = tuple(
    f"{cause}{sign}"
    for cause in (
        "policy.outdated",
        "policy.process",
        "policy.returns",
        "policy.authority",
        "policy.handoff",
        "policy.tools",
        "policy.pricing",
        "policy.operations",
        "employee.knowledge",
        "employee.attitude",
        "employee.support",
    )
    for sign in "-+"
)
TOKEN_LABELS = (*READ_DRIVERS, *READ_CAUSES)

_PARTS: Mapping[str, tuple[str, ...]] = {
    "drivers": READ_DRIVERS,
    "causes": READ_CAUSES,
    "polarity": POLARITIES,
    "sentiment": SENTIMENTS,
    "others": OTHER_CAUSES,
    "emotion": EMOTIONS,
    "effort": EFFORTS,
    "resolved": RESOLUTIONS,
    "intent": INTENTS,
    "stage": STAGES,
    "pyramid": tuple(map(str, range(6))),
}


def _slices() -> dict[str, slice]:
    found, first = {}, 0
    for name, labels in _PARTS.items():
        found[name] = slice(first, first + len(labels))
        first += len(labels)
    return found


READING_LABELS = tuple(f"{part}.{label}" for part, labels in _PARTS.items() for label in labels)
"""The scores of one comment or clause, in order: ``part.label``."""

READING_SLICES: Mapping[str, slice] = _slices()
"""Where each part stands among them. drivers, causes and others: a logit a label; the other parts: a softmax each."""
