"""Settings: frozen, strict pydantic models owned by the rooms, with errors that name the key and what is allowed."""

import difflib
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from feedback_nlp.core.errors import ConfigError


class Settings(BaseModel):
    """Base of every room's settings: immutable, unknown keys refused, each field with a one-line description."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _usual_kind(cls, values: Any) -> Any:  # noqa: ANN401 - whatever is given
        """Take the default's kind of backend where settings of one are given and no kind is named."""
        if not isinstance(values, Mapping):
            return values
        found = dict(values)
        for name, value in values.items():
            usual = getattr(cls.model_fields[name].default, "kind", None) if name in cls.model_fields else None
            if usual is not None and isinstance(value, Mapping) and "kind" not in value:
                found[name] = {"kind": usual, **value}
        return found


_PASSWORD = re.compile(r"(://[^/@:\s]*:)[^/@\s]*(?=@)|(\bpassword=)[^&'\s]*")


def _known_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    current: Any = model
    for part in location[:-1]:
        field = getattr(current, "model_fields", {}).get(part)
        current = field.annotation if field is not None else None
    return list(getattr(current, "model_fields", {}))


def explain(error: ValidationError, model: type[BaseModel], where: str) -> ConfigError:
    """Turn a pydantic error into one ConfigError that lists every fault.

    :param where: the file or argument the values came from.
    """
    lines = [f"{where} has {error.error_count()} problem(s):"]
    for fault in error.errors():
        location = fault["loc"]
        key = ".".join(str(part) for part in location)
        if fault["type"] == "extra_forbidden":
            close = difflib.get_close_matches(str(location[-1]), _known_keys(model, location), n=1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            lines.append(f"  {key}: unknown key.{hint}")
        else:
            found = _PASSWORD.sub(r"\1\2…", repr(fault.get("input")))
            lines.append(f"  {key}: {fault['msg']}, got {found:.80}")
    return ConfigError("\n".join(lines))
