"""Comparing groups of comments: branches, employees, products, channels, sources, languages."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from feedback_nlp.insights.intervals import mean_interval, sidak_z, wilson
from feedback_nlp.insights.table import as_table, marks, meta_values, nps_values, strings

if TYPE_CHECKING:
    import pandas as pd

BREAKDOWN_MEASURES = ("policy_complaint", "employee_complaint", "praise", "negative")
_MARK_OF = {
    "policy_complaint": "policy-",
    "employee_complaint": "employee-",
    "praise": "praise",
    "negative": "negative",
}


def group_values(table: pa.Table, by: str) -> "pd.Series[Any]":
    """Return each comment's group as strings, missing where it has none: a column of the table or a key of ``meta``."""
    import pandas as pd

    if by in table.column_names:
        values = strings(table.column(by).combine_chunks().cast(pa.string()))
        return pd.Series(values, dtype="str").where(values != "")
    return meta_values(table, [by])[by]


def breakdown(comments: "pa.Table | pd.DataFrame", by: str) -> "pd.DataFrame":
    """Compare groups by complaints about policy and employees, praise, sentiment and likelihood to recommend.

    A group is flagged only where its interval, widened for the number of groups compared (Šidák), clears the overall
    rate: with few comments a group is never flagged for noise.

    :param by: ``branch``, ``employee``, ``product``, ``channel`` or another key of ``meta``; or a column such as
        ``source`` or ``lang``.
    :returns: one row a group, by falling comments, then name. Columns group, comments; for each of BREAKDOWN_MEASURES
        the count, ``_share``, ``_low``, ``_high``, ``_overall`` and ``_flag`` (``above``, ``below`` or empty); nps_n,
        nps_mean, nps_low, nps_high. Comments without a value are left out, of the overall rate too.
    """
    import pandas as pd

    table = as_table(comments)
    found = marks(table)
    values = pd.DataFrame({"group": group_values(table, by)})
    for name in BREAKDOWN_MEASURES:
        values[name] = found[_MARK_OF[name]]
    values["nps"] = nps_values(table)
    values = values[values["group"].notna()]
    grouped = values.groupby("group", sort=True)
    frame = grouped[list(BREAKDOWN_MEASURES)].sum().astype("int64")
    frame.insert(0, "comments", grouped.size())
    for name in BREAKDOWN_MEASURES:
        _add_rates(frame, name)
    nps = _nps_columns(values)
    frame = frame.join(nps).reset_index()
    return frame.sort_values(["comments", "group"], ascending=[False, True], kind="stable").reset_index(drop=True)


def _add_rates(frame: "pd.DataFrame", name: str) -> None:
    total = int(frame["comments"].sum())
    overall = float(frame[name].sum() / total) if total else float("nan")
    frame[f"{name}_share"] = frame[name] / frame["comments"]
    frame[f"{name}_low"], frame[f"{name}_high"] = wilson(frame[name], frame["comments"])
    frame[f"{name}_overall"] = overall
    low, high = wilson(frame[name], frame["comments"], z=sidak_z(len(frame)))
    frame[f"{name}_flag"] = np.where(low > overall, "above", np.where(high < overall, "below", ""))


def _nps_columns(values: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd

    rows = {}
    for name, part in values.groupby("group", sort=True)["nps"]:
        mean, low, high = mean_interval(part.to_numpy())
        rows[name] = {"nps_n": int(part.notna().sum()), "nps_mean": mean, "nps_low": low, "nps_high": high}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["nps_n", "nps_mean", "nps_low", "nps_high"])


def nps_by(nps: npt.NDArray[np.float64]) -> dict[str, float]:
    """Return the figures of likelihood-to-recommend answers.

    :param nps: answers 0 to 10, NaN where there is none.
    :returns: n, mean, low, high (95 % interval of the mean), promoters (share of 9-10), detractors (share of 0-6) and
        score = 100 x (promoters - detractors); NaN without an answer.
    """
    known = nps[~np.isnan(nps)]
    mean, low, high = mean_interval(known)
    promoters = float(np.mean(known >= 9)) if len(known) else float("nan")
    detractors = float(np.mean(known <= 6)) if len(known) else float("nan")
    score = 100 * (promoters - detractors)
    figures = {"n": float(len(known)), "mean": mean, "low": low, "high": high}
    return figures | {"promoters": promoters, "detractors": detractors, "score": score}


def tail_gap(
    groups: "pd.DataFrame", measure: str = "praise", *, share: float = 0.1, least: int = 10, seed: int = 17
) -> "pd.DataFrame":
    """Return the gap between the best and the worst groups, pooled before they are compared.

    Ranking small groups and then comparing the ends finds a gap even where there is none, so the gap that chance alone
    would give (all groups at the overall rate) stands beside it.

    :param groups: what ``breakdown`` returned.
    :param measure: one of BREAKDOWN_MEASURES.
    :param share: share of the groups taken at each end, at least one group.
    :param least: groups with fewer comments are left out.
    :param seed: of the simulations.
    :returns: one row: groups, top, bottom (pooled shares of the highest and lowest groups), gap, chance (mean gap over
        200 seeded simulations); empty with fewer than ten groups.
    """
    import pandas as pd

    known = groups[groups["comments"] >= least].sort_values("group", kind="stable")
    columns = ["groups", "top", "bottom", "gap", "chance"]
    if len(known) < 10:
        return pd.DataFrame(columns=columns)
    sizes = known["comments"].to_numpy(dtype=np.int64)
    hits = known[measure].to_numpy(dtype=np.int64)
    take = max(int(len(known) * share), 1)
    top, bottom = _pooled_ends(hits, sizes, take)
    rng = np.random.default_rng(seed)
    draws = rng.binomial(sizes, hits.sum() / sizes.sum(), size=(200, len(sizes)))
    chance = np.mean([np.subtract(*_pooled_ends(draw, sizes, take)) for draw in draws])
    return pd.DataFrame([[len(known), top, bottom, top - bottom, float(chance)]], columns=columns)


def _pooled_ends(hits: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64], take: int) -> tuple[float, float]:
    order = np.argsort(hits / sizes, kind="stable")
    low, high = order[:take], order[-take:]
    return float(hits[high].sum() / sizes[high].sum()), float(hits[low].sum() / sizes[low].sum())
