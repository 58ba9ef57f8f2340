"""Ten thousand strings of the worst kind, and lines of a megabyte, through both language rooms."""

import itertools
import random
import time
import unicodedata

import pytest

from feedback_nlp.core.modelfolder import open_model, resolve_model
from feedback_nlp.core.redaction import redact
from feedback_nlp.langid.backends.shipped import open_shipped
from feedback_nlp.langid.legible import legible
from feedback_nlp.langid.settings import ShippedBackend
from feedback_nlp.normalise import Normalised, Span, find_personal_data, normalise
from feedback_nlp.normalise.clauses import find_clauses, in_text
from feedback_nlp.normalise.deromanise import WordModel

LETTERS = (
    "abcABC \n\r\t.,!?؟،؛;:'\"-–()<>&#@_/\\0123456789٠١٢۳۴۵ابتثجحخدرسشصضعغفقكلمنهويةىأإآؤئءپچژکگی"
    "\u064b\u0651\u0670\u0640\u0653\u0654\u0301\u0327\ufe0f\u20e3👍🏽❤🇸🇦🇮🇷…ﷲﻻﬁＡ𝐚²½�\x00\x1fØ§ÙÃ©â€™ðŸÇáط§ظ„"
)
SURROGATES = "\ud800\udbff\udc00\udfff"
BIDI = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\u034f"
PIECES = (
    "https://a.b/c?token=1", "www.x.com", "<p>", "</b>", "<script>", "</script>", "<!--", "-->", "&amp;", "&#1575;",
    "می", "نمی", " ها", " تر", "ها", "های", "ولی", "لكن", "بس", "but ", "yet ", "#هش_تگ", "@user", "not ", "لا", "نیست",
    "09121234567", "+966 50 123 4567", "رقم الطلب ", "order no ", "a@b.com", "4111 1111 1111 1111", "کد ملی ",
    "GB82WEST12345698765432", "؀12", "Mr Smith", "kheyli khoob", "el khedma ", "3ashan", "\u200d" * 40, "\u202e" * 9,
)  # fmt: skip
NOT_FIRST = ("Mn", "Mc", "Me")


def strings(count: int, seed: int) -> list[str]:
    """Return strings in which letters, marks, controls, lone surrogates and floods of them stand in any order."""
    rng = random.Random(seed)
    pools = (LETTERS, LETTERS + SURROGATES, LETTERS + BIDI, LETTERS + ZERO_WIDTH, ZERO_WIDTH, SURROGATES + BIDI)
    found = []
    for _ in range(count):
        pool = rng.choice(pools)
        length = rng.randint(0, rng.choice((8, 30, 120)))
        found.append("".join(rng.choice(PIECES) if rng.random() < 0.12 else rng.choice(pool) for _ in range(length)))
    return found


def check_offsets(text: str, done: Normalised) -> None:
    starts, ends = done.offsets.starts.tolist(), done.offsets.ends.tolist()
    assert len(starts) == len(ends) == len(done.clean)
    assert starts == sorted(starts)
    assert ends == sorted(ends)
    assert all(0 <= a <= b <= len(text) for a, b in zip(starts, ends, strict=True))
    for at in range(0, len(starts), 3):
        first, last = done.offsets.to_text(at, at + 1)
        back = done.offsets.to_clean(first, last)
        assert first == last or back[0] <= at < back[1]


def check_personal_data(text: str) -> None:
    found = find_personal_data(text, names=True)
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))
    for start, end, _ in found:
        assert 0 <= start < end <= len(text)
        assert unicodedata.category(text[start]) not in NOT_FIRST
        assert end == len(text) or (unicodedata.category(text[end]) not in NOT_FIRST and text[end] != "\u200d")
    assert len(redact(text, found, keep_length=True)) == len(text)


@pytest.mark.slow
def test_ten_thousand_strings() -> None:
    judge = open_shipped(ShippedBackend())
    words = WordModel.from_folder(open_model(resolve_model("deromanise")))
    texts = strings(10_000, 17)
    shown = legible(texts)
    found = judge.judge(shown.texts)
    tokens = shown.as_given(found.tokens)
    assert len(found.probabilities) == len(texts)
    assert all(
        0 <= a <= b <= len(texts[row]) for row, a, b in zip(tokens.rows, tokens.starts, tokens.ends, strict=True)
    )
    rng = random.Random(5)
    for text in texts:
        lang = rng.choice(("ar", "fa", "en", "other"))
        done = normalise(text, lang)
        check_offsets(text, done)
        assert normalise(done.clean, lang).clean == done.clean
        middle = len(text) // 2
        spans = [Span(0, middle, "ar-Latn"), Span(middle, len(text), rng.choice(("fa-Latn", "fa", "other")))]
        check_offsets(text, normalise(text, lang, spans=spans, deromaniser=words))
        clauses = in_text(find_clauses(done.clean, [lang]), done.offsets)
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(clauses))
        check_personal_data(text)


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit", ["0912 ", "a@b.com ", "\u200c", "\u202e\u2066", "\ud800", "ه", "<b>", "ط§ظ„", "4111-", "x" * 50]
)
def test_a_line_of_a_megabyte_is_told_and_searched_in_seconds(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    began = time.process_time()
    open_shipped(ShippedBackend()).judge(legible([text]).texts)
    check_personal_data(text)
    assert time.process_time() - began < 30
