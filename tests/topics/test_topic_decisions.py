from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from topic_samples import THEMES, make_sample

from feedback_nlp.core.batch import CommentBatch, vector_array
from feedback_nlp.core.columns import COMMENT_ID, LANG, TOPIC_ID, VECTOR
from feedback_nlp.core.decisions import CommentState, Decided, TopicState
from feedback_nlp.core.errors import ModelError
from feedback_nlp.core.stage import Stage
from feedback_nlp.topics import DiscoverySample, TopicModel, TopicSettings, discover, match
from feedback_nlp.topics.decisions import DecidedTopics, DecidedTopicStage, decide, decided_ids, renumbered
from feedback_nlp.topics.rulings import Core, Exemplars, Followed, Rulings
from feedback_nlp.topics.settings import KMeansSettings

NEW = 1_000_000
NAMES = tuple(THEMES)


def found_in(sample: DiscoverySample, topics: int) -> TopicModel:
    return discover(sample, TopicSettings(backend=KMeansSettings(topics=topics), min_topic_size=5))


def batches(sample: DiscoverySample, size: int = 1000) -> list[CommentBatch]:
    out = []
    for start in range(0, len(sample), size):
        rows = slice(start, start + size)
        table = CommentBatch.from_texts([str(clean) for clean in sample.cleans[rows]]).table
        at = table.column_names.index(COMMENT_ID.name)
        table = table.set_column(at, table.schema.field(at), pa.array(sample.ids[rows], pa.string()))
        columns = {LANG: pa.array(sample.langs[rows], pa.string()), VECTOR: vector_array(sample.vectors[rows])}
        out.append(CommentBatch(table).adding(columns, who="test"))
    return out


def themes_of(sample: DiscoverySample) -> np.ndarray:
    return np.array([int(comment[1:]) % len(NAMES) for comment in sample.ids])


def given_by(stage: DecidedTopicStage, sample: DiscoverySample) -> np.ndarray:
    return np.concatenate([np.asarray(stage.compute(batch)[TOPIC_ID]) for batch in batches(sample)])


@pytest.fixture(scope="module")
def sample() -> DiscoverySample:
    return make_sample(300)


@pytest.fixture(scope="module")
def five(sample: DiscoverySample) -> TopicModel:
    return found_in(sample, 5)


@pytest.fixture(scope="module")
def four(sample: DiscoverySample) -> TopicModel:
    return found_in(sample, 4)


@pytest.fixture(scope="module")
def mixed(four: TopicModel, sample: DiscoverySample) -> tuple[int, int, int]:
    """Return a topic of two themes, the theme to split off, and the one that stays."""
    topics = four.assign(sample.vectors, sample.langs).topic_id
    themes = themes_of(sample)
    for topic in range(len(four)):
        counts = np.bincount(themes[topics == topic], minlength=len(NAMES))
        first, second = np.argsort(-counts)[:2]
        if counts[second] >= 30:
            return topic, int(second), int(first)
    raise AssertionError("No topic holds two themes; the sample is too easy.")


@pytest.fixture(scope="module")
def split(four: TopicModel, sample: DiscoverySample, mixed: tuple[int, int, int]) -> Decided:
    topic, theme, _ = mixed
    inside = (four.assign(sample.vectors, sample.langs).topic_id == topic) & (themes_of(sample) == theme)
    chosen = [sample.ids[at] for at in np.flatnonzero(inside)[:8]]
    states = {comment: CommentState(topic_id=NEW) for comment in chosen}
    return Decided({NEW: TopicState(split_from=topic)}, states)


def test_without_decisions_the_model_is_as_it_was(four: TopicModel, sample: DiscoverySample, tmp_path) -> None:
    decided = decide(four, None, Decided(), batches(sample))
    assert decided.model is four
    assert not decided.rulings
    decided.save(tmp_path / "m")
    assert not (tmp_path / "m" / "decisions.json").exists()
    assert (
        given_by(DecidedTopicStage(decided), sample).tolist()
        == four.assign(sample.vectors, sample.langs).topic_id.tolist()
    )
    assert isinstance(DecidedTopicStage(decided), Stage)


def test_the_like_of_split_off_comments_follow(
    four: TopicModel, sample: DiscoverySample, split: Decided, mixed: tuple[int, int, int]
) -> None:
    topic, theme, other = mixed
    stage = DecidedTopicStage(decide(four, None, split, batches(sample)))
    night = make_sample(400, seed=9)
    before, after, themes = four.assign(night.vectors, night.langs).topic_id, given_by(stage, night), themes_of(night)
    followed = after == NEW
    assert (themes[followed] == theme).mean() >= 0.9
    assert followed[(before == topic) & (themes == theme)].mean() >= 0.7
    assert not followed[(before == topic) & (themes == other)].any()
    assert np.array_equal(before[~followed], after[~followed]), "nobody else is touched"


