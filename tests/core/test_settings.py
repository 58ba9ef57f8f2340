"""Setting faults are told all at once, with the key, what was found and a close name."""

import pytest
from pydantic import Field, ValidationError

from feedback_nlp.core.settings import Settings, explain


class Inner(Settings):
    min_score: float = Field(0.5, ge=0, le=1)


class Outer(Settings):
    inner: Inner = Inner()
    rows: int = Field(10, ge=1)


def test_every_fault_is_listed() -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"rows": 0, "inner": {"min_scor": 1}})
    text = str(explain(caught.value, Outer, "c.yaml"))
    assert text.startswith("c.yaml has 2 problem(s):")
    assert "rows: Input should be greater than or equal to 1, got 0" in text
    assert "inner.min_scor: unknown key. Did you mean 'min_score'?" in text


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Outer().rows = 3  # type: ignore[misc]
