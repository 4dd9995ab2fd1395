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
      with the same stated line number; a row without a number belongs to no line.
    - `regimen` joins the distinct agents by "+" in alphabetical order, transplants last; `classes` their classes.
    - `start_day` is the earliest known start, `end_day` the latest known day of treatment. Where PATIENTS has
      `first_treatment_day`, line 1 starts on that day; `start_imputed` is true where this differs from the records.
      A line that cannot be placed in time is left out (`selection` counts the patients).
    - `progression_day` is the first "progression" of FINDINGS that states the line, or falls after the line's start
      and up to the start of the next: a progression on the day the next line starts is the reason for it.
    - `best_response` is the deepest stated in the line, "unknown" where none is.
    - `maintenance` is missing where the source does not state the phase of its treatments.

    Raises
    ------
    analysis.schema.SchemaError
        when the given or the derived lines do not fit LINES.

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
    stated = cohort["treatments"].dropna(subset=["line"])
    framed = _with_first_treatment(_spans(stated), cohort.get("patients"))
    framed = framed.dropna(subset=["start_day"]).astype({"start_day": "int64", "line": "int64"})
    framed = framed.sort_values(_KEY, ignore_index=True)
    framed = framed.merge(_agents(stated), on=_KEY, how="left", validate="one_to_one")
    framed["maintenance"] = _maintenance(stated, framed)
    for column, found in _outcomes(framed, cohort.get("findings")).items():
        framed[column] = found
    return schema.check(framed[schema.LINES.names], schema.LINES)


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
    everyone = cohort["patients"]["patient_id"].nunique()
    placed = lines(cohort)["patient_id"].nunique()
    given = cohort["lines"] if "lines" in cohort else cohort["treatments"].dropna(subset=["line"])
    remaining = [everyone, given["patient_id"].nunique(), placed]
    rules = ["all patients of the source", "with a stated line of treatment", "with a line whose start is known"]
    removed = [0, *(before - after for before, after in itertools.pairwise(remaining))]
    flow = pd.DataFrame({"step": [1, 2, 3], "rule": rules, "removed": removed, "remaining": remaining})
    return schema.check(flow, schema.FLOW)


def _spans(stated: pd.DataFrame) -> pd.DataFrame:
    """First known start and last known day per patient and line."""
    days = stated[[*_KEY, "start_day"]].assign(last_day=stated[["start_day", "end_day"]].astype("Float64").max(axis=1))
    spans = days.groupby(_KEY, sort=True).agg(start_day=("start_day", "min"), end_day=("last_day", "max"))
    return spans.astype("Int64").reset_index()


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


def _agents(stated: pd.DataFrame) -> pd.DataFrame:
    """Regimen, classes and transplant flag per patient and line."""
    agents = pd.DataFrame({"agent": stated["agent"].unique()})
    agents["drug_class"] = vocabulary.drug_classes(agents["agent"]).to_numpy()
    agents["is_transplant"] = agents["drug_class"].isin(_TRANSPLANTS)
    agents = agents.sort_values(["is_transplant", "agent"], ignore_index=True)
    classes = agents.drop_duplicates("drug_class").sort_values(["is_transplant", "drug_class"])["drug_class"]
    code = stated[_KEY].assign(
        agent=stated["agent"].map(pd.Series(agents.index, index=agents["agent"])),
        drug_class=stated["agent"].map(agents.set_index("agent")["drug_class"]),
    )
    code["drug_class"] = code["drug_class"].map(pd.Series(range(len(classes)), index=classes))
    regimen = _joined(code, "agent", agents["agent"].tolist())
    joined = regimen.merge(_joined(code, "drug_class", classes.tolist()), on=_KEY, validate="one_to_one")
    joined = joined.rename(columns={"agent": "regimen", "drug_class": "classes"})
    return joined.assign(transplant=joined["classes"].str.contains("|".join(_TRANSPLANTS)).astype(bool))


def _joined(code: pd.DataFrame, column: str, words: list[str]) -> pd.DataFrame:
    """The distinct words of each patient and line, joined by "+" in the order of `words`."""
    distinct = code[[*_KEY, column]].drop_duplicates().sort_values([*_KEY, column], ignore_index=True)
    starts = np.flatnonzero(~distinct.duplicated(_KEY).to_numpy())
    ends = np.append(starts[1:], len(distinct))
    spelled = np.array(words, dtype=object)[distinct[column].to_numpy(dtype=int)].tolist()
    known: dict[str, str] = {}  # one string per regimen, not one per patient: a million patients fit
    texts = ["+".join(spelled[start:end]) for start, end in zip(starts, ends, strict=True)]
    return distinct.loc[starts, _KEY].assign(**{column: [known.setdefault(text, text) for text in texts]})


def _maintenance(stated: pd.DataFrame, framed: pd.DataFrame) -> pd.Series:
    """True when a row of the line is maintenance, false when every phase is stated and none is, else missing."""
    if "phase" not in stated:
        return pd.Series(pd.NA, index=framed.index, dtype="boolean")
    phases = stated[_KEY].assign(yes=stated["phase"] == "maintenance", unclear=stated["phase"].isin(["unknown"]))
    found = framed[_KEY].merge(phases.groupby(_KEY)[["yes", "unclear"]].any().reset_index(), on=_KEY, how="left")
    maintenance = found["yes"].astype("boolean")
    return maintenance.mask(~found["yes"].astype(bool) & found["unclear"].astype(bool))


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
    progressions = _placed(findings[findings["finding"] == "progression"], framed)
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
