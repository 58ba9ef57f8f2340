"""Picturing: the map as a PNG or SVG file - points, names of topics, a legend - the same bytes for the same view.

Words are shaped by the drawing library, right-to-left ones too. No comment's text is on a picture, and personal data in
a name is covered.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import resources
from io import BytesIO
from math import isfinite
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.core.redaction import covers_of
from feedback_nlp.normalise.personal import find_personal_data
from feedback_nlp.report.quotes import shown
from feedback_nlp.review.corpus import Bools, Ints
from feedback_nlp.review.filters import Filter
from feedback_nlp.review.mapping import CommentMap, topic_places
from feedback_nlp.review.snapshot import Snapshot
from feedback_nlp.review.tones import FIRST, LAST, TONES, Tone, paint, topic_tone
from feedback_nlp.review.words import Words

if TYPE_CHECKING:
    from matplotlib.text import Text

Box = tuple[float, float, float, float]
Extent = tuple[float, float, float, float]

WHOLE: Box = (-0.02, -0.02, 1.02, 1.02)
LABELS = 60
LONGEST = 40
_WIDTH, _HEIGHT, _DOTS = 1800, 1200, 150
_FOOT = 84
_MARGIN = 24
_INK, _MUTED = "#1f2530", "#5b6370"
_TRIED = 400
_SMALLEST_BOX = 1e-4
# The library keeps settings and caches of its own that are not made for several threads.
_ONE_AT_A_TIME = Lock()


@dataclass(frozen=True)
class View:
    """What is pictured.

    :param wanted: which comments.
    :param colour: one of :data:`feedback_nlp.review.tones.COLOURS`.
    :param box: the part of the map: left, top, right, bottom; the whole map lies within 0 to 1.
    """

    wanted: Filter
    colour: str
    box: Box


@dataclass(frozen=True)
class _Key:
    """An entry of the legend: its colour, its name, and what stands behind it."""

    tone: Tone
    name: str
    more: str = ""


def read_box(text: str) -> Box:
    """Read a part of the map: ``left,top,right,bottom``; an empty text takes the whole map.

    :raises ConfigError: when it is something else.
    """
    if not text:
        return WHOLE
    try:
        found = tuple(float(each) for each in text.split(","))
    except ValueError:
        found = ()
    if len(found) != 4 or not all(isfinite(each) and -9 <= each <= 9 for each in found):
        raise ConfigError("box must be four numbers: left,top,right,bottom.")
    left, top, right, bottom = found
    if right - left < _SMALLEST_BOX or bottom - top < _SMALLEST_BOX:
        raise ConfigError("box must be four numbers: left,top,right,bottom.")
    return left, top, right, bottom


def picture(snapshot: Snapshot, given: CommentMap, kept: Bools | None, view: View, *, ui: Words, form: str) -> bytes:
    """Draw the map.

    :param kept: which comments ``view.wanted`` lets through; None draws all.
    :param ui: language of the names.
    :param form: ``png`` or ``svg``.
    """
    import matplotlib

    with _ONE_AT_A_TIME, matplotlib.rc_context():
        # Whatever a machine's own settings are, the picture is the same.
        matplotlib.rcdefaults()
        matplotlib.rcParams["svg.hashsalt"] = "feedback_nlp"
        matplotlib.rcParams["svg.fonttype"] = "path"
        return _Picture(ui).drawn(snapshot, given, kept, view, form)


class _Picture:
    """One picture while it is drawn.

    :param ui: language of the names.
    """

    def __init__(self, ui: Words) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.font_manager import FontProperties, get_font

        path = str(resources.files("feedback_nlp.review").joinpath("fonts", "Vazirmatn-Medium.ttf"))
        self._ui = ui
        self._figure: Figure = Figure(figsize=(_WIDTH / _DOTS, _HEIGHT / _DOTS), dpi=_DOTS)
        self._canvas: FigureCanvasAgg = FigureCanvasAgg(self._figure)
        self._font: FontProperties = FontProperties(fname=path)
        self._known = frozenset(get_font(path).get_charmap())

    def drawn(self, snapshot: Snapshot, given: CommentMap, kept: Bools | None, view: View, form: str) -> bytes:
        """Draw everything and return the file."""
        left, top, right, bottom = view.box
        x, y = given.places[:, 0], given.places[:, 1]
        inside = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
        rows: Ints = np.flatnonzero(inside if kept is None else inside & kept).astype(np.int32)
        places = topic_places(snapshot, given.places, self._ui.lang)
        tones = {each["id"]: topic_tone(at) for at, each in enumerate(places)}
        axes = self._figure.add_axes((0, _FOOT / _HEIGHT, 1, 1 - _FOOT / _HEIGHT))
        axes.set_axis_off()
        axes.set(xlim=(left, right), ylim=(bottom, top))
        size = 2.2 if len(rows) > 30_000 else 7.0 if len(rows) > 3_000 else 16.0
        colours = paint(snapshot, rows, view.colour, tones) / 255
        axes.scatter(x[rows], y[rows], s=size, c=colours, alpha=0.8, linewidths=0, rasterized=True)
        there = set(snapshot.topic[rows].tolist())
        named = [each for each in places if each["id"] in there]
        self._write_names(view.box, named)
        legend = self._topic_keys(named, tones) if view.colour == "topic" else self._keys(view.colour, snapshot, rows)
        self._write_line(54, legend)
        self._write_line(20, [_Key((255, 255, 255), *each) for each in self._facts(snapshot, view.wanted, len(rows))])
        sink = BytesIO()
        about: dict[str, Any] = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
        self._figure.savefig(sink, format=form, dpi=_DOTS, metadata=about)
        return sink.getvalue()

    def _topic_keys(self, named: Sequence[dict[str, Any]], tones: dict[int, Tone]) -> list[_Key]:
        return [_Key(tones[each["id"]], self._clean(each["name"])) for each in named]

    def _keys(self, colour: str, snapshot: Snapshot, rows: Ints) -> list[_Key]:
        ui = self._ui
        if colour != "day":
            return [_Key(tone, ui.spoken(ui.label(colour, code))) for code, tone in TONES[colour].items()]
        days = snapshot.corpus.days[rows]
        days = days[days >= 0]
        if not len(days):
            return []
        first, last = ((date(1970, 1, 1) + timedelta(int(day))).isoformat() for day in (days.min(), days.max()))
        return [
            _Key(FIRST, ui.spoken(ui.t("map.earliest")), first),
            _Key(LAST, ui.spoken(ui.t("map.latest")), last),
        ]

    def _facts(self, snapshot: Snapshot, wanted: Filter, points: int) -> Iterator[tuple[str, str]]:
        """Yield what is on the picture: how many comments, of which run, under which conditions."""
        ui = self._ui
        yield ui.spoken(ui.count("comment", points)), ""
        yield f"{ui.spoken(ui.t('topic.run'))}:", snapshot.corpus.run_id
        titles = {
            "q": "filter.q",
            "lang": "sentiment.language",
            "sentiment": "table.sentiment",
            "mark": "filter.mark",
            "subtopic": "topic.subtopic",
            "since": "filter.since",
            "until": "filter.until",
        }
        for name, value in wanted.pairs():
            title = ui.t(titles[name]) if name in titles else ui.label("by", name)
            told = ui.spoken(ui.label(name, value)) if name in ("lang", "sentiment", "mark") else self._clean(value)
            yield f"{ui.spoken(title)}:", told

    def _clean(self, text: str) -> str:
        """Return words fit to be drawn: personal data covered, not too long, in letters that the font has."""
        parts, at = [], 0
        for start, end, kind in covers_of(find_personal_data(text)):
            parts += [text[at:start], f"‹{self._ui.spoken(self._ui.label('redaction', kind))}›"]
            at = end
        line = " ".join(shown("".join([*parts, text[at:]])).split())
        line = line if len(line) <= LONGEST else f"{line[: LONGEST - 1].rstrip()}…"
        return "".join(letter for letter in line if ord(letter) in self._known)

    def _text(self, x: float, y: float, text: str, size: float, colour: str) -> "Text":
        """Put words on the picture.

        :param x: pixels from the left; ``y`` from the bottom.
        """
        return self._figure.text(
            x / _WIDTH, y / _HEIGHT, text, fontproperties=self._font, fontsize=size, color=colour, parse_math=False
        )

    def _width(self, text: "Text") -> Extent:
        box = text.get_window_extent(self._canvas.get_renderer())  # type: ignore[no-untyped-call]
        return box.x0, box.y0, box.x1, box.y1

    def _write_names(self, box: Box, named: Sequence[dict[str, Any]]) -> None:
        """Write the names of topics, the largest first; one that would cover another is left out."""
        from matplotlib.patheffects import withStroke

        left, top, right, bottom = box
        taken: list[Extent] = []
        for each in named[:_TRIED]:
            name = self._clean(each["name"])
            across, down = (each["x"] - left) / (right - left), (each["y"] - top) / (bottom - top)
            if not name or not (0 <= across <= 1 and 0 <= down <= 1):
                continue
            text = self._text(0, 0, name, 8.5, _INK)
            x0, y0, x1, y1 = self._width(text)
            x = min(max(across * _WIDTH - (x1 - x0) / 2, _MARGIN), _WIDTH - _MARGIN - (x1 - x0))
            y = _FOOT + (1 - down) * (_HEIGHT - _FOOT) - (y1 - y0) / 2
            y = min(max(y, _FOOT + 8), _HEIGHT - 8 - (y1 - y0))
            own = (x - 4, y - 3, x + x1 - x0 + 4, y + y1 - y0 + 3)
            if len(taken) == LABELS or any(_meet(own, other) for other in taken):
                text.remove()
                continue
            taken.append(own)
            text.set_position(((x - x0) / _WIDTH, (y - y0) / _HEIGHT))
            text.set_path_effects([withStroke(linewidth=2.4, foreground="white", alpha=0.85)])

    def _write_line(self, y: float, keys: Sequence[_Key]) -> None:
        """Write entries one after the other from where reading starts, as many as there is room for."""
        from matplotlib.patches import Rectangle

        at = float(_MARGIN)
        for key in keys:
            begun = at
            plain = key.tone == (255, 255, 255)
            pieces = [self._text(0, y, each, 8.5, _MUTED) for each in (key.name, key.more) if each]
            at += 0 if plain else 26
            for piece in pieces:
                x0, _, x1, _ = self._width(piece)
                start = _WIDTH - at - (x1 - x0) if self._ui.rtl else at
                piece.set_x((start - x0) / _WIDTH)
                at += x1 - x0 + 8
            if at > _WIDTH - _MARGIN:
                for piece in pieces:
                    piece.remove()
                return
            if not plain:
                corner = _WIDTH - begun - 18 if self._ui.rtl else begun
                place = (corner / _WIDTH, (y - 1) / _HEIGHT)
                tone = tuple(each / 255 for each in key.tone)
                patch = Rectangle(place, 18 / _WIDTH, 18 / _HEIGHT, color=tone, transform=self._figure.transFigure)
                self._figure.add_artist(patch)
            at += 22


def _meet(one: Extent, other: Extent) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
