import json
from dataclasses import replace

import numpy as np
import pytest
from topic_samples import encode, make_sample

from feedback_nlp.core.errors import ModelError, StageContractError
from feedback_nlp.core.modelfolder import open_model, write_model
from feedback_nlp.topics import TopicModel, TopicSettings, discover, match, topic_schema
from feedback_nlp.topics.model import KIND
from feedback_nlp.topics.settings import KMeansSettings

SETTINGS = TopicSettings(backend=KMeansSettings(topics=5), min_topic_size=5)


@pytest.fixture(scope="module")
def model() -> TopicModel:
    return discover(make_sample(200), SETTINGS, encode=encode)


def _files(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_saved_model_assigns_the_same(model, tmp_path):
    model.save(tmp_path / "topics")
    opened = TopicModel.open(tmp_path / "topics")
    sample = make_sample(100, seed=8)
    left, right = model.assign(sample.vectors, sample.langs), opened.assign(sample.vectors, sample.langs)
    assert left.topic_id.tobytes() == right.topic_id.tobytes()
    assert left.topic_score.tobytes() == right.topic_score.tobytes()
    assert opened.topics == model.topics
    assert opened.themes == model.themes
    assert opened.trade == model.trade
    assert opened.table().equals(model.table())


def test_saving_twice_gives_the_same_bytes(model, tmp_path):
    model.save(tmp_path / "a" / "topics")
    TopicModel.open(tmp_path / "a" / "topics").save(tmp_path / "b" / "topics")
    assert _files(tmp_path / "a" / "topics") == _files(tmp_path / "b" / "topics")


def test_the_manifest_tells_what_it_holds(model, tmp_path):
    folder = model.save(tmp_path / "topics", settings=SETTINGS.model_dump(mode="json"))
    assert folder.kind == KIND
    assert folder.manifest["languages"] == ["ar", "fa", "en"]
    assert folder.manifest["comments"] == 200
    assert folder.manifest["settings"]["min_topic_size"] == 5
    assert 0 <= folder.manifest["trade"]["outliers"] <= 0.1


def test_dormant_topics_survive_saving(model, tmp_path):
    asleep = match(discover(make_sample(0), SETTINGS), model)
    asleep.save(tmp_path / "topics")
    opened = TopicModel.open(tmp_path / "topics")
    assert opened.topics == asleep.topics
    assert opened.assign(make_sample(3).vectors).topic_id.tolist() == [-1] * 3


def test_an_empty_model_can_be_saved(tmp_path):
    discover(make_sample(0), SETTINGS).save(tmp_path / "topics")
    assert len(TopicModel.open(tmp_path / "topics")) == 0


def test_the_table_has_one_row_a_topic(model):
    table = model.table()
    assert table.schema.equals(topic_schema())
    assert table.column("topic_id").to_pylist() == [topic.id for topic in model.topics]
    first = table.to_pylist()[0]
    assert first["size"] == model.topics[0].size
    assert first["share"] == pytest.approx(model.topics[0].size / 200)
    assert first["label_fa"] == model.topics[0].labels["fa"]
    assert first["representatives_en"][0]["comment_id"].startswith("c")
    assert first["keywords_ar"]


def test_topics_of_a_theme_carry_its_label():
    model = discover(
        make_sample(600), TopicSettings(backend=KMeansSettings(topics=12), min_topic_size=5), encode=encode
    )
    rows = [row for row in model.table().to_pylist() if row["parent_id"] is not None]
    if model.themes:
        assert rows
        labels = {theme.id: theme.labels for theme in model.themes}
        assert all(row["parent_label_en"] == labels[row["parent_id"]]["en"] for row in rows)
        assert all(
            theme.size == sum(row["size"] for row in rows if row["parent_id"] == theme.id) for theme in model.themes
        )


def test_a_comment_on_two_things_has_two_topics(model):
    wide = replace(model, places=replace(model.places, radii=np.full_like(model.places.radii, -1)))
    found = wide.rank(encode(["delivery courier room hotel"]), ["en"], most=2)
    of = {int(model.assign(encode([text]), ["en"]).topic_id[0]) for text in ("delivery courier late", "room hotel bed")}
    assert set(found.topic_id[0].tolist()) == of
    assert found.topic_id.dtype == np.int32


def test_ranking_needs_the_right_width(model):
    with pytest.raises(StageContractError, match="width 32"):
        model.rank(np.zeros((1, 3), dtype=np.float32))


def test_no_vector_is_needed_to_ask_for_nothing(model):
    found = model.assign(np.zeros((0, 32), dtype=np.float32))
    assert found.topic_id.dtype == np.int32
    assert found.topic_score.dtype == np.float32


def test_another_kind_of_folder_is_refused(tmp_path):
    write_model(tmp_path / "x", kind="other", name="x", version="1", details={})
    with pytest.raises(ModelError, match="'topics' is needed"):
        TopicModel.open(tmp_path / "x")


def test_a_damaged_folder_is_refused(model, tmp_path):
    model.save(tmp_path / "x")
    (tmp_path / "x" / "topics.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match="damaged"):
        TopicModel.open(tmp_path / "x")


def test_an_incomplete_folder_is_refused(model, tmp_path):
    model.save(tmp_path / "x")
    content = json.loads((tmp_path / "x" / "topics.json").read_text(encoding="utf-8"))
    del content["topics"][0]["size"]
    (tmp_path / "x" / "topics.json").write_text(json.dumps(content), encoding="utf-8")
    details = {key: value for key, value in open_details(tmp_path / "x").items() if key != "files"}
    write_model(tmp_path / "x", kind=KIND, name="x", version="1", details=details)
    with pytest.raises(ModelError, match="incomplete"):
        TopicModel.open(tmp_path / "x")


def open_details(folder):
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def test_the_card_lists_topics_by_label(model, tmp_path):
    folder = open_model(model.save(tmp_path / "topics").path)
    card = (folder.path / "README.md").read_text(encoding="utf-8")
    assert f"- 0 ({model.topics[0].size}): {model.topics[0].labels['en']}" in card
