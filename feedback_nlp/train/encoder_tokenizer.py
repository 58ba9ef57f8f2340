"""The encoder's word pieces: one SentencePiece unigram model over all three languages in equal shares."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from feedback_nlp.core.folding import fold
from feedback_nlp.train.encoder_pairs import Pairs, dialect_pairs, feedback_texts, roman_pairs

PIECES = 32_000
_CHARACTERS = 11_000_000
_MASK = "[MASK]"


def _share(texts: Sequence[str], characters: int, rng: np.random.Generator) -> list[str]:
    """Take texts in random order until so many characters are reached."""
    taken: list[str] = []
    for i in rng.permutation(len(texts)):
        taken.append(texts[i])
        characters -= len(texts[i])
        if characters <= 0:
            break
    return taken


def tokenizer_texts(data: Path, pairs: Pairs, *, seed: int, characters: int = _CHARACTERS) -> list[str]:
    """Return folded texts, half feedback and half parallel, with the same number of characters in each language."""
    rng = np.random.default_rng(seed)
    texts: list[str] = []
    for lang in ("ar", "fa", "en"):
        parallel = [text for text, of in zip(pairs.texts, pairs.langs, strict=True) if of == lang]
        feedback = [text for _, text in feedback_texts(data, lang, seed=seed, per_set=10_000)]
        if lang == "ar":
            feedback += dialect_pairs(data)[0]
        texts += _share(parallel, characters // 2, rng) + _share(feedback, characters // 2, rng)
    texts += roman_pairs(data)[0]
    return [folded for folded in map(fold, texts) if folded]


def train_tokenizer(texts: Sequence[str], file: Path, *, pieces: int = PIECES) -> Path:
    """Train the unigram model on folded texts and write it to ``file`` (``….model``).

    Piece 0 pads, 1 stands for anything unknown, 2 and 3 begin and end, 4 masks.
    """
    import sentencepiece

    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as stream:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=stream,
            model_type="unigram",
            vocab_size=pieces,
            character_coverage=0.9998,
            normalization_rule_name="identity",
            split_digits=True,
            pad_id=0,
            unk_id=1,
            bos_id=2,
            eos_id=3,
            pad_piece="[PAD]",
            unk_piece="[UNK]",
            bos_piece="[CLS]",
            eos_piece="[SEP]",
            control_symbols=[_MASK],
            num_threads=1,
            minloglevel=2,
        )
    return file


def write_fast_tokenizer(file: Path, folder: Path, *, max_tokens: int) -> None:
    """Write the tokenizer in Hugging Face form too, so that ``AutoTokenizer`` opens the folder.

    It cuts folded texts as SentencePiece does and adds no special tokens.
    """
    import sentencepiece
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    pieces = sentencepiece.SentencePieceProcessor(model_file=str(file))
    vocabulary = [(pieces.id_to_piece(i), pieces.get_score(i)) for i in range(len(pieces))]
    fast = Tokenizer(models.Unigram(vocabulary, unk_id=pieces.unk_id(), byte_fallback=False))
    fast.normalizer = normalizers.Strip()
    fast.pre_tokenizer = pre_tokenizers.Metaspace()
    fast.decoder = decoders.Metaspace()
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=fast,
        model_max_length=max_tokens,
        pad_token="[PAD]",
        unk_token="[UNK]",
        mask_token=_MASK,
        model_input_names=["input_ids", "attention_mask"],
    ).save_pretrained(folder)
    _without_blanks(folder / "tokenizer.json")


def _without_blanks(file: Path) -> None:
    """Write a JSON file again without what only makes it easy to read: half the size."""
    found = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(found, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
