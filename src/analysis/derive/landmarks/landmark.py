"""From a landmark on: only those still at risk on a fixed day, by what was known of them then."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import schema
from analysis.derive.landmarks.records import LEVELS, check_spells, on_file, records, with_words

_REMOVED_BY = {
    "relapse": "relapse up to day {day:g}",
    "next_line": "next line begun up to day {day:g}",
    "death": "death up to day {day:g}",
    "censored": "not observed beyond day {day:g}",
}


def at_landmark(
    cohort: dict[str, pd.DataFrame],
    lines: pd.DataFrame,
    spells: pd.DataFrame,
    landmark_days: float,
    mrd_sensitivity: float = 1e-5,
    assessments: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Who was still free of any event, and watched, at the landmark, and what was known of them by then?

    Returns LANDMARK_SPELLS and FLOW. Entry and time count from the landmark (`landmark_days` after time zero); an
    event or a last contact on the day of the landmark itself is before it. Beside the columns of the spells:

    - `response`: the deepest known by the landmark: confirmed responses that the markers show, each known from the day
      of the confirming sample on; of a source without markers FINDINGS "best response" on its own day. Never
      `best_response` of LINES, which has seen the whole line.
    - `mrd`: the last test by then; of a positive and a negative one of the same day the positive. A negative test with
      a stated sensitivity coarser than `mrd_sensitivity` counts as no test.
    - `transplanted`, `maintained`: begun by then in this line; missing where the source keeps no such records.

    Without such records everybody is "unknown" and "not tested": there is nothing to compare, and the page says so.
    The result holds for those who reach the landmark, and depends on where it lies: run two.

    FLOW counts rows of the spells (patients, where each has one line; its first rule says which) lost to each event,
    to the end of observation, and to an entry after the landmark; an event that never occurs has no row.

    Sources: Anderson, Cain and Gelber, J Clin Oncol 1983;1:710; van Houwelingen, Scand J Stat 2007;34:70.
    R: `subset(spells, time > landmark & entry <= landmark)`, then `Surv(time - landmark, event)`.

    Parameters
    ----------
    cohort : FINDINGS, TREATMENTS, LABS as far as there are any
    lines : LINES, for the days on which the lines begin
    spells : SPELLS of these lines, times in days
    landmark_days : days after time zero
    assessments : ASSESSMENTS of `response.assess`, where they are at hand; else they are made from LABS each time

    Raises
    ------
    ValueError
        for a landmark that is not a finite number above 0.
    analysis.schema.SchemaError
        for spells that do not fit SPELLS, or that have a column of these names already.

    Example
    -------
    >>> lines = pd.DataFrame({"patient_id": ["a", "b"], "line": 1, "start_day": 0})
    >>> spells = pd.DataFrame({"patient_id": ["a", "b"], "line": 1, "entry": 0, "time": [400, 90], "event": "relapse"})
    >>> findings = pd.DataFrame({"patient_id": ["a"], "day": [150], "finding": ["MRD"], "value": ["negative"]})
    >>> kept, flow = at_landmark({"findings": findings}, lines, spells, 180)
    >>> kept[["patient_id", "time", "mrd"]].astype(object).values.tolist(), flow["removed"].tolist()
    ([['a', 220.0, 'negative']], [0, 1, 0, 0])
    """
    if not np.isfinite(landmark_days) or landmark_days <= 0:
        raise ValueError(f"landmark_days: expected a number of days above 0, came {landmark_days!r}")
    check_spells(spells)
    known = records(cohort, lines, spells, mrd_sensitivity, assessments)
    codes = _by_then(known[known["since"] <= landmark_days], len(spells))
    # An event that the source does not know is not spoken of.
    words = [word for word in _REMOVED_BY if word == "censored" or (spells["event"] == word).any()]
    early = {word: (spells["event"] == word) & (spells["time"] <= landmark_days) for word in words}
    rules = {_REMOVED_BY[word].format(day=landmark_days): gone.to_numpy() for word, gone in early.items()}
    past = (spells["time"] > landmark_days).to_numpy()
    late = past & (spells["entry"] > landmark_days).to_numpy()
    rules[f"under observation only after day {landmark_days:g}"] = late
    left = past & ~late
    kept = spells[left].reset_index(drop=True)
    kept = with_words(kept, {kind: code[left] for kind, code in codes.items()}, on_file(cohort))
    moved = kept.assign(entry=0.0, time=kept["time"] - float(landmark_days), landmark_days=float(landmark_days))
    return schema.check(moved, schema.LANDMARK_SPELLS), _flow(spells, rules)


def _by_then(known: pd.DataFrame, size: int) -> dict[str, np.ndarray]:
    """Per spell the code of what was known: the deepest response, the last test, whether a treatment had begun."""
    unknown = {"response": len(LEVELS["response"]) - 1, "mrd": len(LEVELS["mrd"]) - 1}
    codes = {kind: np.full(size, unknown.get(kind, 0)) for kind in ("response", "mrd", "transplanted", "maintained")}
    for kind, rows in known.groupby("kind"):
        # Of two tests of one day the positive one, whose code is 0, stands last.
        order = ["level"] if kind == "response" else ["since", "level"]
        last = rows.sort_values(order, ascending=[True, False][: len(order)]).drop_duplicates("spell", keep="last")
        codes[kind][last["spell"]] = last["level"]
    return codes


def _flow(spells: pd.DataFrame, rules: dict[str, np.ndarray]) -> pd.DataFrame:
    unit = "lines of treatment" if spells["patient_id"].duplicated().any() else "patients"
    removed = np.array([0, *(int(gone.sum()) for gone in rules.values())])
    flow = pd.DataFrame(
        {
            "step": range(1, len(removed) + 1),
            "rule": [f"all {unit} with a spell", *rules],
            "removed": removed,
            "remaining": len(spells) - removed.cumsum(),
        }
    )
    return schema.check(flow, schema.FLOW)
