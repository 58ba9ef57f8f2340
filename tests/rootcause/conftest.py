"""A small made-up data folder for training root causes, and small heads."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rootcause_batches import annotated_row

from feedback_nlp.core.ngrams import NgramSpec
from feedback_nlp.train import rootcause
from feedback_nlp.train.rootcause_data import SOURCE_FOLDS


def _twice(row: dict[str, Any]) -> dict[str, Any]:
    """Add a second annotation, which finds half of the causes."""
    second = {key: value for key, value in row.items() if key not in ("id", "lang", "source", "text")}
    return row | {"second": second | {"d": row["d"][: int(row["id"][-1]) % 2]}}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for part in ("eval", "rootcause", "parallel", "romanised"):
        (folder / part).mkdir()
    pd.DataFrame({"text": ["x"], "lang": ["en"]}).to_parquet(folder / "eval" / "en_edurabsa.parquet")
    sources = [fold[0] for fold in SOURCE_FOLDS]
    train = [annotated_row(k, sources[k % len(sources)]) for k in range(80)]
    train += [annotated_row(200, "en_edurabsa"), annotated_row(201, sources[0]) | {"ok": 0}]
    written = [
        {key: row[key] for key in ("id", "lang", "s", "d", "o", "text")}
        for row in (annotated_row(k, "") for k in range(300, 312))
    ]
    for name, rows in (
        ("train", train),
        ("dev", [_twice(annotated_row(k, sources[0])) for k in range(400, 420)]),
        ("synthetic", written),
    ):
        lines = "\n".join(json.dumps(row) for row in rows)
        (folder / "rootcause" / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    line = {"id": "t", "en": train[1]["text"], "ar": "نادل وقح", "fa": "پیشخدمت بی ادب", "src_lang": "en"}
    dear = {"en": "the prices are far too expensive", "ar": "الأسعار مرتفعة وغالية جدا", "fa": "قیمت‌ها خیلی گران است"}
    free = {"id": "u", **dear, "src_lang": "fa"}
    frees = [{**free, "id": f"u{k}"} for k in range(12)]
    pd.DataFrame([line, *frees]).to_parquet(folder / "parallel" / "feedback_trilingual.parquet")
    for lang, text, roman in (("ar", "نادل وقح", "nadel wa2e7"), ("fa", "پیشخدمت بی ادب", "pishkhedmat bi adab")):
        pair = {"id": lang, "text": text, "roman": roman, "style": "x"}
        same = {"id": f"{lang}-same", "text": "ok", "roman": "ok", "style": "x"}
        for part in ("roman", "roman_more"):
            lines = "\n".join(json.dumps(row) for row in (pair, same))
            (folder / "romanised" / f"{lang}_{part}.jsonl").write_text(lines, encoding="utf-8")
    (folder / "manifest.jsonl").write_text(json.dumps({"file": "x", "license": "none"}), encoding="utf-8")
    return folder


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rootcause, "SPEC", NgramSpec(words=(1, 2), chars=(3,), bits=10))
