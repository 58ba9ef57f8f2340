import numpy as np
import pytest
from pretrained_data import LAYERS, PIECES, WIDTH, write_pretrained

from feedback_nlp.core.errors import ConfigError, ModelError
from feedback_nlp.embed.backends.static import open_tokenizer

torch = pytest.importorskip("torch")

from feedback_nlp.embed.network import PLACES, READER, WORDS, own_layers  # noqa: E402 - needs torch
from feedback_nlp.train import pretrained  # noqa: E402
from feedback_nlp.train.pretrained import open_pretrained, reader_start  # noqa: E402


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    file = tmp_path_factory.mktemp("pretrained") / "e5.bin"
    return file, *write_pretrained(file)


def row(piece):
    return PIECES.index(piece)


def test_the_file_is_read(written):
    file, table, likely = written
    found = open_pretrained(file)
    assert (list(found.pieces), found.width, found.layers) == (list(PIECES), WIDTH, LAYERS)
    np.testing.assert_array_equal(found.tensors["emb.word"].reshape(-1, WIDTH), table)
    np.testing.assert_array_equal(found.likely, likely)


def test_a_piece_gets_the_vector_of_the_pieces_that_fold_to_it(written):
    file, table, likely = written
    vectors = pretrained._Vectors(open_pretrained(file))
    np.testing.assert_array_equal(vectors.of("▁delivery"), table[row("▁delivery")])
    for piece, others in (("▁the", ("▁the", "▁The")), ("ی", ("ي", "ی"))):
        rows = [row(one) for one in others]
        shares = np.exp(likely[rows])
        np.testing.assert_allclose(vectors.of(piece), shares @ table[rows] / shares.sum(), rtol=1e-4, atol=1e-6)


def test_a_piece_that_is_not_there_gets_the_mean_of_its_parts(written):
    file, table, _ = written
    vectors = pretrained._Vectors(open_pretrained(file))
    parts = [table[row("▁was")], table[row("late")]]
    np.testing.assert_allclose(vectors.of("▁waslate"), np.mean(parts, axis=0), rtol=1e-5)
    np.testing.assert_array_equal(vectors.of("▁٪٪"), table[row("<unk>")])


def test_the_lowest_layers_are_taken(written, tokenizer_file):
    file, table, _ = written
    given, tokenizer = open_pretrained(file), open_tokenizer(tokenizer_file)
    start = reader_start(given, tokenizer, layers=2, places=40)
    assert own_layers(start) == ["reader.lower.0"]
    assert start[WORDS].shape == (len(tokenizer), WIDTH)
    assert start[PLACES].shape == (40, WIDTH)
    for number, name in enumerate(("reader.lower.0", READER)):
        wanted = given.tensors[f"l{number}.fo.w"].reshape(WIDTH, -1)
        np.testing.assert_array_equal(start[f"{name}.output.dense.weight"].numpy(), wanted)
    np.testing.assert_array_equal(start[WORDS][tokenizer.unk_id()].numpy(), table[row("<unk>")])


def test_what_is_wrong_is_named(written, tokenizer_file, tmp_path, monkeypatch):
    file, _, _ = written
    with pytest.raises(ConfigError, match="has 3 layers, 4 are asked for"):
        reader_start(open_pretrained(file), open_tokenizer(tokenizer_file), layers=4, places=9)
    bad = tmp_path / "bad.bin"
    bad.write_bytes(b"GGUF" + bytes(40))
    with pytest.raises(ModelError, match=r"begins with b'GGUF', b'E5S1' is needed"):
        open_pretrained(bad)
    for length in (20, 300, file.stat().st_size - 9):
        bad.write_bytes(file.read_bytes()[:length])
        with pytest.raises(ModelError, match="is cut off or damaged"):
            open_pretrained(bad)
    monkeypatch.setattr(pretrained, "PACKAGE", "no_such_package")
    with pytest.raises(ConfigError, match="install the package no_such_package"):
        pretrained.package_file()
