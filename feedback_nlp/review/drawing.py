"""Small drawings of the table beyond the report's: the trend of a topic as bars, mirrored where the page is."""

from collections.abc import Sequence

from markupsafe import Markup

from feedback_nlp.core.columns import LANGS, SENTIMENTS
from feedback_nlp.report import figures
from feedback_nlp.report.figures import Part
from feedback_nlp.review.counts import FAMILIES, TopicCounts
from feedback_nlp.review.words import Words

SENTIMENT_ORDER = ("negative", "mixed", "neutral", "positive")
_TONES = {"policy": "policy", "employee": "employee", "both": "both", "praise": "positive"}
_WIDTH, _HEIGHT = 96, 24


def sparkline(values: Sequence[int], *, title: str, rtl: bool) -> Markup:
    """Draw counts over time as bars, the earliest first in reading direction."""
    highest = max(values, default=0)
    if not highest:
        return Markup("")
    step = _WIDTH / len(values)
    bars = Markup("")
    for at, value in enumerate(values):
        height = max(_HEIGHT * value / highest, 1.0) if value else 0.0
        x = _WIDTH - (at + 1) * step if rtl else at * step
        bars += Markup('<rect x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"/>').format(
            x, _HEIGHT - height, max(step - 0.8, 0.6), height
        )
    return Markup(
        '<svg class="spark" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img"><title>{}</title>{}</svg>'
    ).format(_WIDTH, _HEIGHT, title, bars)


class Drawer:
    """Draws a topic's figures in one interface language.

    :param ui: the language.
    """

    def __init__(self, ui: Words) -> None:
        self._ui = ui

    def trend(self, counts: TopicCounts) -> Markup:
        """Draw the comments over time."""
        title = self._ui.t(
            "table.trend_title", first=self._number(counts.trend, 0), last=self._number(counts.trend, -1)
        )
        return sparkline(counts.trend, title=self._ui.spoken(title), rtl=self._ui.rtl)

    def sentiments(self, counts: TopicCounts) -> Markup:
        """Draw the shares of the sentiments among comments that have one."""
        by_name = dict(zip(SENTIMENTS, counts.sentiments, strict=True))
        total = max(sum(counts.sentiments), 1)
        return self._stack([(by_name[name] / total, name, "sentiment", name) for name in SENTIMENT_ORDER])

    def families(self, counts: TopicCounts) -> Markup:
        """Draw complaints about policy, employees and both, and praise; of their own sum where they exceed it."""
        numbers = {name: getattr(counts, name) for name in FAMILIES}
        total = max(counts.comments, sum(numbers.values()), 1)
        return self._stack([(number / total, _TONES[name], "family", name) for name, number in numbers.items()])

    def langs(self, counts: TopicCounts) -> Markup:
        """Draw the shares of the languages."""
        total = max(counts.comments, 1)
        pairs = zip(LANGS, counts.langs, strict=True)
        return self._stack([(number / total, f"lang-{name}", "lang", name) for name, number in pairs])

    def _number(self, values: Sequence[int], at: int) -> Markup:
        return self._ui.number(values[at] if values else None)

    def _stack(self, given: Sequence[tuple[float, str, str, str]]) -> Markup:
        spoken, label, percent = self._ui.spoken, self._ui.label, self._ui.percent
        parts = [
            Part(share, tone, f"{spoken(label(group, name))} {spoken(percent(share))}")
            for share, tone, group, name in given
        ]
        title = self._ui.comma.join(part.title for part in parts if part.share) or self._ui.spoken(
            self._ui.t("page.none")
        )
        return figures.stack(parts, title=title, rtl=self._ui.rtl)
