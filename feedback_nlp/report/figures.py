"""Small figures as inline SVG. Lengths are percentages, so a figure fits any width; words stay in the page around it.

Every figure is mirrored where ``rtl`` is set: zero stands at the right.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

_HEIGHT = 18
_NICE = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75, 1.0)


@dataclass(frozen=True)
class Part:
    """One part of a stacked bar.

    :param share: its length, of 1.
    :param tone: CSS class of its colour.
    :param title: what it stands for, in words.
    """

    share: float
    tone: str
    title: str


def nice_limit(highest: float) -> float:
    """Return the round share at which an axis ends that has to hold ``highest``."""
    return next((limit for limit in _NICE if highest <= limit), 1.0) if math.isfinite(highest) else 1.0


def _percent(value: float) -> str:
    return f"{100 * value:.2f}%"


def _place(start: float, width: float, rtl: bool) -> float:
    return 1 - start - width if rtl else start


def _clamped(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _frame(content: Markup, title: str, kind: str, height: int = _HEIGHT) -> Markup:
    return Markup('<svg class="{}" width="100%" height="{}" role="img"><title>{}</title>{}</svg>').format(
        kind, height, title, content
    )


def _rect(start: float, width: float, tone: str, rtl: bool, *, y: int = 3, height: int = 12) -> Markup:
    return Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="2"/>').format(
        tone, _percent(_place(start, width, rtl)), y, _percent(width), height
    )


def _tick(at: float, tone: str, rtl: bool, *, top: int = 0, bottom: int = _HEIGHT) -> Markup:
    x = _percent(_place(at, 0.0, rtl))
    return Markup('<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(tone, x, x, top, bottom)


def _whisker(low: float, high: float, limit: float, rtl: bool) -> Markup:
    if math.isnan(low) or math.isnan(high):
        return Markup("")
    left, right = _clamped(low / limit), _clamped(high / limit)
    ends = [_percent(_place(at, 0.0, rtl)) for at in (left, right)]
    line = Markup('<line class="whisker" x1="{}" x2="{}" y1="9" y2="9"/>').format(*ends)
    return line + _tick(left, "whisker", rtl, top=6, bottom=12) + _tick(right, "whisker", rtl, top=6, bottom=12)


def bar(share: float, low: float, high: float, *, tone: str, title: str, rtl: bool, limit: float = 1.0) -> Markup:
    """Draw a share as a bar with its interval as a thin line.

    :param limit: the share at the end of the axis.
    """
    length = 0.0 if math.isnan(share) else _clamped(share / limit)
    content = _rect(0, 1, "track", rtl) + _rect(0, length, tone, rtl) + _whisker(low, high, limit, rtl)
    return _frame(content, title, "figure bar")


def dot(
    value: float,
    low: float,
    high: float,
    *,
    tone: str,
    title: str,
    rtl: bool,
    limit: float = 1.0,
    overall: float = float("nan"),
) -> Markup:
    """Draw a value as a dot on its interval, with a line at the overall value."""
    content = Markup('<line class="axis" x1="0%" x2="100%" y1="9" y2="9"/>')
    if not math.isnan(overall):
        content += _tick(_clamped(overall / limit), "overall", rtl)
    if not math.isnan(value):
        at = _percent(_place(_clamped(value / limit), 0.0, rtl))
        content += _whisker(low, high, limit, rtl)
        content += Markup('<circle class="{}" cx="{}" cy="9" r="4.5"/>').format(tone, at)
    return _frame(content, title, "figure dot")


def stack(parts: Sequence[Part], *, title: str, rtl: bool, tall: bool = False) -> Markup:
    """Draw parts of a whole as one bar; what the parts leave over stays empty."""
    height = 26 if tall else _HEIGHT
    content, start = _rect(0, 1, "track", rtl, height=height - 6), 0.0
    for part in parts:
        if part.share > 0:
            drawn = _rect(start, part.share, part.tone, rtl, height=height - 6)
            content += Markup("<g><title>{}</title>{}</g>").format(part.title, drawn)
            start += part.share
    return _frame(content, title, "figure stack", height)


def heat_step(value: float, highest: float, steps: int = 6) -> int:
    """Return the shade of a heat map's cell: 0 for nothing, else 1 to ``steps``, by the root of its share."""
    if not value or highest <= 0:
        return 0
    return min(max(math.ceil(steps * math.sqrt(value / highest)), 1), steps)
