"""Lines of treatment: taken as the source states them, from its line numbers or as ready lines.

Rule-built lines (for sources that state no line numbers) will stand beside this when they come.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from analysis import schema, vocabulary

_TRANSPLANTS = ("allogeneic transplant", "autologous transplant")
_KEY = ["patient_id", "line"]


def lines(cohort: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Which lines of treatment did each patient have, with what, from when to when, and how did each end?

    Returns LINES, sorted by patient and line, days on the patient's own clock.

    - Lines that the cohort already has are returned as they are. Otherwise a line is all treatment rows of a patient
      with the same stated line number; a row without a number belongs to no line. A cohort of ready spells has neither
      and gets an empty frame.
    - `regimen` joins the distinct agents by "+" in alphabetical order, transplants last; `classes` their classes.
    - `start_day` is the earliest known start, `end_day` the latest known day of treatment. Where PATIENTS has
      `first_treatment_day`, line 1 starts on that day; `start_imputed` is true where this differs from the records.
      A line that cannot be placed in time is left out (`selection` counts the patients).
    - `progression_day` is the first "progression" of FINDINGS that states the line, or falls after the line's start
      and up to the start of the next: a progression on the day the next line starts is the reason for it. One that
      states a line but falls on or before the day that line starts does not belong to it and is left out.
    - `best_response` is the deepest stated in the line, "unknown" where none is.
    - `maintenance` is missing where the source does not state the phase of its treatments.

    Raises
    ------
    analysis.schema.SchemaError
        when the given or the derived lines do not fit LINES.
    ValueError
        when treatments are given and none states its line.

    Example
    -------
    >>> treatments = pd.DataFrame({"patient_id": "a", "start_day": [1, 1, 400], "end_day": [90, 90, 500], "line":
    ...     [1, 1, 2], "agent": ["lenalidomide", "bortezomib", "daratumumab"]})
    >>> lines({"treatments": treatments})[["line", "start_day", "end_day", "regimen"]].values.tolist()
    [[1, 1, 90, 'bortezomib+lenalidomide'], [2, 400, 500, 'daratumumab']]
    """
    if "lines" in cohort:
        given = cohort["lines"].sort_values(_KEY, ignore_index=True)
        return schema.check(given, schema.LINES)
    if "treatments" not in cohort:
        return schema.empty(schema.LINES)
    stated = cohort["treatments"].dropna(subset=["line"])
    if stated.empty and len(cohort["treatments"]):
        raise ValueError(
            f"lines: expected line numbers in TREATMENTS, came {len(cohort['treatments'])} rows without one; "
            "number the lines in the source, or bring them as a table LINES"
        )
    # Which line each row belongs to, as a number: a million patients need no second comparison of names.
    group = stated.groupby(_KEY, sort=True, observed=True).ngroup().to_numpy()
    framed = _spans(stated, group).assign(**_agents(stated, group), maintenance=_maintenance(stated, group))
    framed = _with_first_treatment(framed, cohort.get("patients")).dropna(subset=["start_day"])
    framed = framed.astype({"start_day": "int64", "line": "int64"}).reset_index(drop=True)
    for column, found in _outcomes(framed, cohort.get("findings")).items():
        framed[column] = found
    return schema.check(framed[[name for name in schema.LINES.names if name in framed]], schema.LINES)


