"""Turns what senders post into rows that ingest reads."""

from collections.abc import Mapping
from typing import Any

from feedback_nlp.core.errors import BadDataError
from feedback_nlp.ingest.webhooks.settings import FormbricksHook, GenericHook

Row = dict[str, Any]


def rows_of(message: Any, hook: FormbricksHook | GenericHook) -> list[Row]:  # noqa: ANN401 - JSON of a sender
    """Return the comments in a message, none where it holds no text.

    :raises BadDataError: when it has another shape than the hook's sender gives.
    """
    if isinstance(hook, FormbricksHook):
        return _formbricks(message, hook)
    return _generic(message, hook)


def _formbricks(message: Any, hook: FormbricksHook) -> list[Row]:  # noqa: ANN401 - JSON of a sender
    response = message.get("data") if isinstance(message, Mapping) else None
    answers = response.get("data") if isinstance(response, Mapping) else None
    if not isinstance(response, Mapping) or not isinstance(answers, Mapping) or not response.get("id"):
        raise BadDataError("expected a Formbricks response: data.id and data.data")
    about = {"created_at": response.get("createdAt"), "survey": response.get("surveyId"), "channel": "formbricks"}
    about |= {f"answer_{key}": value for key, value in answers.items() if isinstance(value, int | float)}
    rows = []
    for question, answer in answers.items():
        wanted = question in hook.questions if hook.questions else True
        if wanted and isinstance(answer, str) and answer.strip():
            rows.append({"comment_id": f"{response['id']}-{question}", "text": answer, "question": question} | about)
    return rows


def _generic(message: Any, hook: GenericHook) -> list[Row]:  # noqa: ANN401 - JSON of a sender
    found = message if hook.items is None else _at(message, hook.items)
    items = found if isinstance(found, list) else [found]
    if any(not isinstance(item, Mapping) for item in items):
        raise BadDataError(f"expected an object a comment{f' under {hook.items}' if hook.items else ''}")
    if not hook.fields:
        return [dict(item) for item in items]
    return [{name: _at(item, path) for name, path in hook.fields.items()} for item in items]


def _at(value: Any, path: str) -> Any:  # noqa: ANN401 - JSON of a sender
    """Follow keys joined by dots; None where one is missing."""
    for key in path.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return None
        value = value[key]
    return value
