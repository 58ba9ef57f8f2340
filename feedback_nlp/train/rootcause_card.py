"""The model card of the root-cause model."""

from collections.abc import Mapping, Sequence
from typing import Any

from feedback_nlp.train.figures import Figure, card_table
from feedback_nlp.train.rootcause_figures import DEV, UNSEEN


def rootcause_card(figures: Sequence[Figure], details: Mapping[str, Any]) -> str:
    """Write the model card."""
    sets = "\n".join(f"- {row['name']}: {row['rows']:,} comments" for row in details["training_data"])
    return f"""# rootcause

Why a comment praises or complains: company policy or employee behaviour, in eleven causes with sign, score and the
words that show it; and emotion, effort, resolution, intent, journey stage and level of the customer-experience pyramid.
Arabic, Persian and English.

## How it was made
Logistic heads over hashed n-grams (words 1-2, characters 3-5) and the comment's vector from `encoder-static`, fitted at
once on whole comments and on their clauses, where a clause carries the causes whose evidence it holds. Written comments
teach rare causes. The scores of the whole and of its best clause are weighed into a probability; thresholds give the
best F1 on comments and sources that the scoring heads never saw. Evidence is the stretch of words within a clause with
the largest weights. Readings are softmax heads. Made by `feedback-nlp train rootcause`, seed {details["seed"]}.

## Figures
"{DEV}": development comments of the sources that the model was trained on. "{UNSEEN}": heads fitted without the source
and without others of its kind.
{card_table(figures)}
## Limits
Rare causes (authority, handoff, support) rest on few real comments. Kinds of business that are not in the data are
judged worse. Irony and hearsay are taken at their word. The annotation was made by a language model under a guide.

## Data
Annotated comments, drawn from these sets, and written ones (synthetic):
{sets}
"""
