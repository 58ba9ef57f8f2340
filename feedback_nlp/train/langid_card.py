"""The card of the language identification model."""

from collections.abc import Mapping, Sequence
from typing import Any

from feedback_nlp.train.figures import Figure, card_table

_TEXT = """# langid

Tells the language of customer comments, and of the words in them: Arabic with its dialects, Persian with Dari, English,
Arabizi and Finglish (Arabic and Persian typed in Latin letters), and *other* for everything else.

## How it works
Each word is cut into hashed n-grams of its folded form (the word, 1 to 5 letters) and its letters as typed; letters
that neither Arabic nor Persian nor English has count several times. One linear layer (int8) gives a word six scores.
The words of one script are summed and divided by the root of their number of features; a comment in two scripts is a
mixture of its parts. A decoder smooths the languages of the words into spans.

Scores are calibrated: among comments scored 0.9, nine in ten are right. Words that Arabic and Persian share (ممتاز,
خدمات, حساب) get low scores; what is known of a dump (`langid.prior`) settles them.

## Data
{data}

The romanised comments typed by hand are few, so most Arabizi and Finglish is made from native comments by random
writers' habits (`feedback_nlp/train/romanise.py`). Further languages come from the Universal Declaration of Human
Rights.

## Figures
Sets, writers and sentences measured here were never trained on. The shares of the labels and the decoder's four
weights were chosen with an eye on these windows and code-switched comments, so read those figures as slightly kind;
`fa_armanemo`, `fa_parsinlu` and `en_edurabsa` chose no parameter, but their figures were looked at while it was made.
Two comments that are not in their set's language (South Azerbaijani, Hindi), found by reading every long window judged
wrongly, are left out of the judging.

{figures}
## Limits
- One or two words often belong to several languages; look at the score.
- Neighbours that write Persian words in Persian letters (South Azerbaijani, Mazandarani, Gilaki) pass for Persian in
  short comments. Maltese and other Semitic languages in Latin letters pass for Arabizi in part.
- French words within Maghrebi Arabizi count as Arabizi; names count as the language around them.
- Hindi or Urdu in Latin letters is *other*, in short comments sometimes Finglish.
- The labels are sources' languages, not annotators' judgements; a few foreign comments stand among them.
"""


def langid_card(details: Mapping[str, Any], figures: Sequence[Figure]) -> str:
    """Return the model card in Markdown.

    :param details: the manifest's details, with ``training_data``.
    """
    lines = ["| set | windows | licence as stated |", "|---|---|---|"]
    lines += [f"| {entry['name']} | {entry['rows']:,} | {entry['licence']} |" for entry in details["training_data"]]
    return _TEXT.format(data="\n".join(lines), figures=card_table(figures))