def selection(cohort: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """How many patients are left after each step from the source to the lines? Returns FLOW.

    Example
    -------
    >>> patients = pd.DataFrame({"patient_id": ["a", "b"]})
    >>> treatments = pd.DataFrame({"patient_id": ["a"], "start_day": [1], "end_day": [90], "line": [1],
    ...     "agent": ["bortezomib"]})
    >>> selection({"patients": patients, "treatments": treatments})["remaining"].tolist()
    [2, 1, 1]
    """
    steps = {"all patients of the source": cohort["patients"]}
    if "spells" in cohort:
        steps["with a spell on a line of treatment"] = cohort["spells"]
    elif "lines" not in cohort:
        steps["with a stated line of treatment"] = cohort["treatments"].dropna(subset=["line"])
    if "spells" not in cohort:
        steps["with a line whose start is known"] = lines(cohort)
    remaining = [frame["patient_id"].nunique() for frame in steps.values()]
    removed = [0, *(before - after for before, after in itertools.pairwise(remaining))]
    order = range(1, len(steps) + 1)
    flow = pd.DataFrame({"step": order, "rule": list(steps), "removed": removed, "remaining": remaining})
    return schema.check(flow, schema.FLOW)


def unknown_agents(cohort: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Which agents does the vocabulary not know, and how many patients had each? Returns AGENTS, most frequent first.

    Example
    -------
    >>> treatments = pd.DataFrame({"patient_id": ["a", "a", "b"], "agent": ["bortezomib", "elixir", "elixir"]})
    >>> unknown_agents({"treatments": treatments}).values.tolist()
    [['elixir', 2.0]]
    """
    if "treatments" not in cohort:
        return schema.empty(schema.AGENTS)
    treated = cohort["treatments"][["patient_id", "agent"]].drop_duplicates()
    unknown = treated[vocabulary.drug_classes(treated["agent"]).to_numpy() == "unknown"]
    counted = unknown.groupby("agent")["patient_id"].nunique().astype(float).rename("patients").reset_index()
    counted = counted.sort_values(["patients", "agent"], ascending=[False, True], ignore_index=True)
    return schema.check(counted, schema.AGENTS)


def _spans(stated: pd.DataFrame, group: np.ndarray) -> pd.DataFrame:
    """Patient, line, first known start and last known day of each group, in the order of the groups."""
    days = stated[["start_day", "end_day"]].astype("float64")
    first_row = np.unique(group, return_index=True)[1]
    return (
        stated[_KEY]
        .iloc[first_row]
        .reset_index(drop=True)
        .assign(
            start_day=days["start_day"].groupby(group).min().astype("Int64"),
            end_day=days.max(axis=1).groupby(group).max().astype("Int64"),
        )
    )


def _with_first_treatment(spans: pd.DataFrame, patients: pd.DataFrame | None) -> pd.DataFrame:
    """Line 1 starts on the source's own day of first treatment, where it has one."""
    if patients is None or "first_treatment_day" not in patients:
        return spans.assign(start_imputed=False)
    # Taking the earliest dated record instead would start the clock of patients whose induction is undated at their
    # transplant, months later: time in which they could not have relapsed (immortal time).
    stated = spans["patient_id"].map(patients.set_index("patient_id")["first_treatment_day"]).astype("Int64")
    use = (spans["line"] == 1) & stated.notna()
    imputed = use & (spans["start_day"].isna() | (spans["start_day"] != stated).fillna(True))
    return spans.assign(start_day=spans["start_day"].mask(use, stated), start_imputed=imputed.astype(bool))


def _agents(stated: pd.DataFrame, group: np.ndarray) -> dict[str, np.ndarray]:
    """Regimen, classes and transplant flag of each group."""
    agents = pd.DataFrame({"agent": stated["agent"].unique()})
    agents["drug_class"] = vocabulary.drug_classes(agents["agent"]).to_numpy()
    agents["is_transplant"] = agents["drug_class"].isin(_TRANSPLANTS)
    agents = agents.sort_values(["is_transplant", "agent"], ignore_index=True)
    classes = agents.drop_duplicates("drug_class").sort_values(["is_transplant", "drug_class"])["drug_class"].tolist()
    agent_code = stated["agent"].map(pd.Series(agents.index, index=agents["agent"])).to_numpy(dtype=int)
    class_code = agents["drug_class"].map(pd.Series(range(len(classes)), index=classes)).to_numpy(dtype=int)
    transplant = pd.Series(agents["is_transplant"].to_numpy()[agent_code]).groupby(group).any()
    return {
        "regimen": _joined(group, agent_code, agents["agent"].tolist()),
        "classes": _joined(group, class_code[agent_code], classes),
        "transplant": transplant.to_numpy(bool),
    }


def _joined(group: np.ndarray, code: np.ndarray, words: list[str]) -> np.ndarray:
    """The distinct words of each group, joined by "+" in the order of `words`."""
    distinct = np.unique(group * len(words) + code)
    starts = np.unique(distinct // len(words), return_index=True)[1]
    ends = np.append(starts, len(distinct))[1:]
    spelled = np.array(words, dtype=object)[distinct % len(words)].tolist()
    known: dict[str, str] = {}  # one string per regimen, not one per patient
    texts = ("+".join(spelled[start:end]) for start, end in zip(starts, ends, strict=True))
    return np.array([known.setdefault(text, text) for text in texts], dtype=object)


def _maintenance(stated: pd.DataFrame, group: np.ndarray) -> pd.Series:
    """True when a row of the group is maintenance, false when every phase is stated and none is, else missing."""
    if "phase" not in stated:
        return pd.Series(pd.NA, index=np.unique(group), dtype="boolean")
    yes = pd.Series((stated["phase"] == "maintenance").to_numpy()).groupby(group).any()
    unclear = pd.Series((stated["phase"] == "unknown").to_numpy()).groupby(group).any()
    return yes.astype("boolean").mask(~yes & unclear)


def _outcomes(framed: pd.DataFrame, findings: pd.DataFrame | None) -> dict[str, pd.Series]:
    """Progression day, kind of relapse and best response, each on the index of the lines."""
    nothing = pd.Series(pd.NA, index=framed.index)
    if findings is None:
        unknown = nothing.astype(object).fillna("unknown")
        return {
            "progression_day": nothing.astype("Int64"),
            "relapse_kind": unknown.replace("unknown", "none"),
            "best_response": unknown,
        }
    progressions = _placed(findings[findings["finding"] == "progression"], framed).merge(
        framed[[*_KEY, "start_day"]], on=_KEY
    )
    progressions = progressions[progressions["day"] > progressions["start_day"]]
    first = framed[_KEY].merge(progressions.drop_duplicates(_KEY), on=_KEY, how="left")
    kind = first["value"].where(first["value"].isin(["biochemical", "clinical"]), "unknown")
    responses = _placed(findings[findings["finding"] == "best response"], framed)
    depth = responses["value"].map({word: rank for rank, word in enumerate(schema.LINES["best_response"].words)})
    deepest = responses.assign(depth=depth).sort_values("depth", kind="stable").drop_duplicates(_KEY)
    response = framed[_KEY].merge(deepest, on=_KEY, how="left")["value"].fillna("unknown")
    return {
        "progression_day": first["day"].astype("Int64"),
        "relapse_kind": kind.where(first["day"].notna(), "none").astype(object),
        "best_response": response.astype(object),
    }


def _placed(findings: pd.DataFrame, framed: pd.DataFrame) -> pd.DataFrame:
    """Each finding with its line - the stated one, else the last that started before its day - in order of days."""
    placed = findings[["patient_id", "day", "value"]].assign(
        day=findings["day"].astype("int64"),
        stated=findings["line"].astype("Int64") if "line" in findings else pd.Series(pd.NA, findings.index, "Int64"),
    )
    starts = framed[["patient_id", "start_day", "line"]].sort_values("start_day", kind="stable")
    placed = pd.merge_asof(
        placed.sort_values("day", kind="stable"),
        starts,
        left_on="day",
        right_on="start_day",
        by="patient_id",
        allow_exact_matches=False,
    )
    placed["line"] = placed["stated"].fillna(placed["line"].astype("Int64"))
    return placed.dropna(subset=["line"]).astype({"line": "int64"})[["patient_id", "day", "value", "line"]]
