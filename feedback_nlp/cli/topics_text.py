"""Topics, decisions and comments as lines for a terminal, in three scripts of two directions."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from feedback_nlp.store import Decision

LANGS = ("en", "ar", "fa")
_ISOLATE, _END = "\u2068", "\u2069"
_FEW = 3


def isolated(text: str) -> str:
    """Return a text that keeps its direction to itself; only a terminal is given the marks for that."""
    return f"{_ISOLATE}{text}{_END}" if sys.stdout.isatty() else text


def topic_lines(rows: Sequence[Mapping[str, Any]], lang: str | None = None) -> Iterator[str]:
    """Yield a table of topics, names last, so that no name shifts a column.

    :param lang: the language of the names; None shows all.
    """
    marks = [marks_of(row) for row in rows]
    wide = max((len(mark) for mark in [*marks, "marks"]), default=0)
    digits = max((len(str(row["topic_id"])) for row in rows), default=1)
    digits = max(digits, len("topic"))
    yield f"{'topic':>{digits}}  {'comments':>8}  {'marks':<{wide}}  name"
    for row, mark in zip(rows, marks, strict=True):
        yield f"{row['topic_id']:>{digits}}  {row['size']:>8}  {mark:<{wide}}  {names_of(row, lang)}"


def names_of(row: Mapping[str, Any], lang: str | None = None) -> str:
    """Return a topic's names in one line."""
    names = [row.get(f"label_{each}") for each in ((lang,) if lang else LANGS)]
    return " · ".join(dict.fromkeys(isolated(name) for name in names if name)) or "(no name)"


def marks_of(row: Mapping[str, Any]) -> str:
    """Return what is particular about a topic."""
    marks = [row["status"]] if row["status"] != "standing" else []
    marks += [name for name in ("locked", "hidden") if row[name]]
    marks += [f"split from {row['split_from']}"] if row["split_from"] is not None else []
    marks += [f"with {', '.join(map(str, row['merged']))}"] if row["merged"] else []
    return ", ".join(marks)


def topic_details(row: Mapping[str, Any]) -> Iterator[str]:
    """Yield what there is to know of one topic."""
    yield f"topic      {row['topic_id']}  {marks_of(row)}".rstrip()
    shares = {lang: row.get(f"share_{lang}") or 0.0 for lang in LANGS}
    told = ", ".join(f"{lang} {share:.0%}" for lang, share in shares.items() if share)
    yield f"comments   {row['size']} ({row['share']:.1%} of all{'; ' if told else ''}{told})"
    for lang in LANGS:
        keywords = ", ".join(isolated(word) for word in row.get(f"keywords_{lang}") or ())
        yield f"{lang:<10} {isolated(row.get(f'label_{lang}') or '(no name)')}{': ' if keywords else ''}{keywords}"


def decision_line(decision: "Decision") -> str:
    """Return a decision in one line: number, time, author, and what was done."""
    told = f"{decision.decision:>5}  {decision.at}  {isolated(decision.author)}  {_told(decision)}"
    return told if decision.stands else f"{told}  (undone)"


def _told(decision: "Decision") -> str:
    about = f"topic {decision.topic_id}" if decision.topic_id is not None else f"comment {decision.comment_id}"
    if decision.undoes is not None:
        what = "of" if decision.act == "undo" else "against"
        return f"{decision.act} {what} {decision.undoes} ({about})"
    if decision.act in ("lock", "unlock", "hide", "show", "confirm"):
        return f"{decision.act} {about}"
    if decision.act in _WORDS:
        return _WORDS[decision.act](about, decision.before, decision.after)
    return f"{decision.act} {about}: {_values(decision.before)} → {_values(decision.after)}"


def _rename(about: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    names = [f"{lang} {_name(before.get(lang))} → {_name(name)}" for lang, name in after.items()]
    return f"rename {about}: {', '.join(names)}"


def _merge(about: str, _: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    return f"merge {about} into {after['into']}"


def _split(about: str, _: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    named = ", ".join(isolated(name) for name in after.get("labels", {}).values())
    return f"split {_counted(after)} off {about}: new topic {after['topic_id']}{' ' if named else ''}{named}"


def _move(about: str, _: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    return f"move {_counted(after)} to {'no topic' if about == 'topic -1' else about}"


def _note(about: str, _: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    return f"note on {about}: {isolated(' / '.join(str(after['text']).splitlines()))}"


_WORDS: dict[str, Callable[[str, Mapping[str, Any], Mapping[str, Any]], str]] = {
    "rename": _rename,
    "merge": _merge,
    "split": _split,
    "move": _move,
    "note": _note,
}


def _counted(after: Mapping[str, Any]) -> str:
    ids = after["comment_ids"]
    few = ", ".join(map(str, ids[:_FEW])) + (", …" if len(ids) > _FEW else "")
    return f"{len(ids)} comment{'' if len(ids) == 1 else 's'} ({few})"


def _name(name: object) -> str:
    return isolated(f"«{name}»") if name else "the found name"


def _values(values: Mapping[str, Any]) -> str:
    """Return recorded values in few words; a driver as driver.cause, sign and place."""
    told = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            told.append(f"{value['driver']}.{value['cause']}{value['sign']} [{value['start']}:{value['end']}]")
        elif key != "text" and value is not None:
            told.append(isolated(str(value)))
    return ", ".join(told) or "nothing"


def comment_line(row: Mapping[str, Any], *, plain: bool = False) -> Any:  # noqa: ANN401 - a line, or a dictionary
    """Return a comment in one line, personal data covered.

    :param plain: return id, text and sentiment as a dictionary.
    """
    from feedback_nlp.core.redaction import redact

    text = redact(row["text"], row["redactions"] or ())
    if plain:
        return {"comment_id": row["comment_id"], "text": text, "sentiment": row["sentiment"]}
    sign = {"negative": "-", "positive": "+", "mixed": "±"}.get(row["sentiment"], " ")
    return f"{row['comment_id']}  {sign}  {isolated(' '.join(text.split()))}"
