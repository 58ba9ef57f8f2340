"""A tiny pretrained transformer in the packed form of the package that the reader starts from."""

import struct

import numpy as np

WIDTH, LAYERS, INNER, PLACES = 32, 3, 64, 128
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
WORDS = (
    "▁",
    "▁the",
    "▁The",
    "▁delivery",
    "▁كان",
    "▁جيد",
    "▁خیلی",
    "▁خوب",
    "▁در",
    "ي",
    "ی",
    "late",
    "▁was",
    *"abcdefghilmnoprstuvwy",
)
PIECES = (*SPECIAL, *WORDS)


def _packed(rng, count):
    """Return blocks of four-bit values and what they say."""
    numbers = rng.integers(0, 16, (count // 32, 32)).astype(np.uint8)
    scales = rng.uniform(0.01, 0.05, (count // 32, 1)).astype("<f2")
    halves = numbers[:, :16] | (numbers[:, 16:] << 4)
    packed = np.concatenate([scales.view(np.uint8).reshape(-1, 2), halves], axis=1).tobytes()
    return packed, ((numbers.astype(np.float32) - 8) * scales.astype(np.float32)).ravel()


def _tensors(rng):
    matrices = {"emb.word": len(PIECES) * WIDTH}
    plain = {"emb.pos": PLACES * WIDTH, "emb.type": WIDTH, "emb.ln.w": WIDTH, "emb.ln.b": WIDTH}
    for number in range(LAYERS):
        shapes = {"q": (WIDTH, WIDTH), "k": (WIDTH, WIDTH), "v": (WIDTH, WIDTH), "ao": (WIDTH, WIDTH)}
        shapes |= {"fi": (INNER, WIDTH), "fo": (WIDTH, INNER)}
        for name, shape in shapes.items():
            matrices[f"l{number}.{name}.w"] = shape[0] * shape[1]
            plain[f"l{number}.{name}.b"] = shape[0]
        for name in ("aln", "oln"):
            plain |= {f"l{number}.{name}.w": WIDTH, f"l{number}.{name}.b": WIDTH}
    found = {name: (1, *_packed(rng, count)) for name, count in matrices.items()}
    for name, count in plain.items():
        values = rng.normal(0, 0.1, count).astype("<f4")
        found[name] = 0, (values + name.endswith("ln.w")).astype("<f4").tobytes(), values
    return found


def write_pretrained(file):
    """Write the file; return its word vectors, (pieces, width), and its pieces' logarithms of frequency."""
    rng = np.random.default_rng(3)
    tensors = _tensors(rng)
    blob = [piece.encode() for piece in PIECES]
    likely = -rng.uniform(3, 9, len(PIECES)).astype("<f4")
    head = b"E5S1" + struct.pack("<I7ifi", 1, WIDTH, LAYERS, 1, INNER, len(PIECES), PLACES, 1, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, sum(map(len, blob)))
    head += np.cumsum([0, *map(len, blob)]).astype("<u4").tobytes() + likely.tobytes() + b"".join(blob)
    head += struct.pack("<iI", 0, 0) + struct.pack("<i", len(tensors))
    place = len(head) + sum(23 + len(name) for name in tensors)
    body = b""
    for name, (kind, packed, values) in tensors.items():
        head += struct.pack("<H", len(name)) + name.encode()
        head += struct.pack("<BIQQ", kind, len(values), place + len(body), len(packed))
        body += packed
    file.write_bytes(head + body)
    return tensors["emb.word"][2].reshape(-1, WIDTH), likely
