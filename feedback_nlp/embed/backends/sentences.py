"""Models in the format of Sentence Transformers: modules.json names network, pooling, dense layers, normalising.

Read with PyTorch and transformers alone; safetensors only, no code from a model.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedback_nlp.core.errors import ModelError
from feedback_nlp.core.huggingface import load_network, missing_files
from feedback_nlp.embed.backends.huggingface import (
    TorchEncoder,
    check_extra,
    find_folder,
    load_tokenizer,
    mean_over_tokens,
)
from feedback_nlp.embed.settings import SentenceTransformersBackend

if TYPE_CHECKING:
    from torch import Tensor

MODULES = "modules.json"
_SETTINGS = "config_sentence_transformers.json"
_LIMITS = "sentence_bert_config.json"
_CONFIG, _WEIGHTS = "config.json", "model.safetensors"
_MODES = ("cls", "mean", "max", "lasttoken", "mean_sqrt_len_tokens")

Step = Callable[["Tensor"], "Tensor"]


def _json(file: Path) -> Any:  # noqa: ANN401 - whatever stands in the file
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{file}: not readable as JSON ({error}). Bring the folder again.") from error


def _modules(folder: Path) -> list[tuple[str, Path]]:
    """Return each module's kind and folder, in order."""
    return [(str(row["type"]).rsplit(".", 1)[-1], folder / row["path"]) for row in _json(folder / MODULES)]


def _missing(folder: Path) -> list[str]:
    if not (folder / MODULES).is_file():
        return [f"{MODULES} (for a bare network use kind: transformers)"]
    faults = []
    for kind, part in _modules(folder):
        needed = {"Transformer": [], "Pooling": [_CONFIG], "Dense": [_CONFIG, _WEIGHTS]}.get(kind, [])
        if kind == "Transformer":
            faults += [_beside(folder, part / name) for name in missing_files(part)]
        faults += [_beside(folder, part / name) for name in needed if not (part / name).is_file()]
    return faults


def _beside(folder: Path, file: Path) -> str:
    return str(file)[len(str(folder)) :].lstrip("/\\")


def pooling_mode(config: Mapping[str, Any]) -> str:
    """Return how a pooling module's configuration pools, in its old form (a flag a mode) or its new one.

    :raises ModelError: for more modes than one, or one that is not known.
    """
    given = config.get("pooling_mode")
    names = {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens"}
    chosen = (
        [given] if given else [mode for mode in _MODES if config.get(f"pooling_mode_{names.get(mode, mode)}", False)]
    )
    if len(chosen) != 1 or chosen[0] not in _MODES:
        raise ModelError(f"Its pooling {chosen or dict(config)} is not one of {', '.join(_MODES)}.")
    return str(chosen[0])


def pooled(mode: str, hidden: "Tensor", kept: "Tensor") -> "Tensor":
    """Pool the last layer (texts, tokens, width) to (texts, width); a mean is left a sum, as vectors become units."""
    import torch

    if mode == "cls":
        return hidden[:, 0]
    if mode == "lasttoken":
        return hidden[torch.arange(len(hidden)), kept.sum(1) - 1]
    if mode == "max":
        return hidden.masked_fill(kept.unsqueeze(-1) == 0, -torch.inf).amax(1)
    return mean_over_tokens(hidden, kept)


def _dense(part: Path) -> tuple[Step, int]:
    """Return a dense layer and its width."""
    import torch
    from safetensors.torch import load_file

    config, weights = _json(part / _CONFIG), load_file(part / _WEIGHTS)
    activation = str(config.get("activation_function", "torch.nn.modules.linear.Identity")).rsplit(".", 1)[-1]
    known: dict[str, Step] = {"Identity": lambda given: given, "Tanh": torch.tanh, "GELU": torch.nn.functional.gelu}
    if activation not in known:
        raise ModelError(f"{part}: its activation {activation} is not one of {', '.join(known)}.")
    weight, bias = weights["linear.weight"].float(), weights.get("linear.bias")

    def step(given: "Tensor") -> "Tensor":
        return known[activation](torch.nn.functional.linear(given, weight, None if bias is None else bias.float()))

    return step, int(weight.shape[0])


def _steps(modules: Sequence[tuple[str, Path]]) -> tuple[str, list[Step], int | None]:
    """Return the pooling mode, what follows it, and the width where a dense layer changes it."""
    mode, steps, width = "", [], None
    for kind, part in modules:
        if kind == "Pooling":
            mode = pooling_mode(_json(part / _CONFIG))
        elif kind == "Dense":
            step, width = _dense(part)
            # A mean is scaled by the number of tokens until here, which a layer with a bias would notice.
            steps.append(step)
        elif kind != "Normalize":
            raise ModelError(f"{part}: its module {kind} is not one of Transformer, Pooling, Dense, Normalize.")
    if not mode:
        raise ModelError(f"{MODULES} names no Pooling.")
    return mode, steps, width


def _prefix(folder: Path, backend: SentenceTransformersBackend) -> str:
    if backend.prefix is not None or not (folder / _SETTINGS).is_file():
        return backend.prefix or ""
    settings = _json(folder / _SETTINGS)
    return str((settings.get("prompts") or {}).get(settings.get("default_prompt_name")) or "")


def open_sentence_model(backend: SentenceTransformersBackend) -> TorchEncoder:
    """Open a model of Sentence Transformers that stands on this machine.

    :raises ConfigError: when the extra is not installed, a hub name is not pinned or a folder is.
    :raises ModelError: when the model or a file of it is not on this machine, saying how to bring it; when it has a
        module that is not known here.
    """
    check_extra()
    folder = find_folder(backend, _missing)
    (first, network_folder), *rest = _modules(folder)
    if first != "Transformer":
        raise ModelError(f"{folder}: its first module is {first}, Transformer is needed.")
    mode, steps, width = _steps(rest)
    limits = _json(network_folder / _LIMITS) if (network_folder / _LIMITS).is_file() else {}
    network = load_network(network_folder)
    pieces = load_tokenizer(
        network_folder,
        prefix=_prefix(folder, backend),
        max_tokens=min(backend.max_tokens, limits.get("max_seq_length") or backend.max_tokens),
        lower=bool(limits.get("do_lower_case", False)),
    )

    def pool(hidden: "Tensor", kept: "Tensor") -> "Tensor":
        found = pooled(mode, hidden, kept)
        if steps and mode == "mean":
            found = found / kept.sum(1, keepdim=True)
        elif steps and mode == "mean_sqrt_len_tokens":
            found = found / kept.sum(1, keepdim=True).sqrt()
        for step in steps:
            found = step(found)
        return found

    return TorchEncoder(network, pieces, backend, pool=pool, width=width)
