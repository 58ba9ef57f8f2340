"""A data folder of the shape that training reads, made of a few dozen sentences."""

import json

import pandas as pd

PHRASES = {
    "en": ("the delivery", "the staff", "the food", "the app", "my card", "the room"),
    "ar": ("التوصيل", "الموظفون", "الطعام", "التطبيق", "بطاقتي", "الغرفة"),
    "fa": ("ارسال", "کارکنان", "غذا", "برنامه", "کارت من", "اتاق"),
}
VERDICTS = {
    "en": ("was late", "was very good", "cost too much", "did not work", "made me happy"),
    "ar": ("كان متأخرا", "كان جيدا جدا", "كلف كثيرا", "لم يعمل", "أسعدني"),
    "fa": ("دیر شد", "خیلی خوب بود", "گران بود", "کار نکرد", "خوشحالم کرد"),
}


THANKS = {"en": "thanks", "ar": "شكرا", "fa": "ممنون"}


def said(lang, number):
    phrases, verdicts = PHRASES[lang], VERDICTS[lang]
    return f"{phrases[number % len(phrases)]} {verdicts[number // len(phrases) % len(verdicts)]} {number // 30 or ''}"


def _bitext(file, left, right, numbers, kind="sentence"):
    rows = [
        {"src": said(left, n), "src_lang": left, "tgt": said(right, n), "tgt_lang": right, "kind": kind}
        for n in numbers
    ]
    pd.DataFrame(rows).to_parquet(file)


def _comments(file, rows):
    frame = pd.DataFrame(rows, columns=["text", "lang", "topic", "split", "extra"])
    frame.assign(sentiment=None, rating=None, domain="shop").to_parquet(file)


def _sib(lang, code, count):
    return [
        (f"{said(lang, n)} {n + 500}", lang, f"topic {n % 3}", "train", json.dumps({"code": code}))
        for n in range(count)
    ]


def write_data(folder):
    """Write the folder; numbers below 120 are for training, the others for judging."""
    for name in ("eval", "feedback", "parallel", "romanised"):
        (folder / name).mkdir(parents=True)
    for name, left, right in (
        ("tatoeba_laser_en_ar", "en", "ar"),
        ("tatoeba_laser_en_fa", "en", "fa"),
        ("flores200_devtest_en_ar", "en", "ar"),
        ("flores200_devtest_en_fa", "en", "fa"),
        ("flores200_devtest_ar_fa", "ar", "fa"),
    ):
        _bitext(folder / "eval" / f"{name}.parquet", left, right, range(120, 150))
    _bitext(folder / "parallel" / "talks.parquet", "en", "ar", range(121))
    _bitext(folder / "parallel" / "shop_ui.parquet", "en", "fa", range(120))
    _bitext(folder / "parallel" / "dial2msa_ar_ar.parquet", "ar", "ar", range(20))
    trilingual = [
        {"id": str(n), "src_lang": "en", **{lang: f"{said(lang, n)} {THANKS[lang]}" for lang in PHRASES}}
        for n in range(20)
    ]
    pd.DataFrame(trilingual).to_parquet(folder / "parallel" / "feedback_trilingual.parquet")
    for lang, word in (("ar", "طعام"), ("fa", "غذا")):
        text = f"word\tgloss\n{word}\tfood / meal\n"
        (folder / "parallel" / f"glossary_{lang}.tsv").write_text(text, encoding="utf-8")
    reviews = [
        (f"{said(lang, n)} review", lang, None, "train" if n < 8 else "test", json.dumps({"row": f"r-{n}"}))
        for lang in ("en", "ar")
        for n in range(10)
    ]
    _comments(folder / "feedback" / "multi_m_absa.parquet", reviews)
    _comments(folder / "feedback" / "en_shop.parquet", [(said("en", n), "en", None, "train", "{}") for n in range(40)])
    _comments(folder / "feedback" / "ar_shop.parquet", [(said("ar", n), "ar", None, "train", "{}") for n in range(40)])
    sib = [row for lang in PHRASES for row in _sib(lang, lang, 30)]
    _comments(folder / "feedback" / "multi_sib200.parquet", sib)
    _comments(folder / "feedback" / "multi_sib200_dialects.parquet", _sib("ar", "arz_Arab", 30))
    for lang, words in (("ar", "el 5edma 7elwa"), ("fa", "kheyli khoob bood")):
        for part, first in (("roman", 0), ("roman_more", 5)):
            rows = [
                {"id": str(n), "text": said(lang, n), "roman": f"{words} {n}", "style": ""} for n in range(first, 15)
            ]
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            (folder / "romanised" / f"{lang}_{part}.jsonl").write_text(lines, encoding="utf-8")
    write_judgements(folder)
    (folder / "manifest.jsonl").write_text(json.dumps({"name": "talks", "license": "CC0"}) + "\n", encoding="utf-8")
    return folder


def _judged(lang, number):
    code = ("P.operations", "E.attitude", "P.pricing")[number % 3]
    sign = "-+"[number % 2]
    text = f"{said(lang, number)}, {THANKS[lang]}"
    return {
        "id": f"{lang}-{number}",
        "lang": lang,
        "source": ("en_twitter_us_airline", f"{lang}_shop")[number % 4 > 0],
        "text": text,
        "s": {"-": "neg", "+": "pos"}[sign],
        "d": [[code, sign, text.split(",", maxsplit=1)[0]]],
        "o": ["product"] if number % 5 == 0 else [],
        "em": "joy" if sign == "+" else "anger",
        "ef": "na",
        "rs": "na",
        "ch": "na",
        "j": "use",
        "g": 2,
        "ok": 1,
    }


def write_judgements(folder):
    """Write comments with sentiment and root causes: 24 a language for training, 6 a language for judging."""
    rows = [
        (
            f"{said('fa', n)} {n}",
            "fa",
            None,
            "dev" if n % 4 == 0 else "train",
            "{}",
            ("negative", "positive")[n % 2],
            None,
        )
        for n in range(40)
    ]
    columns = ["text", "lang", "topic", "split", "extra", "sentiment", "rating"]
    pd.DataFrame(rows, columns=columns).assign(domain="food").to_parquet(folder / "feedback" / "fa_snappfood.parquet")
    (folder / "rootcause").mkdir()
    written = {key: value for key, value in _judged("en", 3).items() if key in ("id", "lang", "s", "o")}
    written |= {"text": "not their call to make", "d": [["P.authority", "-", "not their call"]]}
    for name, lines in (
        ("train", [_judged(lang, n) for lang in PHRASES for n in range(24)]),
        ("dev", [_judged(lang, n) for lang in PHRASES for n in range(24, 30)]),
        ("synthetic", [written]),
    ):
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (folder / "rootcause" / f"{name}.jsonl").write_text(text, encoding="utf-8")
