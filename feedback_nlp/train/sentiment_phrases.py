"""Short written comments with negation, thanks that are none, and emoji: what real sets hardly show word by word."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from feedback_nlp.core.columns import SENTIMENTS
from feedback_nlp.train.sentiment_data import PHRASES, Labelled, text_key

_NEGATIVE, _NEUTRAL, _POSITIVE = (SENTIMENTS.index(name) for name in ("negative", "neutral", "positive"))


@dataclass(frozen=True)
class _Tongue:
    """One language's words; ``{}`` in a pattern is where a word goes.

    :param good: words of praise, and ``bad`` those of complaint.
    :param things: what they are said of, with a blank behind, and nothing.
    :param plain: patterns that keep a word's side.
    :param weak: patterns that turn praise into complaint, and complaint into something between neutral and praise.
    :param strong: patterns that turn complaint into praise and praise into complaint.
    :param faults: names of faults; a ``without`` pattern makes them praise, a ``full`` one complaint.
    :param praise: whole comments, as are ``complaints`` and ``middling``.
    """

    good: str
    bad: str
    things: Sequence[str]
    plain: Sequence[str]
    weak: Sequence[str]
    strong: Sequence[str]
    faults: str
    without: Sequence[str]
    full: Sequence[str]
    praise: Sequence[str]
    complaints: Sequence[str]
    middling: Sequence[str]


_TONGUES: Mapping[str, _Tongue] = {
    "en": _Tongue(
        "good great happy nice helpful friendly clean worth satisfied impressed comfortable useful polite fast clear",
        "bad terrible awful rude slow dirty expensive disappointed disappointing worse noisy late cold unhappy boring",
        ("", "the food was ", "the staff were ", "it is ", "I am ", "the service is ", "delivery was "),
        ("{}", "very {}", "so {}"),
        ("not {}", "not so {}", "not very {}", "not really {}"),
        ("not {} at all", "never {}", "not at all {}"),
        "problems complaints issues delays faults bugs hassle regrets mistakes errors trouble",
        ("no {}", "without {}", "no {} so far", "I had no {}", "never had any {}", "zero {}"),
        ("full of {}", "many {}", "nothing but {}", "too many {}"),
        (
            *(
                "can't complain",
                "cannot complain",
                "nothing to complain about",
                "could not be better",
                "never disappoints",
            ),
            *(
                "couldn't be happier",
                "could not ask for more",
                "couldn't ask for better",
                "can't fault it",
                "no regrets",
            ),
            *("can't recommend it enough", "cannot wait to come back", "nothing bad to say", "never let me down"),
            *(
                "you can't go wrong",
                "did not disappoint",
                "exceeded my expectations",
                "😍",
                "👍",
                "🙏",
                "❤️",
                "👏",
                "😊",
            ),
        ),
        (
            *(
                "thanks for nothing",
                "not the best",
                "not the best experience",
                "I don't recommend it",
                "do not recommend",
            ),
            *(
                "would not recommend",
                "won't come back",
                "never again",
                "I don't like it",
                "didn't like it",
                "not worth it",
            ),
            *("great, another delay", "wow, well done, lost again", "great job losing my order", "not what I ordered"),
            *(
                "could be better",
                "could have been better",
                "far from good",
                "anything but helpful",
                "least helpful ever",
            ),
            *(
                "I am not happy with the service",
                "nobody helped me",
                "doesn't work",
                "😡",
                "👎",
                "💔",
                "😠",
                "🤮",
                "😞",
            ),
        ),
        ("ok", "okay", "it is okay", "average", "so so", "neither good nor bad", "nothing special", "it is what it is"),
    ),
    "ar": _Tongue(
        "جيد ممتاز كويس حلو نظيف مريح محترم سريع راضي سعيد مفيد رائع لطيف مناسب",
        "سيئ سيء وحش رديء وسخ بطيء غالي مزعج متأخر بارد فاشل صعب مخيب خايس",
        ("", "الأكل ", "الخدمة ", "الموظف ", "المكان ", "التوصيل ", "التطبيق "),
        ("{}", "{} جدا", "{} مره"),
        ("مش {}", "مو {}", "ليس {}", "غير {}", "ماهو {}"),
        ("مش {} أبدا", "ليس {} على الإطلاق", "مو {} نهائيا", "عمره ما كان {}"),
        "عيوب مشاكل شكوى ملاحظات تأخير أخطاء نقص ازعاج",
        ("لا يوجد {}", "بدون {}", "ما فيه {}", "بلا {}", "ما عندي أي {}", "مفيش {}"),
        ("كله {}", "كثير {}", "مليء ب{}"),
        (
            *(
                "لا غبار عليه",
                "ما قصرتوا",
                "ما قصروا",
                "لا يعلى عليه",
                "ما عليه كلام",
                "لم يخيب ظني",
                "لن تندم",
                "ما تندم",
            ),
            *("لا أروع", "ما شاء الله", "يستاهل", "يعطيكم العافية", "الله يبارك فيكم", "😍", "👍", "❤️", "🌹", "👏"),
        ),
        (
            *("شكرا على لا شيء", "لا أنصح به", "لا انصح", "ما أنصح فيه", "لن أعود", "لن اعود مرة أخرى", "ما عجبني"),
            *(
                "لم يعجبني",
                "ما يستاهل",
                "لا يستحق",
                "حسبي الله ونعم الوكيل",
                "ليس كما توقعت",
                "ما في احد يرد",
                "لا يعمل",
            ),
            *("ما شاء الله تأخير ثلاث ساعات", "يا سلام على الخدمة ساعتين انتظار", "😡", "👎", "💔", "😠", "🤮"),
        ),
        ("لا بأس به", "لا بأس", "عادي", "متوسط", "مقبول", "لا جيد ولا سيء", "نص نص", "ماشي الحال", "يمشي الحال"),
    ),
    "fa": _Tongue(
        "خوب عالی راضی تمیز خوشمزه مناسب مفید مودب سریع باکیفیت جالب خوشحال درست قشنگ",
        "بد افتضاح ناراضی کثیف گران ضعیف بی‌کیفیت کند سرد خراب پشیمان زشت سخت شلوغ",
        ("", "غذا ", "برخورد ", "کیفیتش ", "خدمات ", "ارسال ", "محصول "),
        ("{} بود", "{}", "خیلی {} بود", "{} است"),
        ("{} نبود", "{} نیست", "چندان {} نبود", "{} نیستم"),
        ("اصلا {} نبود", "اصلا {} نیست", "به هیچ وجه {} نیست", "هیچ {} نبود"),
        "ایراد مشکل عیب نقص شکایت دردسر تاخیر",
        ("بدون {}", "هیچ {}ی ندارد", "{}ی نداشت", "{}ی ندیدم", "هیچ {}ی نداشت", "بی {}"),
        ("پر از {}", "همش {}", "{} زیاد دارد"),
        (
            *(
                "حرف نداره",
                "حرف ندارد",
                "نظیر نداره",
                "بی نظیر",
                "از این بهتر نمیشه",
                "پشیمون نمیشید",
                "پشیمان نمی‌شوید",
            ),
            *("ناامیدم نکرد", "کم نذاشتن", "چیزی کم نداشت", "لنگه نداره", "😍", "👍", "❤️", "🌹", "👏", "🙏"),
        ),
        (
            *(
                "پیشنهاد نمیکنم",
                "پیشنهاد نمی‌کنم",
                "توصیه نمیکنم",
                "اصلا نخرید",
                "دیگه نمیخرم",
                "ارزش خرید نداره",
                "خوشم نیومد",
            ),
            *(
                "دستتون درد نکنه با این غذای سرد",
                "دستتون درد نکنه واقعا با این سرویس",
                "مرسی از این همه تاخیر",
                "جواب نمیدن",
            ),
            *("کار نمیکنه", "به درد نمیخوره", "نظرم عوض شد", "انتظارم این نبود", "😡", "👎", "💔", "😠", "🤮"),
        ),
        ("معمولی", "معمولی بود", "متوسط", "نه خوب نه بد", "بدک نیست", "بد نیست", "قابل قبول", "ای بدک نبود"),
    ),
}


def _said(tongue: _Tongue) -> Iterator[tuple[str, int]]:
    for words, side, turned in ((tongue.good, _POSITIVE, _NEGATIVE), (tongue.bad, _NEGATIVE, _POSITIVE)):
        for place, word in enumerate(words.split()):
            for number, thing in enumerate(tongue.things):
                # Not every pattern with every thing: a word should not be learnt seven times over.
                for patterns, label in ((tongue.plain, side), (tongue.weak, turned), (tongue.strong, turned)):
                    pattern = patterns[(place + number) % len(patterns)]
                    between = patterns is tongue.weak and side == _NEGATIVE and (place + number) % 3 == 0
                    yield thing + pattern.format(word), _NEUTRAL if between else label
    for word in tongue.faults.split():
        yield from ((pattern.format(word), _POSITIVE) for pattern in tongue.without)
        yield from ((pattern.format(word), _NEGATIVE) for pattern in tongue.full)
    for texts, label in (
        (tongue.praise, _POSITIVE),
        (tongue.complaints, _NEGATIVE),
        (tongue.middling, _NEUTRAL),
    ):
        yield from ((text, label) for text in texts)


def _key(text: str) -> str:
    """Return what two texts share when they are the same; emoji, which have no letters, are compared as they are."""
    return text_key(text) if any(char.isalnum() for char in text) else text.strip()


def with_phrases(labelled: Labelled) -> Labelled:
    """Return the comments with the written ones behind them, those left out that stand among the judged."""
    judged = {_key(labelled.texts[row]) for row in np.flatnonzero(labelled.judged).tolist()}
    rows = [
        (text, lang, label)
        for lang, tongue in _TONGUES.items()
        for text, label in dict.fromkeys(_said(tongue))
        if _key(text) not in judged
    ]
    texts = [text for text, _, _ in rows]
    names, no = np.full(len(rows), PHRASES), np.zeros(len(rows), dtype=bool)
    return replace(
        labelled,
        texts=[*labelled.texts, *texts],
        langs=np.append(labelled.langs, [lang for _, lang, _ in rows]),
        labels=np.append(labelled.labels, np.array([label for _, _, label in rows], dtype=np.int64)),
        sources=np.append(labelled.sources, names),
        sets=np.append(labelled.sets, names),
        judged=np.append(labelled.judged, no),
        rated=np.append(labelled.rated, no),
        domains=np.append(labelled.domains, np.full(len(rows), "")),
        splits=np.append(labelled.splits, np.full(len(rows), "")),
        chosen=np.append(labelled.chosen, no),
        identities=np.append(labelled.identities, [_key(text) for text in texts]),
    )
