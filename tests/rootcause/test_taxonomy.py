"""The taxonomy: complete in three languages, and strict about faults."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from feedback_nlp.core.columns import DRIVERS
from feedback_nlp.core.errors import ConfigError, MissingInputError
from feedback_nlp.core.folding import fold
from feedback_nlp.core.modelfolder import shipped_root
from feedback_nlp.rootcause.taxonomy import LANGUAGES, Entry, open_taxonomy, phrases

SHIPPED = shipped_root("configs") / "taxonomy.yaml"
CAUSES = [
    "outdated",
    "process",
    "returns",
    "authority",
    "handoff",
    "tools",
    "pricing",
    "operations",
    "knowledge",
    "attitude",
    "support",
]


def raw() -> dict[str, Any]:
    return dict(YAML(typ="safe", pure=True).load(SHIPPED.read_text(encoding="utf-8")))


def written(tmp_path: Path, content: object) -> Path:
    file = tmp_path / "taxonomy.yaml"
    with file.open("w", encoding="utf-8") as stream:
        YAML(typ="safe", pure=True).dump(content, stream)
    return file


def every_entry() -> list[Entry]:
    taxonomy = open_taxonomy()
    return [*taxonomy.causes, *(entry for entries in taxonomy.readings.values() for entry in entries)]


def test_the_shipped_one_has_every_cause_of_both_drivers() -> None:
    taxonomy = open_taxonomy()
    assert [cause.id for cause in taxonomy.causes] == CAUSES
    assert [driver.id for driver in taxonomy.drivers] == list(DRIVERS)
    assert taxonomy.cause("support").driver == "employee"
    assert taxonomy.cause("operations").driver == "policy"


@pytest.mark.parametrize("entry", every_entry(), ids=lambda entry: f"{entry.id}-{entry.name['en']}")
def test_every_entry_speaks_three_languages(entry: Entry) -> None:
    for values in (entry.name, entry.definition, entry.examples):
        assert set(values) == set(LANGUAGES)
        assert len(set(map(str, values.values()))) == 3
    assert all(entry.examples.values())


def test_a_cue_belongs_to_one_cause() -> None:
    owners: dict[str, str] = {}
    for cause in open_taxonomy().causes:
        for sign, cues in (("-", cause.cues), ("+", cause.praise_cues)):
            for phrase in (fold(cue) for cues_of in cues.values() for cue in cues_of):
                assert owners.setdefault(phrase, f"{cause.id}{sign}") == f"{cause.id}{sign}"


def test_a_cause_can_be_added(tmp_path: Path) -> None:
    content = raw()
    name = {"en": "Loyalty", "ar": "الولاء", "fa": "وفاداری"}
    content["causes"].append(content["causes"][0] | {"id": "loyalty", "name": name})
    assert open_taxonomy(written(tmp_path, content)).cause("loyalty").driver == "policy"


def test_an_unknown_cause_is_named_with_those_known() -> None:
    with pytest.raises(ConfigError, match=r"No cause 'weather'.*outdated"):
        open_taxonomy().cause("weather")


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    content = raw()
    content["version"] = 2
    content["moods"] = []
    content["causes"][0]["driver"] = "customer"
    content["causes"][1]["cues"] = {"en": ["x"]}
    content["causes"][2]["colour"] = "red"
    content["causes"][3]["action"]["fa"] = " "
    content["causes"][4]["examples"]["ar"] = "one"
    content["causes"].append(content["causes"][5])
    content["emotions"][0]["id"] = "rage"
    content["stages"] = content["stages"][1:]
    content["pyramid"][0]["id"] = 0
    content["efforts"] = {}
    with pytest.raises(ConfigError) as caught:
        open_taxonomy(written(tmp_path, content))
    for part in (
        "version: must be 1",
        "moods: unknown section",
        "causes.outdated.driver: must be one of policy, employee",
        "causes.process.cues: must have one value for each of en, ar, fa",
        "causes.returns.colour: unknown key",
        "causes.authority.action.fa: must be a text",
        "causes.handoff.examples.ar: must be a list of texts",
        "causes.tools: stands twice",
        "emotions.anger: is missing",
        "emotions.rage: no such value",
        "stages.discover: is missing",
        "pyramid[0]: must be a mapping with an 'id'",
        "efforts: must be a list",
    ):
        assert part in str(caught.value)


def test_a_file_that_is_no_mapping_or_no_yaml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must hold a mapping"):
        open_taxonomy(written(tmp_path, ["a"]))
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [", encoding="utf-8")
    with pytest.raises(ConfigError, match="not readable as YAML"):
        open_taxonomy(broken)
    with pytest.raises(MissingInputError):
        open_taxonomy(tmp_path / "none.yaml")


OWN: dict[str, Any] = {
    "id": "parking",
    "driver": "policy",
    "definition": {"fa": "جای پارک کم است."},
    "examples": {"en": ["no place to park", "the garage is full"], "fa": ["جای پارک نبود"]},
}


def own(tmp_path: Path, *causes: dict[str, Any], **more: object) -> Path:
    return written(tmp_path, {"version": 1, "causes": list(causes), **more})


def test_own_causes_in_a_file_of_their_own_need_little(tmp_path: Path) -> None:
    taxonomy = open_taxonomy(None, own(tmp_path, OWN))
    cause = taxonomy.cause("parking")
    assert [one.id for one in taxonomy.causes] == [*CAUSES, "parking"]
    assert cause.is_own
    assert not taxonomy.cause("tools").is_own
    assert cause.name == dict.fromkeys(LANGUAGES, "parking")
    assert set(cause.definition.values()) == {"جای پارک کم است."}
    assert phrases(cause.examples) == ["no place to park", "the garage is full", "جای پارک نبود"]
    assert "parking" not in {one.id for one in open_taxonomy().causes}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"examples": {"en": ["no place", "full"]}}, "causes.parking.examples: needs at least 3 .* got 2"),
        ({"praise_examples": {"ar": ["x"]}}, "causes.parking.praise_examples: needs at least 3 .* got 1"),
        ({"examples": {}}, "needs at least 3 examples or praise_examples, or cues"),
        ({"examples": {"de": ["x"]}}, "must be a mapping with any of en, ar, fa"),
        ({"examples": ["x"]}, "must be a mapping with any of en, ar, fa"),
        ({"examples": {"en": "x"}}, "causes.parking.examples.en: must be a list of texts"),
        ({"definition": {}}, "causes.parking.definition: must say what it is"),
        ({"name": {"en": " "}}, "causes.parking.name.en: must be a text"),
        ({"driver": "customer"}, "causes.parking.driver: must be one of policy, employee, got 'customer'"),
        ({"driver": None}, "causes.parking.driver: must be one of policy, employee"),
        ({"id": "tools"}, "causes.tools: stands in the taxonomy already"),
        ({"id": "product"}, "'product' is a name that results use already"),
        ({"id": "Car Park"}, "an id is made of a-z, 0-9 and _"),
        ({"name": {"en": "tools and SYSTEMS"}}, "causes.parking.name.en: 'tools and SYSTEMS' is the name of 'tools'"),
        ({"colour": "red"}, "causes.parking.colour: unknown key"),
    ],
)
def test_faults_of_own_causes_are_told(tmp_path: Path, change: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        open_taxonomy(None, own(tmp_path, OWN | change))


def test_two_own_causes_must_differ_and_the_file_holds_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        open_taxonomy(None, own(tmp_path, OWN, OWN, OWN | {"id": "garage", "name": {"en": "Parking"}}, emotions=[]))
    for part in (
        "causes.parking: stands twice",
        "causes.garage.name.en: 'Parking' is the name of",
        "emotions: unknown",
    ):
        assert part in str(caught.value)


def test_cues_alone_are_enough_for_an_own_cause(tmp_path: Path) -> None:
    cause = {key: value for key, value in OWN.items() if key != "examples"} | {"cues": {"en": ["no parking"]}}
    assert open_taxonomy(None, own(tmp_path, cause)).cause("parking").cues["en"] == ("no parking",)
