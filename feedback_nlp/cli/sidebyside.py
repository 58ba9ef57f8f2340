"""Two runs side by side, for a terminal."""

from collections.abc import Iterator

from feedback_nlp.store.comparison import Comparison, TopicPair

_SHOWN = 20


def as_table(found: Comparison) -> str:
    """Return a comparison as lines of text: counts with shares and the difference in points."""
    first, second = found.comments
    lines = [
        f"{'':<24}{found.runs[0]:>18}{found.runs[1]:>18}",
        f"{'comments':<24}{first:>18,}{second:>18,}",
        f"{found.shared:,} in both, {found.new:,} new, {found.gone:,} gone",
    ]
    for name, (before, after) in found.mix.items():
        lines.append(name)
        values = sorted({*before, *after}, key=lambda value: (-after.get(value, 0), value))
        lines += [_line(value, before.get(value, 0), after.get(value, 0), found.comments) for value in values]
    lines += _topics(found)
    return "\n".join(lines)


def _share(count: int, of: int) -> float:
    return 100 * count / of if of else 0.0


def _line(name: str, before: int, after: int, of: tuple[int, int]) -> str:
    shares = _share(before, of[0]), _share(after, of[1])
    cells = "".join(f"{f'{count:,} {share:5.1f}%':>18}" for count, share in zip((before, after), shares, strict=True))
    return f"  {name:<22}{cells}{shares[1] - shares[0]:>+8.1f}"


def _topics(found: Comparison) -> Iterator[str]:
    stand = [pair for pair in found.topics if pair.first is not None and pair.second is not None]
    yield from _listed("new topics", [pair for pair in found.topics if pair.first is None], found)
    yield from _listed("topics gone", [pair for pair in found.topics if pair.second is None], found)
    yield from _listed("topics in both, by change", stand, found)


def _listed(title: str, pairs: list[TopicPair], found: Comparison) -> Iterator[str]:
    yield f"{title}: {len(pairs)}"
    for pair in pairs[:_SHOWN]:
        label = pair.labels.get("en") or next(iter(pair.labels.values()), "")
        yield _line(f"{pair.topic_id} {label}"[:22], pair.first or 0, pair.second or 0, found.comments)
    if len(pairs) > _SHOWN:
        yield f"  … and {len(pairs) - _SHOWN} more; --json lists all"
