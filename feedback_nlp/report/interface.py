"""The words and numbers of the report in each interface language, from ``strings.toml``."""

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from markupsafe import Markup

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.lang.pack import CODES, open_pack
from feedback_nlp.report.quotes import shown

MISSING = Markup("–")


@cache
def open_strings() -> dict[str, Any]:
    """Open the interface's texts: nested tables whose leaves map a language code to a text or to plural forms."""
    raw = resources.files("feedback_nlp.report").joinpath("strings.toml").read_text(encoding="utf-8")
    return tomllib.loads(raw)


def plural_form(lang: str, count: int) -> str:
    """Return the plural category of a count by the rules of the Unicode CLDR.

    :returns: ``one`` or ``other``; in Arabic also ``zero``, ``two``, ``few`` and ``many``.
    """
    if lang != "ar":
        return "one" if count == 1 else "other"
    if count in (0, 1, 2):
        return ("zero", "one", "two")[count]
    last = count % 100
    if 3 <= last <= 10:
        return "few"
    return "many" if last >= 11 else "other"


@dataclass(frozen=True)
class Interface:
    """One interface language: texts, numbers and direction.

    :param lang: language code.
    :param names: the language's own name.
    :param rtl: whether it is written from right to left.
    :param digits: its ten digits, zero first.
    :param decimal: its decimal and thousands marks.
    """

    lang: str
    name: str
    rtl: bool
    digits: str
    decimal: str

    @property
    def direction(self) -> str:
        """``rtl`` or ``ltr``."""
        return "rtl" if self.rtl else "ltr"

    def t(self, key: str, **values: Any) -> Markup:  # noqa: ANN401 - whatever a text takes
        """Return a text.

        :param key: dotted path in ``strings.toml``.
        :param values: what stands in its braces; escaped unless it is Markup.
        :raises ConfigError: when there is no such text.
        """
        entry = self._entry(key)
        if entry is None or self.lang not in entry:
            raise ConfigError(f"strings.toml has no text '{key}' in '{self.lang}'.")
        return Markup(entry[self.lang]).format_map(values)

    def label(self, group: str, code: str) -> Markup:
        """Return the name of a code, or the code itself where the interface has no name for it."""
        entry = self._entry(f"names.{group}.{code}") if code else None
        return Markup(entry[self.lang]) if entry else isolated(code)

    def _entry(self, key: str) -> dict[str, Any] | None:
        found: Any = open_strings()
        for part in key.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else None

    @property
    def comma(self) -> str:
        """The language's comma with a blank."""
        return "، " if self.rtl else ", "

    def count(self, noun: str, n: int, *, oblique: bool = False) -> Markup:
        """Return a number with its noun in the right plural form.

        :param oblique: whether it stands after a preposition, where Arabic has a form of its own.
        :raises ConfigError: when there is no such noun.
        """
        entry = self._entry(f"nouns.{noun}")
        if entry is None:
            raise ConfigError(f"strings.toml has no noun '{noun}'.")
        forms = entry[self.lang]
        form = plural_form(self.lang, n)
        text = forms.get(f"{form}_oblique" if oblique else form, forms.get(form, forms["other"]))
        return Markup(text).format_map({"n": self.number(n)})

    def digitised(self, number: str) -> str:
        """Return a number written with ``.`` and ``,`` in the language's digits and marks."""
        return number.translate(str.maketrans("0123456789.,-", f"{self.digits}{self.decimal}\N{MINUS SIGN}"))

    def number(self, value: float | None, places: int = 0) -> Markup:
        """Return an isolated number; a dash where there is none."""
        if value is None or math.isnan(value):
            return MISSING
        return Markup('<bdi dir="ltr">{}</bdi>').format(self.digitised(f"{value:,.{places}f}"))

    def percent(self, share: float | None) -> Markup:
        """Return an isolated percentage of a share, with one decimal below ten per cent."""
        if share is None or math.isnan(share):
            return MISSING
        value = 100 * share
        text = self.digitised(f"{value:.0f}" if value >= 9.95 or value == 0 else f"{value:.1f}")
        return Markup('<bdi dir="{}">{}{}</bdi>').format(self.direction, text, "٪" if self.rtl else "%")

    def interval(self, low: float | None, high: float | None) -> Markup:
        """Return an interval of shares in words that keep their order in either direction."""
        if low is None or high is None or math.isnan(low) or math.isnan(high):
            return MISSING
        return self.t("interval", low=self.percent(low), high=self.percent(high))

    def seconds(self, value: float) -> Markup:
        """Return a time in seconds with its unit."""
        return self.t("seconds", n=self.number(value, 1))

    def spoken(self, text: str | Markup) -> str:
        """Return a marked-up text without its tags, for titles and labels read aloud."""
        return Markup(text).striptags()


def isolated(text: object) -> Markup:
    """Return a string that came from outside, made harmless and isolated from the text around it."""
    return Markup("<bdi>{}</bdi>").format(shown(str(text)))


def technical(text: object) -> Markup:
    """Return an id, date, file or version from outside, isolated and left to right."""
    return Markup('<bdi dir="ltr">{}</bdi>').format(shown(str(text)))


def open_interface(lang: str) -> Interface:
    """Open an interface language.

    :raises ConfigError: when there is none for ``lang``.
    """
    pack = open_pack(lang)
    return Interface(lang, pack.names[lang], pack.direction == "rtl", pack.digits, pack.decimal)


def open_interfaces() -> tuple[Interface, ...]:
    """Open every interface language, in the order of ``lang.pack.CODES``."""
    return tuple(open_interface(code) for code in CODES)