def test_comments_placed_by_name_keep_what_was_found_for_an_undo(
    four: TopicModel, sample: DiscoverySample, split: Decided
) -> None:
    topics = decide(four, None, split, batches(sample))
    plain = four.assign(sample.vectors, sample.langs).topic_id
    rows = [at for at, comment in enumerate(sample.ids) if comment in split.comments]
    kept = given_by(DecidedTopicStage(topics, decided_ids(split)), sample)[rows]
    assert kept.tolist() == plain[rows].tolist()
    assert set(given_by(DecidedTopicStage(topics), sample)[rows].tolist()) == {NEW}


def test_a_new_topic_that_coincides_with_a_split_takes_its_number(
    four: TopicModel, five: TopicModel, sample: DiscoverySample, split: Decided, mixed: tuple[int, int, int]
) -> None:
    _, theme, _ = mixed
    standing = decide(four, None, split, batches(sample))
    tonight = match(five, four)
    assert "emerging" in [topic.status for topic in tonight.topics]
    decided = decide(tonight, standing, split, batches(sample))
    ids = [topic.id for topic in decided.model.topics]
    assert NEW in ids
    assert decided.model.topics[ids.index(NEW)].status == "standing"
    assert decided.model.next_id < NEW
    members = given_by(DecidedTopicStage(decided), sample) == NEW
    assert (themes_of(sample)[members] == theme).mean() > 0.9
    assert members.sum() > 40
    later = decide(match(five, decided.model), decided, split, batches(sample))
    assert NEW in [topic.id for topic in later.model.topics if topic.status == "standing"]


def test_exemplars_are_remembered_or_looked_up_when_a_night_lacks_them(
    four: TopicModel, sample: DiscoverySample, split: Decided
) -> None:
    night = make_sample(300, seed=4)
    night = replace(night, ids=[f"n{comment[1:]}" for comment in night.ids])
    standing = decide(four, None, split, batches(sample))
    remembered = decide(four, standing, split, batches(night))
    assert remembered.rulings.exemplars.ids == standing.rulings.exemplars.ids
    rows = [at for at, comment in enumerate(sample.ids) if comment in split.comments]

    def lookup(ids) -> Exemplars:
        assert list(ids) == sorted(split.comments)
        return Exemplars(tuple(ids), tuple(sample.langs[at] for at in rows), sample.vectors[rows])

    looked_up = decide(four, None, split, batches(night), lookup)
    assert np.array_equal(looked_up.rulings.followed[0].mean, remembered.rulings.followed[0].mean)
    forgotten = decide(four, None, split, batches(night))
    assert not forgotten.rulings.followed


def test_moved_comments_take_their_like_along(four: TopicModel, sample: DiscoverySample, mixed) -> None:
    topic, theme, _ = mixed
    target = next(each.id for each in four.topics if each.id != topic)
    plain = four.assign(sample.vectors, sample.langs).topic_id
    rows = np.flatnonzero((plain == topic) & (themes_of(sample) == theme))[:6]
    moved = Decided({}, {sample.ids[at]: CommentState(topic_id=target) for at in rows})
    after = given_by(DecidedTopicStage(decide(four, None, moved, batches(sample))), sample)
    gone = (plain == topic) & (after == target)
    assert gone.sum() > len(rows)
    assert (themes_of(sample)[gone] == theme).mean() > 0.9


def without_a_theme(count: int = 300) -> DiscoverySample:
    return make_sample(count, seed=2, themes=NAMES[:4])


def test_a_locked_topic_that_a_night_misses_stays_where_it_was(five: TopicModel, sample: DiscoverySample) -> None:
    topics, themes = five.assign(sample.vectors, sample.langs).topic_id, themes_of(sample)
    lost = int(np.bincount(topics[(themes == 4) & (topics >= 0)]).argmax())
    night = without_a_theme()
    tonight = match(found_in(night, 4), five)
    assert {topic.id: topic.status for topic in tonight.topics}[lost] == "dormant"
    locked = Decided({lost: TopicState(locked=True)})
    standing = DecidedTopics(five)
    decided = decide(tonight, standing, locked, batches(night))
    statuses = [(topic.id, topic.status) for topic in decided.model.topics]
    assert (lost, "standing") in statuses
    assert len({topic for topic, _ in statuses}) == len(statuses)
    assert [status for _, status in statuses] == sorted((status for _, status in statuses), reverse=True)
    at = statuses.index((lost, "standing"))
    before = [topic.id for topic in five.topics].index(lost)
    assert np.array_equal(decided.model.places.centroids[at], five.places.centroids[before])
    assert decided.model.places.radii[at] == five.places.radii[before]
    assert decided.model.topics[at].labels == five.topics[before].labels
    own = decided.assign(sample.vectors, sample.langs).topic_id
    assert (own[topics == lost] == lost).mean() > 0.9
    assert (tonight.assign(sample.vectors, sample.langs).topic_id == lost).sum() == 0


