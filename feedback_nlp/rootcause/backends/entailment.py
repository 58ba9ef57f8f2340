"""TransformersEntailment: any natural language inference model in Hugging Face format."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from feedback_nlp.core.errors import ModelError
from feedback_nlp.core.huggingface import WantedModel, check_extra, find_folder, load_network, load_tokenizer, threads
from feedback_nlp.rootcause.settings import ZeroShotRootCause

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Floats = np.ndarray[Any, np.dtype[np.float32]]

SETTING = "rootcause.backend"


class TransformersEntailment:
    """Judges pairs in batches of about equal length.

    :param network: a sequence-classification model in evaluation mode.
    :param tokenizer: its tokenizer.
    :param labels: places of its labels for contradiction and entailment.
    :param settings: ``batch_tokens``, ``max_tokens`` and ``threads`` are read.
    """

    def __init__(
        self,
        network: "PreTrainedModel",
        tokenizer: "PreTrainedTokenizerBase",
        labels: tuple[int, int],
        settings: ZeroShotRootCause,
    ) -> None:
        self._network = network
        self._tokenizer = tokenizer
        self._labels = labels
        self._settings = settings

    @classmethod
    def open(cls, settings: ZeroShotRootCause) -> "TransformersEntailment":
        """Open a model that stands on this machine.

        :raises ConfigError: when the extra is not installed or a hub name has no pinned revision.
        :raises ModelError: when the model or a file of it is missing, saying how to bring it, or has no labels for
            entailment and contradiction.
        """
        check_extra(SETTING, "{kind: linear}")
        folder = find_folder(WantedModel(SETTING, settings.model, settings.revision))
        network = load_network(folder, classifier=True)
        names = {str(name).lower(): int(place) for place, name in (network.config.id2label or {}).items()}
        places = []
        for wanted in ("contradict", "entail"):
            found = [place for name, place in names.items() if name.startswith(wanted)]
            if len(found) != 1:
                raise ModelError(
                    f"{folder}: labels {', '.join(names)} do not tell entailment from contradiction. "
                    "Give a natural language inference model, or name its labels so in config.json (id2label)."
                )
            places.append(found[0])
        return cls(network, load_tokenizer(folder), (places[0], places[1]), settings)

    def entailed(self, premises: Sequence[str], hypotheses: Sequence[str]) -> Floats:
        """Return the probability of entailment against contradiction, float32 array (pairs,)."""
        out = np.zeros(len(premises), dtype=np.float32)
        order = sorted(range(len(premises)), key=lambda row: -(len(premises[row]) + len(hypotheses[row])))
        with threads(self._settings.threads):
            for rows in self._batches(order, premises, hypotheses):
                out[rows] = self._scores([premises[row] for row in rows], [hypotheses[row] for row in rows])
        return out

    def _batches(self, order: Sequence[int], premises: Sequence[str], hypotheses: Sequence[str]) -> list[list[int]]:
        """Cut rows into batches of at most so many characters, counted as if all were as long as the first."""
        batches: list[list[int]] = []
        room = 0
        for row in order:
            if not room:
                batches.append([])
                longest = min(len(premises[row]) + len(hypotheses[row]), 4 * self._settings.max_tokens)
                room = max(4 * self._settings.batch_tokens // max(longest, 1), 1)
            batches[-1].append(row)
            room -= 1
        return batches

    def _scores(self, premises: list[str], hypotheses: list[str]) -> Floats:
        import torch

        given = self._tokenizer(
            premises,
            hypotheses,
            truncation="longest_first",
            max_length=self._settings.max_tokens,
            padding=True,
            return_tensors="pt",
        )
        with torch.inference_mode():
            logits = self._network(**given).logits[:, list(self._labels)].float()
            shares: Floats = torch.softmax(logits, dim=1)[:, 1].numpy().astype(np.float32)
        return shares
