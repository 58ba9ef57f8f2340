"""The model card of the root-cause model."""

from collections.abc import Mapping, Sequence
from typing import Any

from feedback_nlp.train.figures import Figure, card_table
from feedback_nlp.train.rootcause_figures import CROSS, DEV, KEPT, UNSEEN

_READER = """Where a reading encoder (kind `encoder`) has read the comment, its scores take the place of the vector:
four weights and a bias a label, two weights a reading, and evidence from its scores of the tokens. They are fitted on
comments that neither the heads scoring them nor the encoder of the first round had learnt from, drawn to what all
labels share; a comment that was not read is judged as without. Without such an encoder the same folder works on n-grams
and vectors.
"""
_DECIDED = """Biases were then fitted anew, drawn to those that stood, and thresholds drawn to what is best, on {count}
comments kept back, as the encoder that ships reads them and heads fitted without them score them (`feedback-nlp train
decisions`).
"""
_DECIDED_FIGURES = """"{kept}, with a reader": annotated comments that neither the encoder that ships
nor the heads scoring them here have learnt from, each half judged by biases and thresholds drawn on the other. The four
weights a label were fitted on them too, beside three sources, as the encoder of the first round read them.
"""
_READER_FIGURES = """"{dev}, with a reader": the same development comments, read by that encoder. "{unseen}, with a
reader": three sources that heads, encoder and weights were fitted without, each source's weights on the others'.
"dev and {unseen}": these two together, cause by cause. On sources never seen the encoder is that of the first round as
it was when the weights were fitted; a reader that was tuned further since has seen these sources.
"""


def rootcause_card(figures: Sequence[Figure], details: Mapping[str, Any]) -> str:
    """Write the model card."""
    sets = "\n".join(f"- {row['name']}: {row['rows']:,} comments" for row in details["training_data"])
    reads = "reader" in details
    decided = details["calibration"].get("decided_on")
    how, told = _READER, _READER_FIGURES.format(dev=DEV, unseen=UNSEEN)
    if decided is not None:
        how, told = how + _DECIDED.format(count=decided), told + _DECIDED_FIGURES.format(kept=KEPT)
    return f"""# rootcause

Why a comment praises or complains: company policy or employee behaviour, in eleven causes with sign, score and the
words that show it; and emotion, effort, resolution, intent, journey stage and level of the customer-experience pyramid.
Arabic, Persian and English.

## How it was made
Logistic heads over hashed n-grams (words 1-2, characters 3-5) and the comment's vector from `encoder-static`, fitted at
once on whole comments and on their clauses, where a clause carries the causes whose evidence it holds. Written comments
teach rare causes, and who of many trades did what. Comments that a model had chosen for annotation count .3 and are
never judged on. Comments in three languages, less a quarter that is kept for measuring, are taught what the heads,
fitted once without them, say of all three together. The scores of
the whole and of its best clause are weighed into a probability; thresholds lie between the best F1 found and the best
to be expected, on comments and sources that the scoring heads never saw. Evidence is the stretch of words within a
clause with the largest weights. Readings are softmax heads. Made by `feedback-nlp train rootcause`, seed
{details["seed"]}.
{how if reads else ""}
## Figures
"{DEV}": development comments of the sources that the model was trained on. "{UNSEEN}": heads fitted without the source
and without others of its kind. "{CROSS}": development comments, and training comments judged by heads fitted without
them. Thresholds were chosen on the scores of the two latter. Agreement of two annotation passes stands beside.
{told if reads else ""}
{card_table(figures)}
## Limits
Rare causes (authority, handoff, support) rest on few real comments. Kinds of business that are not in the data are
judged worse, complaints about employees in Persian worst. Irony and hearsay are taken at their word. The annotation was
made by a language model under a guide, the second pass as well; no human panel has checked it.

## Data
Annotated comments, drawn from these sets, and written ones (synthetic):
{sets}
"""
