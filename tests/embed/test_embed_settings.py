import subprocess
import sys

import pytest
from pydantic import ValidationError

from feedback_nlp.config import load_config
from feedback_nlp.embed.settings import (
    EmbedSettings,
    SentenceTransformersBackend,
    ShippedBackend,
    StaticBackend,
    TransformersBackend,
    space_of,
)


def test_default_is_the_static_encoder():
    assert EmbedSettings().backend == ShippedBackend(model="encoder")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"kind": "static", "model": "mine"}, StaticBackend(model="mine")),
        ({"kind": "shipped"}, ShippedBackend()),
        ({"max_windows": 1}, ShippedBackend(max_windows=1)),
        ({"kind": "transformers", "model": "folder"}, TransformersBackend(model="folder")),
        ({"kind": "sentence-transformers", "model": "folder"}, SentenceTransformersBackend(model="folder")),
    ],
    ids=["static", "shipped", "no kind: the usual one", "transformers", "sentence-transformers"],
)
def test_kind_chooses_the_backend(raw, expected):
    assert EmbedSettings.model_validate({"backend": raw}).backend == expected


@pytest.mark.parametrize(
    "raw",
    [
        {"kind": "magic"},
        {"revision": "main"},
        {"kind": "static", "trust_remote_code": True},
        {"kind": "transformers"},
        {"kind": "transformers", "model": "a/b", "revision": "main"},
        {"kind": "sentence-transformers", "model": "a/b", "trust_remote_code": True},
        {"kind": "shipped", "max_tokens": 4},
        {"kind": "shipped", "batch_tokens": 1},
        {"kind": "shipped", "threads": 0},
    ],
)
def test_wrong_values_are_refused(raw):
    with pytest.raises(ValidationError):
        EmbedSettings.model_validate({"backend": raw})


def test_how_much_is_read_at_once_names_no_other_space():
    usual = space_of(EmbedSettings(backend=ShippedBackend()).model_dump(mode="json"))
    more = ShippedBackend(max_windows=1, max_tokens=64, threads=2, batch_tokens=1024)
    assert space_of(EmbedSettings(backend=more).model_dump(mode="json")) == usual
    for other in (ShippedBackend(model="mine"), StaticBackend(), TransformersBackend(model="folder", prefix="query: ")):
        assert space_of(EmbedSettings(backend=other).model_dump(mode="json")) != usual


def test_every_field_is_described():
    backends = (StaticBackend, ShippedBackend, TransformersBackend, SentenceTransformersBackend)
    for model in (EmbedSettings, *backends):
        for name, found in model.model_fields.items():
            assert found.description, f"{model.__name__}.{name}"


@pytest.mark.usefixtures("default_profile")
@pytest.mark.parametrize(
    ("profile", "backend"), [("fast", StaticBackend()), ("accurate", ShippedBackend()), (None, ShippedBackend())]
)
def test_profiles_choose_the_encoder(profile, backend):
    assert load_config(profile).embed.backend == backend


@pytest.mark.slow
def test_importing_the_room_is_cheap():
    code = (
        "import sys, feedback_nlp.embed; "
        "print([m for m in ('torch', 'transformers', 'sentencepiece', 'sklearn', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
