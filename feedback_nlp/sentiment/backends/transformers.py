"""TransformersJudge: any sequence-classification model in Hugging Face format, for comments and their clauses."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from feedback_nlp.core.columns import SENTIMENTS
from feedback_nlp.core.errors import ModelError
from feedback_nlp.core.huggingface import (
    WantedModel,
    check_extra,
    find_folder,
    fixed_batches,
    load_network,
    load_tokenizer,
    threads,
)
from feedback_nlp.core.linear import softmax
from feedback_nlp.sentiment.backends import Clauses, Floats, Given, Ints, Judgement
from feedback_nlp.sentiment.backends.labels import meanings
from feedback_nlp.sentiment.settings import TransformersSentiment

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SETTING = "sentiment.backend"
_NEGATIVE, _, _POSITIVE, _MIXED = range(len(SENTIMENTS))
_OWN_MIXED_FROM = 0.5
_PADDED = 16
_SHIFTED = ("roberta", "camembert", "mpnet", "xmod")


class TransformersJudge:
    """Judges each distinct text once; a clause is a text of its own.

    :param network: a sequence-classification model in evaluation mode.
    :param tokenizer: its tokenizer.
    :param table: float32 array (labels, SENTIMENTS), 1 where a label means a sentiment.
    :param settings: all but ``model``, ``revision`` and ``labels`` is read.
    """

    wants_vectors = False
    wants_readings = False

    def __init__(
        self,
        network: "PreTrainedModel",
        tokenizer: "PreTrainedTokenizerBase",
        table: Floats,
        settings: TransformersSentiment,
    ) -> None:
        self._network = network
        self._tokenizer = tokenizer
        self._table = table
        self._settings = settings

    @classmethod
    def open(cls, settings: TransformersSentiment) -> "TransformersJudge":
        """Open a model that stands on this machine.

        :raises ConfigError: when the extra is not installed, a hub name has no pinned revision, or the labels are not
            understood.
        :raises ModelError: when the model or a file of it is missing, saying how to bring it, or is no classifier.
        """
        check_extra(SETTING, "{kind: linear}")
        folder = find_folder(WantedModel(SETTING, settings.model, settings.revision))
        network = load_network(folder, classifier=True)
        names = [str(name) for _, name in sorted((network.config.id2label or {}).items())]
        if len(names) < 2 or network.config.problem_type == "multi_label_classification":
            raise ModelError(f"{folder}: gives no choice of one label among several, which sentiment needs.")
        table = np.zeros((len(names), len(SENTIMENTS)), dtype=np.float32)
        for row, meaning in enumerate(meanings(names, settings.labels, setting=SETTING)):
            table[row, SENTIMENTS.index(meaning)] = 1
        tokenizer = load_tokenizer(folder)
        if network.config.pad_token_id is None:
            network.config.pad_token_id = tokenizer.pad_token_id or 0
        return cls(_in_format(network, settings.dtype), tokenizer, table, settings)

    def judge(self, given: Given) -> Judgement:
        """Judge texts and their clauses; see :class:`feedback_nlp.sentiment.backends.Judge`."""
        clauses = given.clauses
        parts = [
            given.texts[row][start:end]
            for row, start, end in zip(
                clauses.rows.tolist(), clauses.starts.tolist(), clauses.ends.tolist(), strict=True
            )
        ]
        places = {text: place for place, text in enumerate(dict.fromkeys([*given.texts, *parts]))}
        shares = self._shares(list(places))
        found = np.array([places[text] for text in [*given.texts, *parts]], dtype=np.int64)
        probs = shares[found, :_MIXED]
        sums = probs.sum(axis=1, keepdims=True)
        probs = np.divide(probs, sums, out=np.full_like(probs, 1 / _MIXED), where=sums > 0)
        count = len(given.texts)
        mixed, mixed_from = self._mixed(shares[found[:count], _MIXED], probs[count:], clauses)
        ones = np.ones(count, dtype=np.float32)
        return Judgement(probs[:count], mixed, ones * np.float32(mixed_from), probs[count:], ones)

    def _mixed(self, own: Floats, clause_probs: Floats, clauses: Clauses) -> tuple[Floats, float]:
        if self._table[:, _MIXED].any():
            return own, _OWN_MIXED_FROM
        best = np.zeros((len(own), 2), dtype=np.float32)
        np.maximum.at(best[:, 0], clauses.rows, clause_probs[:, _NEGATIVE])
        np.maximum.at(best[:, 1], clauses.rows, clause_probs[:, _POSITIVE])
        several = np.bincount(clauses.rows, minlength=len(own)) > 1
        return np.where(several, best.min(axis=1), np.float32(0)).astype(np.float32), self._settings.mixed_from

    def _shares(self, texts: Sequence[str]) -> Floats:
        """Return float32 array (texts, SENTIMENTS), rows summing to 1; all the same for a text without a token."""
        out = np.full((len(texts), len(SENTIMENTS)), 1 / len(SENTIMENTS), dtype=np.float32)
        if not texts:
            return out
        with threads(self._settings.threads):
            ids = self._tokenizer(list(texts), truncation=True, max_length=self._room())["input_ids"]
            for rows, numbers, mask in fixed_batches(
                ids, self._settings.batch_tokens, pad=int(self._network.config.pad_token_id)
            ):
                scores = self._scores(numbers, mask)[: len(rows)] / np.float32(self._settings.temperature)
                out[rows] = (softmax(scores)[:, :, None] * self._table).sum(axis=1)
        return out

    def _scores(self, numbers: Ints, mask: Ints) -> Floats:
        import torch

        with torch.inference_mode():
            found = self._network(input_ids=torch.from_numpy(numbers), attention_mask=torch.from_numpy(mask))
            return np.asarray(found.logits.float().numpy(), dtype=np.float32)

    def _room(self) -> int:
        """Return how many tokens a text may have, so that it fits when padded, too."""
        config = self._network.config
        positions = getattr(config, "max_position_embeddings", None) or self._settings.max_tokens
        if any(name in config.model_type for name in _SHIFTED):
            # Their positions are counted from behind the padding's number.
            positions -= config.pad_token_id + 1
        wanted = min(self._settings.max_tokens, int(self._tokenizer.model_max_length))
        return wanted if -(-wanted // _PADDED) * _PADDED <= positions else positions // _PADDED * _PADDED


def _in_format(network: "PreTrainedModel", dtype: str) -> "PreTrainedModel":

    if dtype == "bf16":
        network.bfloat16()
    elif dtype == "int8":
        _quantise(network.base_model)
    return network


def _quantise(network: "nn.Module") -> None:
    """Put an int8 layer in place of each linear one.

    Weights have one scale an output, activations one a token: unlike a scale for the whole batch, it leaves a text's
    result independent of its neighbours.
    """
    import torch

    class Int8Linear(torch.nn.Module):
        def __init__(self, layer: torch.nn.Linear) -> None:
            super().__init__()
            weight = layer.weight.detach()
            self.scale = weight.abs().amax(dim=1).clamp(min=1e-12) / 127
            self.packed = (weight / self.scale[:, None]).round().to(torch.int8).t()
            self.bias = None if layer.bias is None else layer.bias.detach()

        def forward(self, given: torch.Tensor) -> torch.Tensor:
            flat = given.reshape(-1, given.shape[-1])
            scale = flat.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
            whole = torch._int_mm((flat / scale).round().to(torch.int8), self.packed)
            out = whole.float() * scale * self.scale
            return (out if self.bias is None else out + self.bias).reshape(*given.shape[:-1], -1)

    linear: list[tuple[Any, str, Any]] = [
        (parent, name, child)
        for parent in network.modules()
        for name, child in parent.named_children()
        if isinstance(child, torch.nn.Linear)
    ]
    for parent, name, child in linear:
        setattr(parent, name, Int8Linear(child))
