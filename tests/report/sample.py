"""A made-up run in three languages: comments written for the tests, with the readings a run would give them."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from feedback_nlp.core.columns import RESULT_COLUMNS
from feedback_nlp.report import ReportInput
from feedback_nlp.rootcause.taxonomy import Cause, Entry, Taxonomy

Driver = tuple[str, str, str, str]


@dataclass(frozen=True)
class Said:
    """A comment and its readings; evidence and personal data are given as substrings."""

    lang: str
    text: str
    sentiment: str
    topic: int
    drivers: tuple[Driver, ...] = ()
    emotion: str = "none"
    stage: str = "none"
    pyramid: int = 0
    intent: str = "na"
    effort: str = "na"
    resolved: str = "na"
    other: tuple[str, ...] = ()
    redact: tuple[tuple[str, str], ...] = field(default=())
    script: str = "native"


P, E = "policy", "employee"
SAID = (
    Said("en", "Waited fifty minutes at the counter with a booked slot, and only one till was open.", "negative", 0,
         ((P, "operations", "-", "Waited fifty minutes at the counter"),), "frustration", "purchase", 2, effort="high"),
    Said("ar", "انتظرت أكثر من ساعة في الفرع رغم وجود موعد مسبق، ولم يكن سوى شباك واحد مفتوح.", "negative", 0,
         ((P, "operations", "-", "انتظرت أكثر من ساعة في الفرع"),), "frustration", "purchase", 2, effort="high"),
    Said("fa", "با اینکه نوبت قبلی داشتم، یک ساعت در صف ماندم و فقط یک باجه باز بود.", "negative", 0,
         ((P, "operations", "-", "یک ساعت در صف ماندم"),), "frustration", "purchase", 2, effort="high"),
    Said("fa", "سفارشم سه روز دیر رسید و هیچ‌کس خبر نداد.", "negative", 1,
         ((P, "operations", "-", "سه روز دیر رسید"),), "disappointment", "delivery", 1, resolved="no"),
    Said("ar", "التوصيل تأخر أربعة أيام ولم يتصل بي أحد.", "negative", 1,
         ((P, "operations", "-", "التوصيل تأخر أربعة أيام"),), "disappointment", "delivery", 1, resolved="no"),
    Said("en", "Parcel came four days late, call me on +44 7700 900123 if you ever find the second box.", "negative", 1,
         ((P, "operations", "-", "four days late"),), "disappointment", "delivery", 1, resolved="no",
         redact=(("+44 7700 900123", "phone"),)),
    Said("en", "Two weeks on and still no refund; the deposit is simply kept because those are the rules.",
         "negative", 2,
         ((P, "returns", "-", "still no refund"), (P, "outdated", "-", "those are the rules")),
         "anger", "return", 2, "churn", "high", "no"),
    Said("ar", "رفضوا استرجاع المنتج مع أن العلبة لم تُفتح، لن أشتري منهم مرة أخرى.", "negative", 2,
         ((P, "returns", "-", "رفضوا استرجاع المنتج"),), "anger", "return", 2, "churn", "na", "no"),
    Said("fa", "برای پس دادن کالای خراب پنج بار فرم پر کردم و آخرش هم پولم را ندادند. دیگر از اینجا خرید نمی‌کنم.",
         "negative", 2,
         ((P, "returns", "-", "پولم را ندادند"), (P, "process", "-", "پنج بار فرم پر کردم")),
         "anger", "return", 2, "churn", "high", "no"),
    Said("en", "The agent was lovely but he isn't allowed to change the date; only head office can.", "mixed", 3,
         ((P, "authority", "-", "he isn't allowed to change the date"), (E, "attitude", "+", "The agent was lovely")),
         "frustration", "support", 3, resolved="no"),
    Said("ar", "الموظف محترم لكنه قال إنه لا يملك صلاحية تعديل الطلب، كل شيء عند الإدارة.", "mixed", 3,
         ((P, "authority", "-", "لا يملك صلاحية تعديل الطلب"), (E, "attitude", "+", "الموظف محترم")),
         "frustration", "support", 3, resolved="no"),
    Said("fa", "کارمند شعبه خیلی مؤدب بود ولی گفت اختیاری ندارد و باید به دفتر مرکزی زنگ بزنم.", "mixed", 3,
         ((P, "authority", "-", "اختیاری ندارد"), (E, "attitude", "+", "خیلی مؤدب بود")),
         "frustration", "support", 3, resolved="no"),
    Said("fa", "از واحد فروش به پشتیبانی و از پشتیبانی به شعبه پاسم دادند.", "negative", 3,
         ((P, "handoff", "-", "از پشتیبانی به شعبه پاسم دادند"),), "frustration", "support", 2, "na", "high", "no"),
    Said("en", "Sent from desk to desk, each telling me something different.", "negative", 3,
         ((P, "handoff", "-", "Sent from desk to desk"),), "frustration", "support", 1, "na", "high", "no"),
    Said("en", "The app logs me out at every payment. Update: still broken.", "negative", 4,
         ((P, "tools", "-", "logs me out at every payment"),), "frustration", "payment", 2, "na", "high"),
    Said("fa", "اپلیکیشن موقع پرداخت خطا می‌دهد و باید از اول شروع کنم.", "negative", 4,
         ((P, "tools", "-", "موقع پرداخت خطا می‌دهد"),), "frustration", "payment", 2, "na", "high"),
    Said("ar", "التطبيق يعلّق كل ما أحاول الدفع.", "negative", 4,
         ((P, "tools", "-", "التطبيق يعلّق"),), "frustration", "payment", 2, "na", "high"),
    Said("fa", "app kheili konde, har dafe ke mikham pardakht konam error mide", "negative", 4,
         ((P, "tools", "-", "app kheili konde"),), "frustration", "payment", 2, "na", "high", script="latin"),
    Said("ar", "el app by3alla2 kol ma adfa3, wallahi zahe2t", "negative", 4,
         ((P, "tools", "-", "el app by3alla2"),), "anger", "payment", 2, "churn", "high", script="latin"),
    Said("ar", "رسوم خفية على الفاتورة لم يخبرنا بها أحد.", "negative", 5,
         ((P, "pricing", "-", "رسوم خفية على الفاتورة"),), "anger", "payment", 1),
    Said("fa", "قیمت‌ها نسبت به کیفیت خیلی بالاست، تخفیف هم اعمال نشد.", "negative", 5,
         ((P, "pricing", "-", "قیمت‌ها نسبت به کیفیت خیلی بالاست"),), "disappointment", "payment", 0),
    Said("en", "Worth every penny, and the price on the site was the price I paid.", "positive", 5,
         ((P, "pricing", "+", "Worth every penny"),), "joy", "payment", 1, "loyal"),
    Said("fa", "قیمتش واقعاً منصفانه بود.", "positive", 5,
         ((P, "pricing", "+", "قیمتش واقعاً منصفانه بود"),), "joy", "payment", 0),
    Said("en", "The man at gate 4 rolled his eyes and told me to google it.", "negative", 6,
         ((E, "attitude", "-", "rolled his eyes"),), "anger", "support", 3),
    Said("ar", "موظفة الاستقبال كانت فظة جدا ورفعت صوتها علينا.", "negative", 6,
         ((E, "attitude", "-", "كانت فظة جدا"),), "anger", "use", 3, "churn"),
    Said("fa", "راننده خیلی بداخلاق بود و گوشی را روی من قطع کرد.", "negative", 6,
         ((E, "attitude", "-", "خیلی بداخلاق بود"),), "anger", "delivery", 3),
    Said("ar", "el mowazaf kan 2aleel el adab gedan", "negative", 6,
         ((E, "attitude", "-", "2aleel el adab"),), "anger", "support", 3, script="latin"),
    Said("en", "Nobody at the desk knew how the warranty works, I got three different answers.", "negative", 6,
         ((E, "knowledge", "-", "Nobody at the desk knew"),), "frustration", "support", 1, effort="high"),
    Said("fa", "فروشنده اطلاعی از مشخصات گوشی نداشت و مدل اشتباه داد.", "negative", 6,
         ((E, "knowledge", "-", "فروشنده اطلاعی از مشخصات گوشی نداشت"),), "disappointment", "purchase", 1),
    Said("ar", "المدير لم يهتم بالشكوى ولم يرد حتى الآن.", "negative", 6,
         ((E, "support", "-", "المدير لم يهتم بالشكوى"),), "disappointment", "support", 2, resolved="no"),
    Said("en", "Stood forty minutes in the queue and then the cashier shouted at my mother.", "negative", 0,
         ((P, "operations", "-", "forty minutes in the queue"),
          (E, "attitude", "-", "the cashier shouted at my mother")),
         "anger", "purchase", 2, "churn", "high", "no"),
    Said("ar", "النظام متعطل دائما والموظف لا يعرف كيف يتصرف.", "negative", 4,
         ((P, "tools", "-", "النظام متعطل دائما"), (E, "knowledge", "-", "لا يعرف كيف يتصرف")),
         "frustration", "support", 2, resolved="no"),
    Said("fa", "پولم را پس ندادند و مسئول شعبه هم با تمسخر جوابم را داد، به همه می‌گویم نروند.", "negative", 2,
         ((P, "returns", "-", "پولم را پس ندادند"), (E, "attitude", "-", "با تمسخر جوابم را داد")),
         "anger", "return", 3, "churn", "na", "no"),
    Said("en", "Maria went out of her way to find me a seat with my kids. Thank you!", "positive", 7,
         ((E, "attitude", "+", "went out of her way"),), "gratitude", "use", 3, "loyal", "low", "yes"),
    Said("ar", "شكرا للموظف أحمد على سرعته وأخلاقه، حل مشكلتي في خمس دقائق.", "positive", 7,
         ((E, "attitude", "+", "سرعته وأخلاقه"), (E, "knowledge", "+", "حل مشكلتي في خمس دقائق")),
         "gratitude", "support", 2, "loyal", "low", "yes", redact=(("أحمد", "name"),)),
    Said("fa", "خانم کریمی با حوصله همه چیز را توضیح داد و کارم همان روز راه افتاد.", "positive", 7,
         ((E, "attitude", "+", "با حوصله همه چیز را توضیح داد"),), "gratitude", "support", 2, "loyal", "low", "yes",
         redact=(("کریمی", "name"),)),
    Said("fa", "مدیر شعبه خودش آمد و عذرخواهی کرد و هزینه را برگرداند.", "positive", 7,
         ((E, "support", "+", "مدیر شعبه خودش آمد و عذرخواهی کرد"),), "trust", "support", 3, "loyal", "na", "yes"),
    Said("en", "Fast delivery, arrived a day early and well packed.", "positive", 1,
         ((P, "operations", "+", "arrived a day early"),), "joy", "delivery", 2, "loyal", "low"),
    Said("ar", "التوصيل سريع والتغليف ممتاز.", "positive", 1,
         ((P, "operations", "+", "التوصيل سريع"),), "joy", "delivery", 2),
    Said("fa", "زودتر از موعد رسید و بسته‌بندی عالی بود 👌", "positive", 1,
         ((P, "operations", "+", "زودتر از موعد رسید"),), "joy", "delivery", 2),
    Said("en", "They returned my money the same day, no questions asked.", "positive", 2,
         ((P, "returns", "+", "returned my money the same day"),), "trust", "return", 2, "loyal", "low", "yes"),
    Said("ar", "الأكل لذيذ والمكان جميل.", "positive", 8, (), "joy", "use", 0, other=("product",)),
    Said("fa", "کیفیت پارچه افتضاح است، بعد از یک شست‌وشو رنگش رفت.", "negative", 8, (), "disappointment", "use", 0,
         other=("product",)),
    Said("en", "Battery lasts two days, screen is gorgeous.", "positive", 8, (), "joy", "use", 0, "loyal",
         other=("product",)),
    Said("ar", "الشاشة ممتازة بس الـ battery ضعيفة", "mixed", 8, (), "none", "use", 0, other=("product",),
         script="mixed"),
    Said("fa", "عالی بود", "positive", -1, (), "joy"),
    Said("ar", "جيد", "positive", -1),
    Said("en", "ok", "neutral", -1),
    Said("en", "When does the branch on Kingsway open on Fridays?", "neutral", -1, (), "none", "discover", 1),
    Said("other", "Sipariş hiç gelmedi, çok kötü.", "negative", -1, (), "none", script="latin"),
)  # fmt: skip

TOPICS = (
    (0, "الانتظار في الفرع", "انتظار در شعبه", "Waiting in line", "انتظار|فرع", "صف|باجه", "wait|counter"),
    (1, "وقت التوصيل", "زمان تحویل", "Delivery time", "توصيل|تأخر", "تحویل|دیر", "delivery|late"),
    (2, "الاسترجاع", "مرجوعی و بازگشت پول", "Returns and refunds", "استرجاع|منتج", "پس دادن|پول", "refund|deposit"),
    (3, "صلاحيات الموظفين", "اختیار کارکنان", "Staff authority", "صلاحية|الإدارة", "اختیار|پشتیبانی", "allowed|desk"),
    (4, "أعطال الدفع", "خطا هنگام پرداخت", "App failures at payment", "تطبيق|دفع", "اپلیکیشن|پرداخت", "app|payment"),
    (5, "الأسعار والرسوم", "قیمت و هزینه‌ها", "Prices and fees", "رسوم|فاتورة", "قیمت|تخفیف", "price|penny"),
    (6, "تعامل الموظفين", "برخورد کارکنان", "How staff treat people", "موظفة|فظة", "راننده|بداخلاق", "desk|eyes"),
    (7, "شكر الموظفين", "قدردانی از کارکنان", "Thanks to staff", "شكرا|أخلاق", "حوصله|عذرخواهی", "thank|way"),
    (8, "جودة المنتج", "کیفیت کالا", "Product quality", "لذيذ|شاشة", "کیفیت|پارچه", "battery|screen"),
)  # fmt: skip


SMALL_TAXONOMY = Taxonomy(
    drivers=(
        Entry("policy", {"en": "Policy", "ar": "السياسة", "fa": "سیاست"}, {}),
        Entry("employee", {"en": "Employee", "ar": "الموظف", "fa": "کارمند"}, {}),
    ),
    causes=(
        Cause(
            "returns",
            {"en": "Returns", "ar": "الإرجاع", "fa": "مرجوعی"},
            {},
            driver="policy",
            owner={"en": "Finance", "ar": "المالية", "fa": "مالی"},
            action={"en": "Pay back in a week.", "ar": "ردّوا المبلغ خلال أسبوع.", "fa": "پول را در یک هفته برگردانید."},
        ),
        Cause("attitude", {"en": "Attitude", "ar": "التعامل", "fa": "برخورد"}, {}, driver="employee"),
    ),
    readings={"emotions": (Entry("anger", {"en": "Anger", "ar": "غضب", "fa": "خشم"}, {}),)},
)


def _span(text: str, part: str) -> dict[str, int]:
    start = text.index(part)
    return {"start": start, "end": start + len(part)}


def row(said: Said, at: int, *, score: float = 0.9, meta: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return one result row for a comment."""
    probs = {"negative": 0.05, "neutral": 0.05, "positive": 0.05}
    key = "neutral" if said.sentiment == "mixed" else said.sentiment
    probs[key] = 0.9
    readings = {
        "emotion": said.emotion,
        "effort": said.effort,
        "resolved": said.resolved,
        "intent": said.intent,
        "stage": said.stage,
        "pyramid": said.pyramid,
    }
    signs = {(driver, sign) for driver, _, sign, _ in said.drivers}
    drivers = {driver for driver, sign in signs if sign == "-"} or {driver for driver, _ in signs}
    whole = "both" if len(drivers) == 2 else next(iter(drivers), "other" if said.other else "none")
    return {
        "comment_id": f"c{at:05d}",
        "text": said.text,
        "created_at": datetime(2026, 11, 20, 8, tzinfo=UTC) + timedelta(minutes=37 * at),
        "source": "night_1.csv" if at % 3 else "night_2.csv",
        "meta": None if meta is None else json.dumps(meta, ensure_ascii=False),
        "lang": said.lang,
        "lang_script": said.script,
        "lang_score": 0.97,
        "lang_spans": [],
        "clean": said.text,
        "redactions": [{**_span(said.text, part), "kind": kind} for part, kind in said.redact],
        "sentiment": said.sentiment,
        "sentiment_probs": probs,
        "sentiment_score": score,
        "sentiment_abstained": score < 0.5,
        "clauses": [],
        "topic_id": said.topic,
        "topic_score": score if said.topic >= 0 else 0.0,
        "drivers": [
            {"driver": driver, "cause": cause, "sign": sign, "score": score, **_span(said.text, evidence)}
            for driver, cause, sign, evidence in said.drivers
        ],
        "root_cause": whole,
        "other_causes": list(said.other),
        **readings,
        **{f"{name}_score": score for name in readings},
        "problems": [],
    }


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    """Return rows as a result table with the declared types."""
    return pa.Table.from_pylist(rows, schema=pa.schema([(c.name, c.dtype) for c in RESULT_COLUMNS]))


