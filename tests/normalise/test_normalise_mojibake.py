"""Mojibake is mended where that is sure, and left alone otherwise."""

import pytest

from feedback_nlp.normalise import normalise

NATIVE = ["الخدمة سيئة جدا", "غذا خیلی سرد بود", "کیفیت عالی و قیمت مناسب", "المطعم رائع!"]


def _misread(text: str, *, written: str, read: str) -> str:
    return "".join(
        byte.decode(read, "ignore") or chr(byte[0]) for byte in (bytes([one]) for one in text.encode(written, "strict"))
    )


@pytest.mark.parametrize("text", NATIVE)
@pytest.mark.parametrize("read", ["cp1252", "latin-1", "cp1256"])
def test_utf8_read_as_something_else(text: str, read: str) -> None:
    lang = "fa" if any(char in "گپچژکی" for char in text) else "ar"
    assert normalise(_misread(text, written="utf-8", read=read), "other").clean == normalise(text, lang).clean


def test_windows_1256_read_as_1252() -> None:
    assert normalise(_misread("الخدمة سيئة جدا", written="cp1256", read="cp1252"), "other").clean == "الخدمة سيئة جدا"


def test_spoiled_twice() -> None:
    once = _misread("الخدمة سيئة", written="utf-8", read="latin-1")
    assert normalise(_misread(once, written="utf-8", read="latin-1"), "other").clean == "الخدمة سيئة"


def test_a_mended_letter_comes_from_its_bytes() -> None:
    spoiled = _misread("سيئة جدا", written="utf-8", read="cp1252")
    done = normalise(spoiled, "other")
    start = done.clean.index("جدا")
    assert done.offsets.to_text(start, start + 3) == (9, 15)


@pytest.mark.parametrize(
    ("text", "clean"),
    [("donâ€™t buy", "don't buy"), ("cafÃ© is good", "café is good"), ("nice ðŸ˜€", "nice 😀")],
)
def test_latin_accidents(text: str, clean: str) -> None:
    assert normalise(text, "en").clean == clean


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("È vero, è già così", "other"),
        ("À LA CARTE", "other"),
        ("ÖĞÜN çok iyi", "other"),
        ("محفوظ، ملاحظ؟ واعظ؛", "ar"),
        ("Müßig & schön", "other"),
        ("SÃO PAULO", "other"),
    ],
)
def test_what_is_right_stays(text: str, lang: str) -> None:
    assert normalise(text, lang).clean == text
