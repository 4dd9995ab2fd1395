"""The public answers: responses sample by sample, outcomes line by line, and how many lines can be judged at all."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import schema
from analysis.derive.response import depth, relapse
from analysis.derive.response.criteria import criteria
from analysis.derive.response.followed import NO_LATER_SAMPLE
from analysis.derive.response.picture import Picture, picture

_KEY = ["patient_id", "line"]


def assess(cohort: dict[str, pd.DataFrame], lines: pd.DataFrame, **choices) -> pd.DataFrame:
    """Which response was reached at each sample, and which was confirmed by then?

    Returns ASSESSMENTS, one row per patient, line and sample of the marker that leads the line (serum, else urine
    M-protein, else free light chains, else marrow): its value, baseline and reference (lowest so far), the level of
    this sample, and the confirmed level. A rise from the reference is tested before depth, so 4.0, 0.2, 1.2 g/dL ends
    in progression though 1.2 is a partial response to 4.0.

    Parameters
    ----------
    cohort : LABS and, where there are any, FINDINGS and PATIENTS (deaths). FINDINGS "progression" and "best response",
        the source's own judgement, are not read.
    lines : LINES, or any frame with patient_id, line and start_day
    choices : see `Criteria`

    Source: Kumar et al., Lancet Oncol 2016;17:e328. R: pharmaverse `admiralonco` (`adrs_imwg`) starts from levels
    already assessed; there is no call that starts from the values.

    Raises
    ------
    ValueError
        for a choice that is not known, or a unit that is missing or unknown.
    analysis.schema.SchemaError
        for lines that lack a column or do not follow one another.

    Example
    -------
    >>> labs = pd.DataFrame({"patient_id": "a", "day": [0, 30, 60, 90, 120], "test": "serum M-protein",
    ...     "value": [40.0, 2.0, 2.0, 12.0, 13.0], "unit": "g/L"})
    >>> lines = pd.DataFrame({"patient_id": ["a"], "line": [1], "start_day": [0]})
    >>> assess({"labs": labs}, lines, mode="lab_only")[["day", "level", "confirmed"]].values.tolist()
    [[30, 'VGPR', 'VGPR'], [60, 'VGPR', 'VGPR'], [90, 'PD', 'PD'], [120, 'PD', 'PD']]
    """
    view = picture(cohort, lines, criteria(**choices))
    rows = _judged(view)
    named = view.frame[_KEY].iloc[rows["row"]].reset_index(drop=True)
    words = {"level": depth.WORDS[rows["level"]], "confirmed": depth.WORDS[rows["confirmed"]]}
    result = named.assign(**rows[["day", "parameter", "value", "baseline", "reference"]].to_dict("series"), **words)
    return schema.check(result[schema.ASSESSMENTS.names], schema.ASSESSMENTS)


def outcomes(cohort: dict[str, pd.DataFrame], lines: pd.DataFrame, **choices) -> pd.DataFrame:
    """How did each line end by the published criteria, and could it be judged?

    Returns OUTCOMES, one row per line: which marker was followed, whether the line could be judged and why not, best
    confirmed response, progression (first of the two samples that agree; a new lesion stands alone), what showed it,
    its kind, and the days of relapse from complete response, from MRD negativity and of a significant biochemical one.

    A line that could not be judged has no progression by a marker; a new lesion is progression all the same. Leave
    lines without `evaluable` out of a denominator: in them a relapse could not have been seen. Parameters and errors
    as in `assess`.

    Example
    -------
    >>> labs = pd.DataFrame({"patient_id": "a", "day": [0, 30, 60, 90, 120], "test": "serum M-protein",
    ...     "value": [4.0, 0.2, 0.2, 0.7, 0.9], "unit": "g/dL"})
    >>> lines = pd.DataFrame({"patient_id": ["a"], "line": [1], "start_day": [0]})
    >>> found = outcomes({"labs": labs}, lines, mode="lab_only")
    >>> found[["best_response", "progression_day", "progression_by"]].values.tolist()
    [['VGPR', 90, 'serum M-protein']]
    """
    view = picture(cohort, lines, criteria(**choices))
    rows = _judged(view)
    judged = view.followed.why_not == ""
    best, best_day, response_day, complete_day = _best(view, rows)
    mrd_day, from_mrd = relapse.from_mrd_negative(view)
    days = {
        "best_response_day": best_day,
        "response_day": response_day,
        "progression_day": view.progression_day,
        "confirmed_day": view.confirmed_day,
        "complete_response_day": complete_day,
        "relapse_from_complete_response_day": relapse.from_complete_response(view, complete_day),
        "mrd_negative_day": mrd_day,
        "relapse_from_mrd_negative_day": from_mrd,
        "significant_biochemical_day": relapse.significant_biochemical(view),
    }
    result = view.frame[_KEY].assign(
        parameter=view.followed.leading,
        evaluable=judged,
        why_not=view.followed.why_not,
        samples=np.bincount(rows["row"], minlength=len(view.frame)),
        best_response=np.where(judged, best, "unknown").astype(object),
        **{name: pd.array(day, dtype="Float64").astype("Int64") for name, day in days.items()},
        progression_by=view.progression_by,
        relapse_kind=np.where(judged | (view.progression_by != ""), relapse.kinds(view), "unknown").astype(object),
    )
    return schema.check(result[schema.OUTCOMES.names], schema.OUTCOMES)


def _judged(view: Picture) -> pd.DataFrame:
    rows = depth.levels(view)
    return rows.assign(confirmed=depth.confirmed(rows, view.criteria.confirm_rule == "two_samples"))


def _best(view: Picture, rows: pd.DataFrame) -> tuple[np.ndarray, ...]:
    """Per line the best confirmed response, the day it was first reached, and the first days of PR and of CR."""
    size = len(view.frame)
    before = rows[~rows["progressed"]]
    reached = before.groupby("row")["confirmed"].max()
    best = np.full(size, -1)
    best[reached.index] = reached
    best[(best < 0) & ~np.isnan(view.progression_day)] = depth.PD
    day = np.full(size, np.nan)
    first = before[(before["confirmed"] == best[before["row"]]) & (before["confirmed"] > depth.PD)]
    first = first.drop_duplicates("row")
    day[first["row"]] = first["day"]
    at_least = []
    for level in (depth.PR, depth.CR):
        reached_first, first_day = before[before["confirmed"] >= level].drop_duplicates("row"), np.full(size, np.nan)
        first_day[reached_first["row"]] = reached_first["day"]
        at_least.append(first_day)
    words = np.where(best < 0, "unknown", depth.WORDS[best])
    return words, day, *at_least


def with_outcomes(lines: pd.DataFrame, found: pd.DataFrame, keep_stated: bool = False) -> pd.DataFrame:
    """LINES with the derived best response, days of response and progression, and kind of relapse, for the stated ones.

    Adds `followable`: the line began with a marker that could be followed, whether or not a later sample came. What is
    known at its start decides, so that an early death is not left out for want of a sample. A line without OUTCOMES
    row is not followable. `progression_origin` says where the progression comes from: with `keep_stated` one that the
    lines state ("stated") counts where it is no later than the derived one ("judged"). The arguments are not changed.

    Example
    -------
    >>> labs = pd.DataFrame({"patient_id": "a", "day": [0, 30, 60, 90, 120], "test": "serum M-protein",
    ...     "value": [4.0, 0.2, 0.2, 0.7, 0.9], "unit": "g/dL"})
    >>> lines = pd.DataFrame({"patient_id": ["a"], "line": [1], "start_day": [0]})
    >>> with_outcomes(lines, outcomes({"labs": labs}, lines, mode="lab_only"))["progression_day"].tolist()
    [90]
    """
    names = ["best_response", "response_day", "progression_day", "relapse_kind", "followable"]
    schema.check(found, schema.OUTCOMES)
    found = found.assign(followable=found["evaluable"] | (found["why_not"] == NO_LATER_SAMPLE))
    kept = lines.drop(columns=[name for name in (*names, "progression_origin") if name in lines])
    merged = kept.merge(found[[*_KEY, *names]], on=_KEY, how="left", validate="one_to_one")
    merged = merged.fillna({"best_response": "unknown", "relapse_kind": "unknown", "followable": False})
    origin = np.where(merged["progression_day"].notna(), "judged", "none").astype(object)
    merged = merged.astype({"followable": bool}).assign(progression_origin=origin)
    return _earlier_stated(merged, lines) if keep_stated else merged


def _earlier_stated(judged: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """The lines with the progression that `lines` state, where it comes no later than the judged one.

    Its kind is the stated one; where none is stated, the judged one of that day.
    """
    said = judged[_KEY].merge(lines[[*_KEY, "progression_day", "relapse_kind"]], on=_KEY, how="left")
    said.index = judged.index
    day, kind = said["progression_day"], said["relapse_kind"]
    same_day = (day == judged["progression_day"]).fillna(False)
    counts = day.notna() & ~(day > judged["progression_day"]).fillna(False)
    kind = kind.mask((kind == "unknown") & same_day, judged["relapse_kind"])
    return judged.assign(
        progression_day=judged["progression_day"].mask(counts, day),
        relapse_kind=judged["relapse_kind"].mask(counts, kind),
        progression_origin=judged["progression_origin"].mask(counts, "stated"),
    )


def evaluable(cohort: dict[str, pd.DataFrame], lines: pd.DataFrame, **choices) -> pd.DataFrame:
    """How many lines could be judged, by line number and mode, by which marker - and why could the others not?

    Returns EVALUABLE: per mode ("strict", "lab_only"), line and status (a marker, or the reason), the number of lines,
    of how many, and their share. Parameters and errors as in `assess`, without `mode`.

    Example
    -------
    >>> labs = pd.DataFrame({"patient_id": "a", "day": [0, 30], "test": "serum M-protein",
    ...     "value": [4.0, 0.2], "unit": "g/dL"})
    >>> lines = pd.DataFrame({"patient_id": ["a"], "line": [1], "start_day": [0]})
    >>> evaluable({"labs": labs}, lines)[["mode", "status", "evaluable", "share"]].values.tolist()
    [['lab_only', 'serum M-protein', True, 1.0], ['strict', 'serum M-protein', True, 1.0]]
    """
    parts = [outcomes(cohort, lines, mode=mode, **choices).assign(mode=mode) for mode in ("lab_only", "strict")]
    every = pd.concat(parts, ignore_index=True)
    status = every["why_not"].where(~every["evaluable"], every["parameter"])
    keys = ["mode", "line", "evaluable", "status"]
    counted = every.assign(status=status).groupby(keys).size().rename("count").reset_index()
    counted["of"] = counted.groupby(["mode", "line"])["count"].transform("sum")
    counted = counted.assign(share=counted["count"] / counted["of"])
    order = ["mode", "line", "evaluable", "count", "status"]
    counted = counted.sort_values(order, ascending=[True, True, False, False, True], ignore_index=True)
    return schema.check(counted[schema.EVALUABLE.names], schema.EVALUABLE)