def sample_comments(count: int = 600, *, seed: int = 17) -> pa.Table:
    """Return ``count`` comments with branches, employees, products, channels and NPS answers under ``meta``."""
    rng = np.random.default_rng(seed)
    weights = np.array([2.2 if any(d[2] == "-" for d in said.drivers) else 1.6 for said in SAID])
    picked = rng.choice(len(SAID), size=count, p=weights / weights.sum())
    rows = []
    for at, which in enumerate(picked):
        said = SAID[int(which)]
        rude = any(d[0] == E and d[2] == "-" for d in said.drivers)
        branch = "B03" if rude and rng.random() < 0.5 else f"B{int(rng.integers(1, 9)):02d}"
        base = {"negative": 3.0, "mixed": 6.0, "neutral": 7.0, "positive": 9.0}[said.sentiment]
        meta = {
            "branch": branch,
            "employee": f"E{int(rng.integers(1, 31)):03d}",
            "channel": str(rng.choice(["web", "app", "branch", "call centre"])),
            "product": str(rng.choice(["retail", "telecom", "restaurant", "airline"])),
            "nps": int(np.clip(round(base + rng.normal(0, 1.6)), 0, 10)) if rng.random() < 0.7 else None,
            "revenue": round(float(rng.gamma(2.0, 30.0)), 2),
        }
        rows.append(row(said, at, score=round(float(rng.uniform(0.42, 0.99)), 3), meta=meta))
    return table_of(rows)


