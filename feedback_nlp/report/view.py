"""View: a report's content in one interface language, with the figures and names that the templates ask for."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from feedback_nlp.core.columns import LANGS, STAGES
from feedback_nlp.insights.readings import LEVELS
from feedback_nlp.report import figures
from feedback_nlp.report.content import Content, Place, Row
from feedback_nlp.report.figures import Part
from feedback_nlp.report.interface import Interface, isolated, open_interfaces
from feedback_nlp.report.quotes import Piece, shown

SENTIMENT_ORDER = ("negative", "mixed", "neutral", "positive")
MEASURES = ("policy_complaint", "employee_complaint", "praise", "negative")
_TONES = {"policy_complaint": "policy", "employee_complaint": "employee", "praise": "positive", "negative": "negative"}
NPS_TOP = 10.0
_MOST_EVENTS = 3
_SECTIONS = {
    "emotion": "emotions",
    "effort": "efforts",
    "resolved": "resolutions",
    "intent": "intents",
    "stage": "stages",
    "pyramid": "pyramid",
}


class View:
    """A report's content in one interface language.

    :param content: what the report says.
    :param ui: the interface language.
    """

    measures = MEASURES
    sentiments = SENTIMENT_ORDER
    levels = LEVELS

    def __init__(self, content: Content, ui: Interface) -> None:
        self.c = content
        self.ui = ui
        self._causes = {(cause.driver, cause.id): cause for cause in content.taxonomy.causes}
        self._names = {("driver", entry.id): entry.name for entry in content.taxonomy.drivers}
        for group, section in _SECTIONS.items():
            self._names |= {(group, entry.id): entry.name for entry in content.taxonomy.readings.get(section, ())}

    def name(self, group: str, code: str) -> Markup:
        """Return the taxonomy's name of a driver or a reading's value, else the interface's."""
        names = self._names.get((group, code), {})
        return isolated(names[self.ui.lang]) if self.ui.lang in names else self.ui.label(group, code)

    def cause(self, driver: str, cause: str, field: str = "name") -> Markup:
        """Return a cause's name, owner or action; the code for a name that the taxonomy lacks, else an empty text."""
        text = self._taxonomy(driver, cause, field, self.ui.lang)
        return isolated(text or cause) if field == "name" or text else Markup("")

    def _taxonomy(self, driver: str, cause: str, field: str, lang: str) -> str:
        entry = self._causes.get((driver, cause))
        return "" if entry is None else str(getattr(entry, field).get(lang, ""))

    def cause_elsewhere(self, driver: str, cause: str) -> list[tuple[str, str, str]]:
        """Return a cause's name in the other languages: language, direction, name."""
        found = [(ui, self._taxonomy(driver, cause, "name", ui.lang)) for ui in self._others()]
        return [(ui.lang, ui.direction, name) for ui, name in found if name]

    def _others(self) -> list[Interface]:
        return [ui for ui in open_interfaces() if ui.lang != self.ui.lang]

    def causes(self, sign: str) -> list[Row]:
        """Return the causes of one sign, most named first."""
        return [row for row in self.c.causes if row["sign"] == sign]

    def cause_bar(self, row: Row) -> Markup:
        """Draw a cause's share of all comments; every bar of a table has the same axis."""
        limit = figures.nice_limit(max(each["high"] for each in self.c.causes))
        title = self.ui.t(
            "causes.bar",
            cause=self.cause(row["driver"], row["cause"]),
            n=self.ui.count("comment", row["comments"]),
            share=self.ui.percent(row["share"]),
            interval=self.ui.interval(row["low"], row["high"]),
        )
        spoken = self.ui.spoken(title)
        return figures.bar(
            row["share"], row["low"], row["high"], tone=row["driver"], title=spoken, rtl=self.ui.rtl, limit=limit
        )

    def language_stack(self, row: Row) -> Markup:
        """Draw how a row's comments spread over languages."""
        total = max(sum(row[lang] for lang in LANGS), 1)
        parts = [self._part(row[lang] / total, f"lang-{lang}", self.ui.label("lang", lang)) for lang in LANGS]
        title = self.ui.comma.join(part.title for part in parts if part.share)
        return figures.stack(parts, title=title, rtl=self.ui.rtl)

    def _part(self, share: float, tone: str, name: Markup) -> Part:
        return Part(share, tone, f"{self.ui.spoken(name)} {self.ui.spoken(self.ui.percent(share))}")

    def split(self, suffix: str = "") -> list[tuple[str, Row]]:
        """Return complaints (or, with ``_praise``, praise) by driver: policy, both, employee."""
        names = ("policy_only", "both", "employee_only")
        keys = ("policy", "both", "employee")
        return [(key, self.c.counts[name + suffix]) for key, name in zip(keys, names, strict=True)]

    def split_bar(self, family: str, suffix: str = "") -> Markup:
        """Draw complaints or praise split by driver."""
        rows = self.split(suffix)
        total = max(sum(row["comments"] for _, row in rows), 1)
        shares = {key: row["comments"] / total for key, row in rows}
        parts = [self._part(share, key, self.name("driver", key)) for key, share in shares.items()]
        percents = {key: self.ui.percent(share) for key, share in shares.items()}
        title = self.ui.t("causes.split_title", family=self.ui.t(f"causes.{family}"), **percents)
        return figures.stack(parts, title=self.ui.spoken(title), rtl=self.ui.rtl, tall=True)

    def sentiment_stack(self, row: Row, name: Markup) -> Markup:
        """Draw a group's sentiment as shares of its judged comments."""
        shares = {key: row[key] / max(row["judged"], 1) for key in SENTIMENT_ORDER}
        parts = [self._part(share, key, self.ui.label("sentiment", key)) for key, share in shares.items()]
        percents = {key: self.ui.percent(share) for key, share in shares.items()}
        title = self.ui.t("sentiment.stack", group=name, **percents)
        return figures.stack(parts, title=self.ui.spoken(title), rtl=self.ui.rtl)

    def mix_stack(self) -> Markup:
        """Draw the share of each language."""
        sums = {lang: sum(row["share"] for row in self.c.languages if row["lang"] == lang) for lang in LANGS}
        parts = [self._part(share, f"lang-{lang}", self.ui.label("lang", lang)) for lang, share in sums.items()]
        title = self.ui.comma.join(part.title for part in parts if part.share)
        return figures.stack(parts, title=title, rtl=self.ui.rtl, tall=True)

    def place_dot(self, place: Place, row: Row, measure: str) -> Markup:
        """Draw a group's rate of one measure beside the overall rate."""
        limit = figures.nice_limit(max(each[f"{measure}_high"] for each in place.rows))
        title = self.ui.t(
            "places.dot",
            group=isolated(row["group"]),
            share=self.ui.percent(row[f"{measure}_share"]),
            n=self.ui.count("comment", row["comments"], oblique=True),
            interval=self.ui.interval(row[f"{measure}_low"], row[f"{measure}_high"]),
            overall=self.ui.percent(row[f"{measure}_overall"]),
        )
        return figures.dot(
            row[f"{measure}_share"],
            row[f"{measure}_low"],
            row[f"{measure}_high"],
            tone=_TONES[measure],
            title=self.ui.spoken(title),
            rtl=self.ui.rtl,
            limit=limit,
            overall=row[f"{measure}_overall"],
        )

    def topic_label(self, row: Row) -> Markup:
        """Return a topic's label in the interface language."""
        label = row["about"].get(f"label_{self.ui.lang}")
        return isolated(label) if label else self.ui.t("topics.unnamed", id=self.ui.number(row["topic_id"]))

    def topic_elsewhere(self, row: Row) -> list[tuple[str, str, str]]:
        """Return a topic's label in the other languages: language, direction, label."""
        found = [(ui, str(row["about"].get(f"label_{ui.lang}") or "")) for ui in self._others()]
        return [(ui.lang, ui.direction, label) for ui, label in found if label]

    def topic_above(self, row: Row) -> Markup:
        """Return the label of what a topic is part of in the interface language; empty where it stands by itself."""
        label = row["about"].get("above", {}).get(f"label_{self.ui.lang}")
        return isolated(label) if label else Markup("")

    def topic_parts(self, row: Row) -> list[tuple[Markup, Markup]]:
        """Return label and share of what a topic falls into, the largest first."""
        parts = [part for part in row["about"].get("parts", ()) if part["share"] > 0]
        return [(isolated(part[f"label_{self.ui.lang}"]), self.ui.percent(part["share"])) for part in parts]

    def topic_evidence(self, row: Row) -> list[Markup]:
        """Return what is known of a topic's coming about, one sentence each: since when, how it grew, what it left."""
        about, told = row["about"], []
        if about.get("status") == "emerging":
            if about.get("first_seen"):
                told.append(self.ui.t("topics.since", day=isolated(about["first_seen"])))
            if about.get("growth") is not None:
                told.append(self.ui.t("topics.growth", times=self.ui.number(about["growth"], 1)))
        for event in (about.get("lineage") or ())[-_MOST_EVENTS:]:
            other = {"topic_id": event["topic_id"], "about": self.c.topic_names.get(event["topic_id"], {})}
            day = Markup(" ({})").format(isolated(event["day"])) if event["day"] else ""
            told.append(self.ui.t(f"topics.{event['change']}", topic=self.topic_label(other), day=day))
        if about.get("also"):
            told.append(self.ui.t("topics.also", n=self.ui.count("comment", about["also"], oblique=True)))
        return told

    def topic_keywords(self, row: Row) -> list[str]:
        """Return a topic's keywords in the interface language."""
        return [str(word) for word in row["about"].get(f"keywords_{self.ui.lang}") or ()][:6]

    def topic_causes(self, row: Row) -> Markup:
        """Draw which shares of a topic's comments complain about policy, about employees, or praise."""
        names = {"policy": "policy_complaint", "employee": "employee_complaint", "praise": "praise"}
        shares = {key: row[name] / max(row["comments"], 1) for key, name in names.items()}
        # A comment may stand in several of the three, so they are drawn as parts of their own sum where that exceeds 1.
        whole = max(sum(shares.values()), 1.0)
        tones = {"policy": "policy", "employee": "employee", "praise": "positive"}
        percents = {key: self.ui.percent(share) for key, share in shares.items()}
        parts = [
            Part(share / whole, tones[key], self.ui.spoken(self.ui.t(f"places.{names[key]}") + " " + percents[key]))
            for key, share in shares.items()
        ]
        title = self.ui.t("topics.causes_title", topic=self.topic_label(row), **percents)
        return figures.stack(parts, title=self.ui.spoken(title), rtl=self.ui.rtl)

    def rate_bar(self, row: Row, name: Markup, tone: str, limit: float = 1.0) -> Markup:
        """Draw a row's share with its interval under a name."""
        title = self.ui.spoken(name + " " + self.ui.percent(row["share"]))
        return figures.bar(row["share"], row["low"], row["high"], tone=tone, title=title, rtl=self.ui.rtl, limit=limit)

    def reading(self, of: str) -> list[Row]:
        """Return the values of a reading that occur; without ``na`` where it is not the point."""
        return [row for row in self.c.readings[of] if row["comments"] and row["value"] != "na"]

    def told(self, rows: Sequence[Mapping[str, Any]]) -> int:
        """Return how many comments the rows hold."""
        return int(sum(row["comments"] for row in rows))

    def reading_limit(self, of: str) -> float:
        """Return where the axis of a reading ends."""
        return figures.nice_limit(max((row["high"] for row in self.reading(of)), default=1.0))

    def heat_rows(self) -> list[tuple[str, list[tuple[int, int]]]]:
        """Return the stages with, for each level of the pyramid, the negative comments and their shade."""
        counts = {key: row["negative"] for key, row in self.c.heat.items()}
        highest = max(counts.values(), default=0)
        shades = {key: figures.heat_step(count, highest) for key, count in counts.items()}
        stages = [stage for stage in STAGES if any(counts[stage, level] for level in LEVELS)]
        return [(stage, [(counts[stage, level], shades[stage, level]) for level in LEVELS]) for stage in stages]

    def together_rows(self) -> tuple[list[str], list[tuple[str, list[tuple[Row | None, int]]]]]:
        """Return employee causes, and for each policy cause its pairs with them and their shade."""
        pairs = {(row["policy"], row["employee"]): row for row in self.c.together}
        across = sorted({row["employee"] for row in self.c.together})
        down = sorted({row["policy"] for row in self.c.together})
        highest = max((row["comments"] for row in self.c.together), default=0)
        rows = []
        for policy in down:
            found = [pairs.get((policy, employee)) for employee in across]
            rows.append((policy, [(row, figures.heat_step(row["comments"], highest) if row else 0) for row in found]))
        return across, rows

    def nps_dot(self, row: Row) -> Markup:
        """Draw the mean answer where a cause is named beside the mean of all."""
        title = self.ui.t(
            "nps.dot",
            cause=self.cause(row["driver"], row["cause"]),
            mean=self.ui.number(row["mean"], 1),
            n=self.ui.number(row["n"]),
            overall=self.ui.number(self.c.nps["mean"], 1),
        )
        return figures.dot(
            row["mean"],
            row["low"],
            row["high"],
            tone=row["driver"],
            title=self.ui.spoken(title),
            rtl=self.ui.rtl,
            limit=NPS_TOP,
            overall=self.c.nps["mean"],
        )

    def stage_bar(self, seconds: float, name: str) -> Markup:
        """Draw a stage's time as a share of all."""
        total = sum(self.c.run.get("stages", {}).values()) or 1.0
        nothing = float("nan")
        return figures.bar(seconds / total, nothing, nothing, tone="neutral", title=shown(name), rtl=self.ui.rtl)

    def mark_title(self, piece: Piece) -> str:
        """Return what marked evidence stands for, in words."""
        words = {
            "sign": self.ui.label("sign", piece.sign),
            "driver": self.ui.label("about", piece.driver),
            "cause": self.cause(piece.driver, piece.cause),
        }
        return self.ui.spoken(self.ui.t("quote.mark", **words))
