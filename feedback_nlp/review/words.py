"""The page's words in each interface language: its own texts before the report's."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any

from markupsafe import Markup

from feedback_nlp.lang.pack import CODES, open_pack
from feedback_nlp.report.interface import Interface, isolated
from feedback_nlp.rootcause.taxonomy import Taxonomy


@cache
def open_words() -> dict[str, Any]:
    """Open the page's texts: nested tables whose leaves map a language code to a text or to plural forms."""
    raw = resources.files("feedback_nlp.review").joinpath("strings.toml").read_text(encoding="utf-8")
    return tomllib.loads(raw)


class Words(Interface):
    """One interface language of the review page."""

    def _entry(self, key: str) -> dict[str, Any] | None:
        found: Any = open_words()
        for part in key.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else super()._entry(key)

    def knows(self, key: str) -> bool:
        """Tell whether there is a text of this key in the language."""
        return self.lang in (self._entry(key) or {})

    @property
    def others(self) -> tuple["Words", ...]:
        """The other interface languages."""
        return tuple(open_words_in(code) for code in CODES if code != self.lang)

    def cause(self, taxonomy: Taxonomy, driver: str, cause: str | None) -> Markup:
        """Return a cause's name, or the driver's where the cause is not known."""
        for entry in taxonomy.causes:
            if (entry.driver, entry.id) == (driver, cause):
                return isolated(entry.name[self.lang])
        return self.label("about", driver)


@cache
def open_words_in(lang: str) -> Words:
    """Open an interface language.

    :raises ConfigError: when there is none for ``lang``.
    """
    pack = open_pack(lang)
    return Words(lang, pack.names[lang], pack.direction == "rtl", pack.digits, pack.decimal)