def sample_topics(comments: pa.Table) -> pa.Table:
    """Return the table of topics that goes with the comments."""
    ids = comments.column("topic_id").to_pylist()
    langs = comments.column("lang").to_pylist()
    rows = []
    for topic, ar, fa, en, words_ar, words_fa, words_en in TOPICS:
        inside = [lang for lang, found in zip(langs, ids, strict=True) if found == topic]
        shares = {f"share_{lang}": inside.count(lang) / max(len(inside), 1) for lang in ("ar", "fa", "en", "other")}
        rows.append(
            {
                "topic_id": topic, "size": len(inside), "parent_id": None,
                "label_ar": ar, "label_fa": fa, "label_en": en,
                "keywords_ar": words_ar.split("|"), "keywords_fa": words_fa.split("|"),
                "keywords_en": words_en.split("|"), "status": "emerging" if topic == 4 else "standing", **shares,
            }
        )  # fmt: skip
    return pa.Table.from_pylist(rows)


def sample_rejects() -> pa.Table:
    """Return rejected rows."""
    reasons = ["blank_text"] * 7 + ["duplicate_id"] * 3 + ["undecodable"] * 2 + ["malformed_row"]
    return pa.Table.from_pylist(
        [
            {"file": "night_1.csv" if at % 2 else "night_2.csv", "row": 11 * at + 3, "reason": reason, "detail": ""}
            for at, reason in enumerate(reasons)
        ]
    )


