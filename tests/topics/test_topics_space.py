import numpy as np

from feedback_nlp.topics.space import ANY, LanguageShift


def _vectors(seed=0, rows=400):
    rng = np.random.default_rng(seed)
    langs = [("ar", "fa", "en")[at % 3] for at in range(rows)]
    tilt = {"ar": 0, "fa": 1, "en": 2}
    vectors = rng.normal(scale=0.3, size=(rows, 6))
    for at, lang in enumerate(langs):
        vectors[at, tilt[lang]] += 2
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), langs


def test_languages_lie_together_after_the_shift():
    vectors, langs = _vectors()
    shifted = LanguageShift.fit(vectors, langs).apply(vectors, langs)
    means = [shifted[np.array(langs) == lang].mean(axis=0) for lang in ("ar", "fa", "en")]
    assert max(float(np.linalg.norm(mean)) for mean in means) < 0.25
    np.testing.assert_allclose(np.linalg.norm(shifted, axis=1), 1, atol=1e-5)


def test_rows_do_not_depend_on_their_neighbours():
    vectors, langs = _vectors()
    shift = LanguageShift.fit(vectors, langs)
    whole = shift.apply(vectors, langs)
    for at in (0, 7, 399):
        np.testing.assert_array_equal(shift.apply(vectors[at : at + 1], langs[at : at + 1])[0], whole[at])


def test_an_unknown_language_takes_the_mean_of_all():
    vectors, langs = _vectors()
    shift = LanguageShift.fit(vectors, langs)
    np.testing.assert_array_equal(shift.apply(vectors[:5], ["other"] * 5), shift.apply(vectors[:5]))
    assert shift.langs[0] == ANY


def test_a_rare_language_is_drawn_to_the_mean_of_all():
    vectors, langs = _vectors()
    rare = LanguageShift.fit(vectors, ["other" if at == 0 else lang for at, lang in enumerate(langs)])
    means = dict(zip(rare.langs, rare.means, strict=True))
    assert np.linalg.norm(means["other"] - means[ANY]) < 0.1


def test_zeros_stay_zeros():
    vectors, langs = _vectors()
    shift = LanguageShift.fit(vectors, langs)
    assert not shift.apply(np.zeros((2, 6), dtype=np.float32), ["ar", "xx"]).any()


def test_nothing_to_fit_on():
    shift = LanguageShift.fit(np.zeros((0, 6), dtype=np.float32), [])
    assert shift.apply(np.zeros((0, 6), dtype=np.float32)).shape == (0, 6)
