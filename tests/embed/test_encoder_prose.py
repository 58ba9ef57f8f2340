"""English prose beside the pairs of a head."""

import numpy as np
import pytest
from embed_samples import SENTENCES

from feedback_nlp.core.errors import ConfigError, ModelError
from feedback_nlp.core.modelfolder import write_model
from feedback_nlp.train.encoder_bags import Bags, unit

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from feedback_nlp.embed.network import TABLE, evened, head, new_head  # noqa: E402 - needs torch
from feedback_nlp.train import encoder, encoder_head, encoder_prose  # noqa: E402
from feedback_nlp.train.encoder_head import features_of  # noqa: E402
from feedback_nlp.train.encoder_prose import draw_to_prose, note_of  # noqa: E402
from feedback_nlp.train.encoder_write import without_note  # noqa: E402
from feedback_nlp.train.prose import NEWS, WIKI  # noqa: E402
from feedback_nlp.train.reader_pairs import UNTAUGHT, Paired  # noqa: E402

WIDTH, LAYERS, PAIRS, PROSE = 32, 3, 90, 400
SOURCES = {NEWS: 300, WIKI: 100}


@pytest.fixture
def taught(reader_weights, tokenizer_file, monkeypatch):
    """A trunk with an untrained head, pairs, and prose whose vectors are a rotation of what the head could say."""
    monkeypatch.setattr(encoder_head, "feedback_texts", lambda *_, **__: [("set", text) for text in SENTENCES])
    rng = np.random.default_rng(2)
    weights = {name: value for name, value in reader_weights.items() if not name.startswith("reader.")}
    weights[TABLE] = torch.from_numpy(rng.normal(size=(70, WIDTH)).astype(np.float32))
    weights |= new_head(WIDTH, LAYERS + 2, seed=5)
    ids = [rng.integers(5, 70, size=3 + n % 9).tolist() for n in range(PAIRS + PROSE)]
    bags = Bags.of([*ids[:PAIRS], *[one[:-1] for one in ids[:PAIRS]], *ids[PAIRS:]])
    left = np.concatenate([np.arange(PAIRS), 2 * PAIRS + np.arange(PROSE)])
    right = np.concatenate([PAIRS + np.arange(PAIRS), 2 * PAIRS + np.arange(PROSE)])
    right[:10] = left[:10]
    target_of = np.arange(PAIRS + PROSE)
    target_of[:PAIRS:9] = UNTAUGHT
    table = weights[TABLE].numpy()
    said_by_words = unit(np.array([table[one].sum(axis=0) for one in ids], dtype=np.float32))
    turn = np.linalg.qr(rng.normal(size=(WIDTH, WIDTH)))[0].astype(np.float32)
    drawn = np.concatenate([np.ones(PAIRS), np.zeros(PROSE)]).astype(np.float32)
    paired = Paired(bags, left, right, target_of, said_by_words @ turn, drawn, {})
    return weights, paired, tokenizer_file, said_by_words


def test_the_head_is_drawn_to_prose_in_its_own_axes(taught):
    weights, paired, tokenizer, goals = taught
    found = draw_to_prose(weights, paired, SOURCES, tokenizer.parent, tokenizer, seed=3)
    assert set(found) == {name for name in weights if name.startswith("head.") and name != TABLE}
    prose = encoder_prose._some(paired.bags, paired.left[-PROSE:])
    given = torch.from_numpy(features_of(weights, prose).astype(np.float32))
    with torch.inference_mode():
        before, after = (head(w, given).numpy() for w in (weights, weights | found))
        vectors = evened(found, head(weights | found, given)).numpy()
    agreed = [(made * goals[-PROSE:]).sum(axis=1).mean() for made in (before, after)]
    assert agreed[1] > agreed[0] + 0.1
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)

    again = draw_to_prose(weights, paired, SOURCES, tokenizer.parent, tokenizer, seed=3)
    assert {name: value.tolist() for name, value in found.items()} == {n: v.tolist() for n, v in again.items()}


def test_a_head_is_drawn_once(tmp_path):
    folder = tmp_path / "mine"
    used = [{"name": NEWS, "rows": 3, "use": encoder.PROSE, "licence": ""}]
    write_model(folder, kind="encoder", name="mine", version="1", details={"training_data": used})
    with pytest.raises(ConfigError, match=r"was drawn to prose before\. Fit it again first, with --kind head"):
        encoder.train_encoder(tmp_path, folder, kind="prose", seed=3)


def test_a_folder_whose_training_was_stopped_is_told(tmp_path):
    write_model(tmp_path / "cut", kind="encoder", name="cut", version="1", details={})
    for kind in ("prose", "head"):
        with pytest.raises(ModelError, match=r"a training was stopped\. Bring the folder anew"):
            encoder.train_encoder(tmp_path, tmp_path / "cut", kind=kind, seed=3)


def test_the_note_on_prose_can_be_taken_off_again(tmp_path):
    rest = "- one\n  more\n"
    text = f"# x\n\n- Width 8, 1 MB, seed 3.\n{rest}{note_of({NEWS: 80_081, WIKI: 16_000})}\n## Figures\n- no\n"
    (tmp_path / "README.md").write_text(text)
    assert "80,081 sentences of news" in text
    assert "16,000\n  of Wikipedia" in text
    assert without_note(tmp_path, note_of({})) == rest