def sample_run(comments: pa.Table) -> dict[str, Any]:
    """Return the summary of the run."""
    sources = comments.column("source").to_pylist()
    files = [
        {
            "name": name, "format": "csv", "encoding": encoding, "delimiter": ",", "columns": {"text": "text"},
            "rows_in": sources.count(name) + bad, "accepted": sources.count(name), "rejected": bad, "dates_unread": 0,
        }
        for name, encoding, bad in (("night_1.csv", "utf-8", 6), ("night_2.csv", "cp1256", 7))
    ]  # fmt: skip
    return {
        "run_id": "5f0c2a9b7d31e846",
        "version": "0.1.0",
        "started_at": "2026-11-28T02:00:00Z",
        "finished_at": "2026-11-28T02:01:12Z",
        "files": files,
        "stages": {
            "langid": 1.21,
            "normalise": 2.93,
            "embed": 3.4,
            "sentiment": 1.77,
            "rootcause": 2.52,
            "topics": 8.06,
        },
        "models": [
            {"name": "langid", "version": "1", "fingerprint": "a" * 64},
            {"name": "encoder", "version": "1", "fingerprint": "b" * 64},
        ],
        "config": {"run": {"seed": 17, "threads": 2}, "sentiment": {"min_score": 0.5}},
        "config_fingerprint": "c" * 64,
        "input_fingerprint": "d" * 64,
    }


def small_input() -> ReportInput:
    """Return a report of six comments, two files and one topic, with a taxonomy that never changes."""
    said = [said for said in SAID if said.topic == 2][:3] + [said for said in SAID if said.topic == 7][1:3] + [SAID[-1]]
    metas = [
        {"branch": "B1", "nps": 2},
        {"branch": "B1", "nps": 3},
        {"branch": "B2", "nps": 0},
        {"branch": "B2"},
        None,
        None,
    ]
    rows = [
        row(each, at, score=0.8 - at / 10, meta=meta) for at, (each, meta) in enumerate(zip(said, metas, strict=True))
    ]
    comments = table_of(rows)
    return ReportInput(comments, sample_run(comments), sample_topics(comments), sample_rejects(), SMALL_TAXONOMY)


def large_input() -> ReportInput:
    """Return a report of six hundred comments with the shipped taxonomy."""
    comments = sample_comments()
    return ReportInput(comments, sample_run(comments), sample_topics(comments), sample_rejects())
