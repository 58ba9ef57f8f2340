import json
import shutil

import numpy as np
import pyarrow as pa
import pytest
from embed_samples import SENTENCES

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import (
    CLAUSE_READINGS,
    CLAUSE_SPANS,
    CLEAN,
    CLEAN_ENDS,
    CLEAN_STARTS,
    READER_COLUMNS,
    READING,
    TEXT,
    TOKEN_READINGS,
    TOKEN_SPANS,
    VECTOR,
)
from feedback_nlp.core.errors import ConfigError, ModelError
from feedback_nlp.core.reading import READING_LABELS, READING_SLICES, TOKEN_LABELS
from feedback_nlp.core.stage import Stage, check_plan, run_stages
from feedback_nlp.embed import EmbedSettings, Encoder, network, open_encoder, open_stage
from feedback_nlp.embed.backends import reader
from feedback_nlp.embed.settings import ShippedBackend, StaticBackend

torch = pytest.importorskip("torch")

TEXTS = [*SENTENCES, "", "   ", "𒀀", "kind staff, late delivery", " ".join(SENTENCES)]
NO_CLAUSES = np.zeros((0, 3), dtype=np.int64)


@pytest.fixture(scope="module")
def encoder(reader_folder):
    return open_encoder(ShippedBackend(model=str(reader_folder), max_tokens=48, batch_tokens=512))


def batch_of(cleans, clauses):
    """Comments whose normalised form is the text itself."""
    texts = [text or "" for text in cleans]
    batch = CommentBatch.from_texts(texts)
    starts = [None if clean is None else list(range(len(clean))) for clean in cleans]
    ends = [None if clean is None else list(range(1, len(clean) + 1)) for clean in cleans]
    spans = [[{"start": start, "end": end} for start, end in row] for row in clauses]
    columns = {
        CLEAN: pa.array(cleans, CLEAN.dtype),
        CLEAN_STARTS: pa.array(starts, CLEAN_STARTS.dtype),
        CLEAN_ENDS: pa.array(ends, CLEAN_ENDS.dtype),
        CLAUSE_SPANS: pa.array(spans, CLAUSE_SPANS.dtype),
    }
    return batch.adding(columns, who="test")


def test_labels_and_parts_agree():
    assert len(READING_LABELS) == max(part.stop for part in READING_SLICES.values())
    assert [label.split(".", 1)[1] for label in READING_LABELS[: len(TOKEN_LABELS)]] == list(TOKEN_LABELS)
    for name, part in READING_SLICES.items():
        assert all(label.startswith(f"{name}.") for label in READING_LABELS[part])


def test_is_an_encoder_that_reads(encoder):
    assert isinstance(encoder, Encoder)
    assert encoder.width == 32
    assert encoder.reads


def test_vectors_are_units_or_zero(encoder):
    vectors = encoder.encode(TEXTS)
    lengths = np.linalg.norm(vectors, axis=1)
    empty = np.array([not text.strip() or text == "𒀀" for text in TEXTS])
    np.testing.assert_allclose(lengths[~empty], 1, rtol=1e-5)
    assert not lengths[empty].any()
    assert encoder.encode([]).shape == (0, 32)


def test_reading_gives_the_same_vectors(encoder):
    np.testing.assert_array_equal(encoder.read(TEXTS, NO_CLAUSES).vectors, encoder.encode(TEXTS))


def test_transformers_opens_the_folder_and_agrees(encoder, reader_folder):
    transformers = pytest.importorskip("transformers")
    from feedback_nlp.core.folding import fold

    network = transformers.AutoModel.from_pretrained(reader_folder, add_pooling_layer=False, dtype=torch.float32)
    tokenizer = transformers.AutoTokenizer.from_pretrained(reader_folder)
    with torch.inference_mode():
        hidden = network.eval()(**tokenizer(fold(SENTENCES[0]), return_tensors="pt")).last_hidden_state[0]
    expected = torch.nn.functional.normalize(hidden.mean(0), dim=0).numpy()
    assert encoder.encode(SENTENCES[:1])[0] @ expected > 0.999


def clauses_of(texts):
    """Halves of each text, in order."""
    table = [(row, start, end) for row, text in enumerate(texts) for start, end in ((0, 12), (12, len(text)))]
    return np.array(table, dtype=np.int64)


def test_a_row_does_not_depend_on_its_neighbours(encoder):
    texts = [" ".join(SENTENCES[: 1 + i % 3])[: 10 + 7 * (i % 19)] for i in range(70)]
    texts[33] = " ".join(SENTENCES * 9)
    together = encoder.read(texts, clauses_of(texts))
    for row in (0, 5, 33, 69):
        alone = encoder.read([texts[row]], clauses_of([texts[row]]))
        assert alone.vectors[0].tobytes() == together.vectors[row].tobytes()
        assert alone.scores[0].tobytes() == together.scores[row].tobytes()
        assert alone.clause_scores.tobytes() == together.clause_scores[2 * row : 2 * row + 2].tobytes()
        assert alone.token_scores.tobytes() == together.token_scores[together.token_owners == row].tobytes()
    backwards = encoder.read(texts[::-1], NO_CLAUSES)
    assert backwards.scores[::-1].tobytes() == together.scores.tobytes()


