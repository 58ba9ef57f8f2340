"""Writes measured figures into the page of quality, one section a suite."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from feedback_nlp.core.errors import BadDataError
from feedback_nlp.core.modelfolder import shipped_root
from feedback_nlp.train.figures import Figure, card_table

_HEAD = """# Quality

What the shipped models reach, with 95 % bootstrap intervals, beside published figures and a baseline of the same run.
`feedback-nlp evaluate --data DIR --suite NAME` measures a suite and writes its section; the others stay as they are.
"""


def default_page() -> Path | None:
    """Return the page of a checkout; None where the package is installed without its documentation."""
    folder = shipped_root("docs")
    return folder / "quality.md" if folder.is_dir() else None


def write_quality(page: Path, figures: Sequence[Figure], notes: Mapping[str, str] | None = None) -> None:
    """Write the section of each suite that has figures, in place; other sections stay byte for byte.

    :param page: file to write; made where there is none.
    :param notes: a paragraph by suite, put before its table.
    :raises BadDataError: when the page has a section that begins and never ends.
    """
    text = page.read_text(encoding="utf-8") if page.is_file() else _HEAD
    for suite in dict.fromkeys(figure.suite for figure in figures):
        text = _replaced(text, suite, _section(suite, figures, (notes or {}).get(suite, "")), page)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, encoding="utf-8")


def _marks(suite: str) -> tuple[str, str]:
    return f"<!-- suite {suite} -->", f"<!-- end of suite {suite} -->"


def _section(suite: str, figures: Sequence[Figure], note: str) -> str:
    begin, end = _marks(suite)
    table = card_table([figure for figure in figures if figure.suite == suite])
    parts = [begin, f"## {suite}", "", *([note, ""] if note else []), f"{table}{end}"]
    return "\n".join(parts)


def _replaced(text: str, suite: str, section: str, page: Path) -> str:
    begin, end = _marks(suite)
    if begin not in text:
        return f"{text.rstrip()}\n\n{section}\n"
    before, rest = text.split(begin, 1)
    if end not in rest:
        raise BadDataError(f"{page}: the section '{suite}' never ends; '{end}' is missing.")
    return f"{before}{section}{rest.split(end, 1)[1]}"
