"""Every language pack is whole: what a new language must bring."""

import pytest

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.core.folding import fold
from feedback_nlp.lang.pack import CODES, LanguagePack, open_pack, open_packs


@pytest.fixture(params=CODES)
def pack(request: pytest.FixtureRequest) -> LanguagePack:
    return open_pack(request.param)


def test_it_is_named_in_every_language(pack: LanguagePack) -> None:
    assert set(pack.names) == set(CODES)
    assert all(pack.names.values())


def test_it_has_a_direction_and_ten_digits(pack: LanguagePack) -> None:
    assert pack.direction in ("rtl", "ltr")
    assert [int(digit) for digit in pack.digits] == list(range(10))


def test_no_stop_word_turns_a_meaning(pack: LanguagePack) -> None:
    stop_words = {fold(word) for word in pack.stop_words}
    negations = {fold(word) for word in pack.negations}
    assert not stop_words & negations


def test_it_has_words_for_every_use(pack: LanguagePack) -> None:
    assert len(pack.stop_words) > 50
    assert len(pack.negations) > 5
    assert pack.contrasts
    assert pack.titles
    assert pack.account_cues
    assert pack.turns.before | pack.turns.opening | pack.turns.after


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'xx' is not known. Known: ar, fa, en"):
        open_pack("xx")
    assert set(open_packs()) == set(CODES)