@pytest.mark.parametrize("count", [1, 2])
def test_threads_change_nothing(encoder, reader_folder, count):
    before = torch.get_num_threads()
    other = open_encoder(ShippedBackend(model=str(reader_folder), max_tokens=48, batch_tokens=512, threads=count))
    found, expected = (one.read(TEXTS, clauses_of(TEXTS)) for one in (other, encoder))
    for name in ("vectors", "scores", "clause_scores", "token_scores"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert torch.get_num_threads() == before


def test_drivers_are_the_tokens_pooled(encoder):
    found = encoder.read(SENTENCES[:2], NO_CLAUSES)
    for row in (0, 1):
        tokens = found.token_scores[found.token_owners == row].astype(np.float64)
        expected = np.log(np.exp(tokens).sum(axis=0))
        np.testing.assert_allclose(found.scores[row, : len(TOKEN_LABELS)], expected, atol=1e-4)


def test_a_clause_of_the_whole_text_reads_as_the_text(encoder):
    texts = list(SENTENCES)
    whole = np.array([(row, 0, len(text)) for row, text in enumerate(texts)], dtype=np.int64)
    found = encoder.read(texts, whole)
    np.testing.assert_allclose(found.clause_scores, found.scores, atol=1e-5)


def test_a_clause_that_holds_no_token_says_nothing(encoder):
    text = " ".join(SENTENCES * 60)
    found = encoder.read([text, "", SENTENCES[0]], np.array([(0, len(text) - 9, len(text)), (1, 0, 0), (2, 3, 3)]))
    assert (found.clause_scores[0, : len(TOKEN_LABELS)] == -20).all()
    assert not found.clause_scores[0, len(TOKEN_LABELS) :].any()
    assert not found.clause_scores[1].any()
    np.testing.assert_array_equal(found.clause_scores[2], found.clause_scores[0])


def test_tokens_lie_in_order_in_the_text(encoder):
    found = encoder.read(TEXTS, NO_CLAUSES)
    for row, text in enumerate(TEXTS):
        bounds = found.token_bounds[found.token_owners == row]
        assert (bounds[:, 0] <= bounds[:, 1]).all()
        assert (bounds[1:, 0] >= bounds[:-1, 1]).all()
        assert not len(bounds) or bounds[-1, 1] <= len(text)


@pytest.fixture(scope="module")
def stage(reader_folder):
    return open_stage(EmbedSettings(backend=ShippedBackend(model=str(reader_folder), max_tokens=48)))


CLEANS = ["kind staff, late delivery", None, "", "این فروشگاه را دوست دارم", "𒀀"]
CLAUSES = [[(0, 10), (12, 25)], [], [], [(0, 24)], [(0, 1)]]


def test_stage_keeps_the_contract(stage):
    assert isinstance(stage, Stage)
    check_plan([stage], given=(TEXT, CLEAN, CLEAN_STARTS, CLEAN_ENDS, CLAUSE_SPANS))
    out, _ = run_stages([stage], batch_of(CLEANS, CLAUSES))
    for column in (VECTOR, *READER_COLUMNS):
        assert out[column].is_valid().to_pylist() == [True, False, False, True, False]
    assert [len(row) for row in out[CLAUSE_READINGS].drop_null().to_pylist()] == [2, 1]
    assert {len(scores) for scores in out[READING].drop_null().to_pylist()} == {len(READING_LABELS)}
    for spans, scores in zip(out.values(TOKEN_SPANS), out.values(TOKEN_READINGS), strict=True):
        assert (spans is None) == (scores is None)
        assert len(spans or []) == len(scores or [])


def test_stage_gives_what_the_encoder_reads(stage, reader_folder):
    out, _ = run_stages([stage], batch_of(CLEANS, CLAUSES))
    clauses = np.array([(row, *span) for row, spans in enumerate(CLAUSES) for span in spans], dtype=np.int64)
    encoder = open_encoder(ShippedBackend(model=str(reader_folder), max_tokens=48))
    found = encoder.read([text or "" for text in CLEANS], clauses)
    flat = out[CLAUSE_READINGS].drop_null().flatten().flatten().to_numpy().reshape(-1, len(READING_LABELS))
    np.testing.assert_array_equal(flat, found.clause_scores[:3])
    flat = out[READING].drop_null().flatten().to_numpy().reshape(-1, len(READING_LABELS))
    np.testing.assert_array_equal(flat, found.scores[[0, 3]])
    flat = out[TOKEN_READINGS].drop_null().flatten().flatten().to_numpy().reshape(-1, len(TOKEN_LABELS))
    np.testing.assert_array_equal(flat, found.token_scores)


def test_stage_without_rows(stage):
    out, _ = run_stages([stage], batch_of([], []))
    assert all(len(out[column]) == 0 for column in (VECTOR, *READER_COLUMNS))


def test_a_static_encoder_reads_nothing(static_folder):
    stage = open_stage(EmbedSettings(backend=StaticBackend(model=str(static_folder))))
    out, _ = run_stages([stage], batch_of(CLEANS, CLAUSES))
    assert all(out[column].null_count == len(CLEANS) for column in READER_COLUMNS)


def test_a_transformer_without_reading_layer_gives_vectors_only(reader_weights, tokenizer_file, tmp_path):
    from feedback_nlp.train.encoder_write import write_weights

    bare = {name: value for name, value in reader_weights.items() if not name.startswith("reader.")}
    folder = write_weights(tmp_path / "bare", bare, tokenizer_file).path
    encoder = open_encoder(ShippedBackend(model=str(folder)))
    assert not encoder.reads
    stage = open_stage(EmbedSettings(backend=ShippedBackend(model=str(folder))))
    out, _ = run_stages([stage], batch_of(CLEANS, CLAUSES))
    assert out[VECTOR].null_count == 3
    assert out[READING].null_count == len(CLEANS)


def test_torch_missing_is_said(monkeypatch):
    monkeypatch.setattr(reader, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install torch.*--config fast"):
        open_encoder(ShippedBackend())


def test_a_missing_trunk_is_named(reader_folder, tmp_path):
    from feedback_nlp.core.modelfolder import write_model

    folder = shutil.copytree(reader_folder, tmp_path / "copy")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"model\.safetensors is missing"):
        open_encoder(ShippedBackend(model=str(folder)))
    write_model(folder, kind=reader.KIND, name="copy", version="1", details={})
    with pytest.raises(ModelError, match=r"missing model\.safetensors"):
        open_encoder(ShippedBackend(model=str(folder)))


def test_a_network_of_another_shape_is_refused(reader_folder, tmp_path):
    from feedback_nlp.core.modelfolder import write_model

    folder = shutil.copytree(reader_folder, tmp_path / "copy")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"num_attention_heads": 8}), encoding="utf-8")
    write_model(folder, kind=reader.KIND, name="copy", version="1", details={})
    with pytest.raises(ModelError, match="num_attention_heads"):
        open_encoder(ShippedBackend(model=str(folder)))


