import math
import re
import string
from collections.abc import Iterator
from importlib import resources

import pytest
from markupsafe import Markup

from feedback_nlp.core.columns import LANGS, SCRIPTS, SENTIMENTS, SIGNS
from feedback_nlp.core.errors import ConfigError
from feedback_nlp.ingest.rejects import REASONS
from feedback_nlp.lang.pack import CODES
from feedback_nlp.normalise.personal import KINDS
from feedback_nlp.report.interface import MISSING, isolated, open_interface, open_strings, plural_form

EN, AR, FA = (open_interface(lang) for lang in ("en", "ar", "fa"))


def leaves(entry: dict[str, object], path: str = "") -> Iterator[tuple[str, dict[str, object]]]:
    if set(entry) & set(CODES) and not any(isinstance(entry[key], dict) and "en" in entry[key] for key in entry):  # type: ignore[operator]
        yield path, entry
        return
    for key, value in entry.items():
        yield from leaves(value, f"{path}.{key}" if path else key)  # type: ignore[arg-type]


TEXTS = dict(leaves(open_strings()))
SOURCES = "\n".join(
    file.read_text(encoding="utf-8")
    for folder in (
        resources.files("feedback_nlp.report"),
        resources.files("feedback_nlp.report").joinpath("templates"),
    )
    for file in folder.iterdir()
    if file.name.endswith((".py", ".j2"))
)


def braces(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", [key for key in TEXTS if not key.startswith("nouns.")])
def test_a_text_stands_in_all_languages_with_the_same_braces(key: str) -> None:
    if key.startswith("names.lang."):
        assert set(TEXTS[key]) == set(CODES)
        return
    texts = {lang: str(TEXTS[key][lang]) for lang in CODES}
    assert all(text.strip() for text in texts.values())
    assert len({frozenset(braces(text)) for text in texts.values()}) == 1


@pytest.mark.parametrize("key", [key for key in TEXTS if key.startswith("nouns.")])
def test_a_noun_has_the_forms_its_languages_need(key: str) -> None:
    forms = TEXTS[key]
    assert set(forms["en"]) == {"one", "other"}  # type: ignore[call-overload]
    assert set(forms["fa"]) == {"other"}  # type: ignore[call-overload]
    assert {"zero", "one", "two", "few", "many", "other"} <= set(forms["ar"])  # type: ignore[call-overload]


def test_every_text_is_used() -> None:
    heads = {"names", "nouns", "interval", "seconds"}
    unused = [
        key
        for key in TEXTS
        if key.split(".")[0] not in heads
        and f"'{key}'" not in SOURCES
        and f'"{key}"' not in SOURCES
        and f"{key.rsplit('.', 1)[0]}." not in re.findall(r"['\"f]([a-z_]+\.)(?:\{|['\"] ~)", SOURCES)
    ]
    assert not unused


@pytest.mark.parametrize(
    ("group", "codes"),
    [
        ("lang", LANGS),
        ("script", SCRIPTS),
        ("sentiment", SENTIMENTS),
        ("sign", SIGNS),
        ("reject", tuple(REASONS)),
        ("redaction", KINDS),
    ],
)
def test_every_code_that_a_table_may_hold_has_a_name(group: str, codes: tuple[str, ...]) -> None:
    named = {key.rsplit(".", 1)[1] for key in TEXTS if key.startswith(f"names.{group}.")}
    assert named == set(codes)


def test_an_unknown_text_is_named() -> None:
    with pytest.raises(ConfigError, match=r"no text 'page\.nothing' in 'en'"):
        EN.t("page.nothing")
    with pytest.raises(ConfigError, match="no noun 'cat'"):
        EN.count("cat", 2)
    with pytest.raises(ConfigError, match="Language 'xx'"):
        open_interface("xx")


@pytest.mark.parametrize(
    ("count", "form"),
    [
        (0, "zero"), (1, "one"), (2, "two"), (3, "few"), (10, "few"),
        (11, "many"), (99, "many"), (100, "other"), (102, "other"), (103, "few"),
    ],
)  # fmt: skip
def test_arabic_plurals_follow_the_cldr(count: int, form: str) -> None:
    assert plural_form("ar", count) == form
    assert plural_form("en", count) == ("one" if count == 1 else "other")


def test_counts_read_naturally() -> None:
    assert EN.spoken(EN.count("comment", 1)) == "1 comment"
    assert AR.spoken(AR.count("comment", 2)) == "تعليقان"
    assert AR.spoken(AR.count("comment", 2, oblique=True)) == "تعليقين"
    assert AR.spoken(AR.count("comment", 12, oblique=True)) == "١٢ تعليقًا"
    assert FA.spoken(FA.count("comment", 1234)) == "۱٬۲۳۴ نظر"


def test_numbers_are_isolated_and_in_the_languages_digits() -> None:
    assert EN.number(-1234.5, 1) == '<bdi dir="ltr">−1,234.5</bdi>'
    assert FA.number(7.25, 1) == '<bdi dir="ltr">۷٫۲</bdi>'
    assert AR.number(float("nan")) is MISSING
    assert EN.number(None) is MISSING


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0%"), (0.004, "0.4%"), (0.0994, "9.9%"), (0.0996, "10%"), (0.5, "50%"), (1, "100%")]
)
def test_percentages_show_a_decimal_below_ten(share: float, text: str) -> None:
    assert EN.spoken(EN.percent(share)) == text


def test_percentages_follow_the_direction() -> None:
    assert FA.percent(0.25) == '<bdi dir="rtl">۲۵٪</bdi>'
    assert EN.percent(math.nan) is MISSING
    assert FA.interval(math.nan, 1.0) is MISSING
    assert FA.spoken(FA.interval(0.1, 0.2)) == "۱۰٪ تا ۲۰٪"


def test_what_comes_from_outside_is_escaped() -> None:
    assert isolated("<b>\u202e&") == "<bdi>&lt;b&gt;&amp;</bdi>"
    assert EN.label("reject", "<i>") == "<bdi>&lt;i&gt;</bdi>"
    assert EN.t("page.run", id="<b>") == "Run &lt;b&gt;"
    assert EN.t("page.run", id=Markup("<b>")) == "Run <b>"
