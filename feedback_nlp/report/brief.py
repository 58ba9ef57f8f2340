"""The report in a few sentences."""

from markupsafe import Markup

from feedback_nlp.report.content import Row
from feedback_nlp.report.interface import isolated
from feedback_nlp.report.view import View

_MOST_PLACES = 3
_DRIVERS = {"employee_complaint": "employee", "policy_complaint": "policy"}


def brief(view: View) -> list[Markup]:
    """Return the report's main points as sentences, in the order of importance; few where there is little to say."""
    ui, c = view.ui, view.c
    if not c.comments:
        return [ui.t("page.empty")]
    sentences = [_volume(view)]
    if c.counts["complaint"]["comments"]:
        names = {key: ui.number(row["comments"]) for key, row in view.split()}
        sentences.append(ui.t("brief.split", complaints=ui.number(c.counts["complaint"]["comments"]), **names))
    for sign, key in (("-", "top"), ("+", "praise")):
        sentences += [_most_named(view, row, key) for row in view.causes(sign)[:1]]
    sentences += _places(view)
    if c.counts["churn"]["comments"]:
        leaving = ui.count("comment", c.counts["churn"]["comments"], oblique=True)
        sentences.append(ui.t("brief.churn", n=leaving, **{key: ui.number(n) for key, n in c.churn.items()}))
    if c.counts["abstained"]["comments"]:
        sentences.append(ui.t("brief.unsure", n=ui.count("comment", c.counts["abstained"]["comments"], oblique=True)))
    return sentences


def _volume(view: View) -> Markup:
    ui, c = view.ui, view.c
    words = {"comments": ui.count("comment", c.comments), "files": ui.count("file", len(c.files), oblique=True)}
    if c.rejected:
        return ui.t("brief.volume", rejected=ui.count("row", c.rejected, oblique=True), **words)
    return ui.t("brief.volume_clean", **words)


def _most_named(view: View, row: Row, key: str) -> Markup:
    ui = view.ui
    owner = view.cause(row["driver"], row["cause"], "owner")
    key = "top_unowned" if key == "top" and not owner else key
    return ui.t(
        f"brief.{key}",
        cause=Markup("<strong>{}</strong>").format(view.cause(row["driver"], row["cause"])),
        n=ui.count("comment", row["comments"], oblique=True),
        share=ui.percent(row["share"]),
        owner=owner,
    )


def _places(view: View) -> list[Markup]:
    ui = view.ui
    found = [
        (row[f"{measure}_low"] - row[f"{measure}_overall"], place.by, row, measure)
        for place in view.c.places
        for row in place.flagged
        for measure in _DRIVERS
        if row[f"{measure}_flag"] == "above"
    ]
    found.sort(key=lambda each: (-each[0], each[1], each[2]["group"]))
    return [
        ui.t(
            "brief.place",
            kind=ui.label("by", by),
            group=isolated(row["group"]),
            share=ui.percent(row[f"{measure}_share"]),
            overall=ui.percent(row[f"{measure}_overall"]),
            driver=ui.label("about", _DRIVERS[measure]),
        )
        for _, by, row, measure in found[:_MOST_PLACES]
    ]