def test_a_locked_topic_that_is_found_again_keeps_place_name_and_core(
    five: TopicModel, sample: DiscoverySample
) -> None:
    night = make_sample(280, seed=7)
    tonight = match(found_in(night, 5), five)
    locked = Decided({0: TopicState(locked=True)})
    first = decide(tonight, DecidedTopics(five), locked, batches(night))
    at, before = ([topic.id for topic in model.topics].index(0) for model in (first.model, five))
    assert np.array_equal(first.model.places.centroids[at], five.places.centroids[before])
    assert not np.array_equal(tonight.places.centroids[at], five.places.centroids[before])
    assert first.model.topics[at].labels == five.topics[before].labels
    again = decide(match(five, first.model), first, locked, batches(sample))
    assert again.rulings.cores[0].cosine == first.rulings.cores[0].cosine
    free = decide(tonight, DecidedTopics(five), Decided({0: TopicState()}), batches(night))
    assert free.model is tonight


def test_a_core_goes_before_whatever_stands_beside_it() -> None:
    centre = np.array([1, 0, 0], dtype=np.float32)
    rows = np.array([[1, 0, 0], [0.8, 0.6, 0], [0, 0, 0], [0.95, 0, 0.3122499]], dtype=np.float32)
    rulings = Rulings(cores=(Core(5, centre, 0.9),), followed=(Followed(2, 7, centre, np.zeros(3, np.float32), 0.0),))
    plain = np.array([2, 2, 2, -1], dtype=np.int32)
    assert rulings.apply(rows, plain).tolist() == [5, 7, 2, 5]
    assert plain.tolist() == [2, 2, 2, -1]
    assert Rulings(roots={2: 9}).final(plain).tolist() == [9, 9, 9, -1]


def test_rulings_do_not_hang_on_rows_beside_nor_on_batches(
    four: TopicModel, sample: DiscoverySample, split: Decided, tmp_path
) -> None:
    folders = []
    for size in (1000, 7, 64):
        folder = tmp_path / str(size) / "m"
        decide(four, None, split, batches(sample, size)).save(folder)
        folders.append({path.name: path.read_bytes() for path in sorted(folder.iterdir())})
    assert folders[0] == folders[1] == folders[2]
    topics = DecidedTopics.open(tmp_path / "7" / "m")
    whole = topics.assign(sample.vectors, sample.langs).topic_id
    one_by_one = [
        int(topics.assign(sample.vectors[at : at + 1], sample.langs[at : at + 1]).topic_id[0])
        for at in range(len(sample))
    ]
    assert whole.tolist() == one_by_one


def test_a_folder_comes_back_with_its_rulings(
    four: TopicModel, sample: DiscoverySample, split: Decided, tmp_path
) -> None:
    state = {**split.topics, 1: TopicState(into=0), 2: TopicState(locked=True)}
    topics = decide(four, DecidedTopics(four), Decided(state, split.comments), batches(sample))
    topics.save(tmp_path / "m")
    back = DecidedTopics.open(tmp_path / "m")
    assert back.rulings.roots == {1: 0}
    assert back.rulings.exemplars.ids == topics.rulings.exemplars.ids
    assert [core.topic for core in back.rulings.cores] == [2]
    assert np.array_equal(
        back.assign(sample.vectors, sample.langs).topic_id, topics.assign(sample.vectors, sample.langs).topic_id
    )
    assert 1 not in back.assign(sample.vectors, sample.langs).topic_id
    assert len(back) == len(four)
    assert back.table().equals(topics.table())
    DecidedTopics(four).save(tmp_path / "m")
    assert not DecidedTopics.open(tmp_path / "m").rulings


def test_incomplete_rulings_are_refused(four: TopicModel, sample: DiscoverySample, split: Decided, tmp_path) -> None:
    decide(four, None, split, batches(sample)).save(tmp_path / "m")
    (tmp_path / "m" / "decisions.json").write_text('{"roots": []}', encoding="utf-8")
    with pytest.raises(ModelError):
        DecidedTopics.open(tmp_path / "m")
    with pytest.raises(ModelError, match="the decisions in it are incomplete"):
        Rulings.open(tmp_path / "m")


def test_topics_that_cannot_be_compared_get_numbers_of_their_own(four: TopicModel, sample: DiscoverySample) -> None:
    moved = renumbered(four, 40)
    assert [topic.id for topic in moved.topics] == [topic.id + 40 for topic in four.topics]
    assert moved.next_id == four.next_id + 40
    plain = four.assign(sample.vectors, sample.langs).topic_id
    assert moved.assign(sample.vectors, sample.langs).topic_id.tolist() == np.where(plain < 0, -1, plain + 40).tolist()


def test_a_night_without_comments(four: TopicModel, split: Decided) -> None:
    nothing = make_sample(0)
    decided = decide(four, None, split, batches(nothing))
    assert not decided.rulings.followed
    (batch,) = batches(make_sample(1))
    empty = CommentBatch(batch.table.slice(0, 0))
    assert len(DecidedTopicStage(decided).compute(empty)[TOPIC_ID]) == 0
