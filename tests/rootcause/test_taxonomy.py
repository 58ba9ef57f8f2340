"""The taxonomy: complete in three languages, and strict about faults."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from feedback_nlp.core.columns import DRIVERS
from feedback_nlp.core.errors import ConfigError, MissingInputError
from feedback_nlp.core.folding import fold
from feedback_nlp.core.modelfolder import shipped_root
from feedback_nlp.rootcause.taxonomy import LANGUAGES, Entry, open_taxonomy

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
            for phrase in (fold(cue) for phrases in cues.values() for cue in phrases):
                assert owners.setdefault(phrase, f"{cause.id}{sign}") == f"{cause.id}{sign}"


def test_a_cause_can_be_added(tmp_path: Path) -> None:
    content = raw()
    content["causes"].append(content["causes"][0] | {"id": "loyalty"})
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