def test_a_window_is_no_longer_than_the_positions_that_there_are(reader_folder):
    encoder = open_encoder(ShippedBackend(model=str(reader_folder), max_tokens=512))
    sizes = [len(window) for window in encoder._cut([" ".join(SENTENCES * 9)])[0].windows]
    assert len(sizes) > 2
    assert 64 <= max(sizes) <= 128


def test_what_is_longer_than_all_windows_is_cut(reader_folder):
    encoder = open_encoder(ShippedBackend(model=str(reader_folder), max_tokens=48, max_windows=3))
    found = encoder.read([" ".join(SENTENCES * 9)], NO_CLAUSES)
    assert 3 * 24 <= len(found.token_bounds) <= 3 * 48


def test_a_window_is_read_as_a_text_of_its_own(encoder):
    """Layers know nothing of other windows, pooling knows all of them."""
    texts = [sentence.rstrip(".") + "." for sentence in SENTENCES]
    text = " ".join(texts)
    found = encoder.read([text], np.array([(0, 0, len(text))]))
    (cut,) = encoder._cut([text])
    assert len(cut.windows) > 2
    batch = reader._Batch.of(list(range(len(cut.windows))), cut.windows, 8)
    weights = encoder._weights
    with torch.inference_mode():
        below = network.states(weights, batch.ids, batch.mask)[-1]
        tokens = network.token_scores(weights, network.reading(weights, batch.ids, below, batch.mask))
    np.testing.assert_allclose(found.token_scores, tokens[batch.mask].numpy(), atol=1e-4)
    pooled = np.logaddexp.reduce(found.token_scores.astype(np.float64), axis=0)
    np.testing.assert_allclose(found.scores[0, : len(TOKEN_LABELS)], pooled, atol=1e-4)
    np.testing.assert_allclose(found.clause_scores, found.scores, atol=1e-5)
    assert encoder.encode([text]).tobytes() == found.vectors.tobytes()


def test_thousands_of_clauses_are_scored_block_by_block(encoder, monkeypatch):
    text = " ".join(SENTENCES * 9)
    clauses = np.array([(0, place, place + 30) for place in range(0, len(text), 3)])
    whole = encoder.read([text], clauses)
    monkeypatch.setattr(network, "_BLOCK_CELLS", 1)
    assert encoder.read([text], clauses).clause_scores.tobytes() == whole.clause_scores.tobytes()
