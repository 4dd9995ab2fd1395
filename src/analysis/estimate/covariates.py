"""Which covariates known at the start of a line can enter a model of this cohort, and in what form?"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

from analysis.schema import DAYS_PER_YEAR, PATIENTS, SPELLS, TERMS, check

# In the order in which they are kept when events are too few for all: stage and cytogenetics speak to the disease.
CANDIDATES = {
    "iss": "iss",
    "age_years": "I(age_years / 10)",
    "del17p": "del17p",
    "t4_14": "t4_14",
    "gain_1q": "gain_1q",
    "sex": "sex",
    "t14_16": "t14_16",
    "ldh_high": "ldh_high",
    "egfr_below_50": "egfr_below_50",
    "fitness": "fitness",
}
# What earlier lines had shown by the day a later line began.
HISTORY = {
    "short_previous_line": "short_previous_line",
    "deep_previous_response": "deep_previous_response",
    "refractory_pi": "refractory_pi",
    "refractory_imid": "refractory_imid",
    "refractory_anti_cd38": "refractory_anti_cd38",
}
_DEEP = ("sCR", "CR", "VGPR")
_ORDER = {column.name: column.words for column in (*PATIENTS.columns, *SPELLS.columns) if column.words}
LEAST_KNOWN = 0.5  # of the spells; a covariate known for fewer says more of who was tested than of the disease


def prepared(spells: pd.DataFrame) -> pd.DataFrame:
    """The spells with covariates as a model takes them: "unknown" is missing, flags are 0 and 1, words have an order.

    The first word in the order of the schema is the reference of its factor: stage I, the fit.

    `egfr_below_50` is made of `egfr_ml_min`, in which the published effects are told.

    Example
    -------
    >>> prepared(pd.DataFrame({"iss": ["II", "unknown"], "egfr_ml_min": [44.0, 80.0]})).values.tolist()
    [['II', 44.0, 1.0], [nan, 80.0, 0.0]]
    """
    frame = spells.copy()
    if "egfr_ml_min" in frame and "egfr_below_50" not in frame:
        egfr = frame["egfr_ml_min"].astype(float)
        frame["egfr_below_50"] = (egfr < 50).astype(float).where(egfr.notna())
    for name in CANDIDATES:
        if name not in frame:
            continue
        if pd.api.types.is_bool_dtype(frame[name].dtype):
            frame[name] = frame[name].astype(float)
        elif not pd.api.types.is_numeric_dtype(frame[name].dtype):
            words = frame[name].astype(object)
            seen = [word for word in _ORDER.get(name, sorted(words.dropna().unique())) if (words == word).any()]
            frame[name] = pd.Categorical(words, [word for word in seen if word != "unknown"])
    return frame


def with_history(spells: pd.DataFrame, predictors: pd.DataFrame) -> pd.DataFrame:
    """The spells with what earlier lines had shown: HISTORY as flags, each known on the day the line began.

    A previous line is short where the next one began within a year of its start; its response deep from VGPR on;
    `predictors` is PREDICTORS of the same patients and lines. A first line has no history: all flags are missing.

    Example
    -------
    >>> spells = pd.DataFrame({"patient_id": ["a"], "line": [2]})
    >>> known = spells.assign(previous_days_to_next_line=200.0, previous_response="CR", refractory_pi=True)
    >>> with_history(spells, known).iloc[0].astype(str).tolist()
    ['a', '2', '1.0', '1.0', '1.0']
    """
    found = predictors[["patient_id", "line"]].copy()
    if "previous_days_to_next_line" in predictors:
        days = predictors["previous_days_to_next_line"].astype(float)
        found["short_previous_line"] = (days < DAYS_PER_YEAR).astype(float).where(days.notna())
    if "previous_response" in predictors:
        word = predictors["previous_response"]
        found["deep_previous_response"] = word.isin(_DEEP).astype(float).where(word != "unknown")
    for name in HISTORY:
        if name.startswith("refractory") and name in predictors:
            found[name] = predictors[name].astype(float)
    flags = [name for name in HISTORY if name in found]
    found.loc[found["line"] == 1, flags] = float("nan")
    return spells.merge(found, on=["patient_id", "line"], how="left", validate="one_to_one")


def terms(
    spells: pd.DataFrame,
    events: int,
    minimum_patients: int = 50,
    events_per_term: float = 10,
    candidates: Mapping[str, str] = MappingProxyType(CANDIDATES),
) -> pd.DataFrame:
    """Which of the known covariates enter the models? Table TERMS, in the order of the candidates.

    Left out, with the reason: what the cohort lacks, what is the same for all or known for fewer than half of the
    spells, a level with fewer than `minimum_patients`, and, in the order of the list, what would leave fewer than
    `events_per_term` events for each column of the model (Peduzzi et al. 1995; `events` is the number of the rarer
    event that is modelled).

    Example
    -------
    >>> spells = prepared(pd.DataFrame({"age_years": [60.0, 70, 80], "sex": ["male", "male", "male"]}))
    >>> terms(spells, events=30, minimum_patients=1)[["term", "used"]].head(2).values.tolist()
    [['iss', False], ['age_years', True]]
    """
    rows, room = [], int(events // events_per_term)
    for name, formula in candidates.items():
        columns, known, smallest, note = _looked_at(spells, name, minimum_patients)
        if not note and columns > room:
            note = f"fewer than {events_per_term:g} events for each column of the model"
        room -= 0 if note else columns
        rows.append((name, formula, not note, _reference(spells, name), columns, float(known), smallest, note))
    return check(pd.DataFrame(rows, columns=TERMS.names), TERMS)


def formula(terms: pd.DataFrame, without: tuple[str, ...] = ()) -> str:
    """The terms in use as a formula; "1" when there is none."""
    used = terms[terms["used"] & ~terms["term"].isin(without)]
    return " + ".join(used["formula"]) or "1"


def complete(spells: pd.DataFrame, terms: pd.DataFrame) -> pd.DataFrame:
    """The spells that know every covariate in use: complete cases, so that all models have the same patients."""
    used = terms.loc[terms["used"], "term"].tolist()
    return spells.dropna(subset=used).reset_index(drop=True)


def _looked_at(spells: pd.DataFrame, name: str, minimum_patients: int) -> tuple[int, int, float, str]:
    """Columns that it makes, spells that know it, its smallest level, and why it cannot enter."""
    if name not in spells:
        return 0, 0, float("nan"), "not in this cohort"
    known = spells[name].dropna()
    if len(known) < LEAST_KNOWN * len(spells):
        return 0, len(known), float("nan"), "known for fewer than half"
    levels = known.value_counts()
    if len(levels) < 2:
        return 0, len(known), float("nan"), "the same for all"
    number = pd.api.types.is_numeric_dtype(known.dtype) and len(levels) > 2
    if number:
        return 1, len(known), float("nan"), ""
    smallest = float(levels.min())
    few = f"fewer than {minimum_patients} in a level" if smallest < minimum_patients else ""
    return len(levels) - 1, len(known), smallest, few


def _reference(spells: pd.DataFrame, name: str) -> str:
    if name not in spells or pd.api.types.is_numeric_dtype(spells[name].dtype):
        return ""
    levels = spells[name].cat.categories if isinstance(spells[name].dtype, pd.CategoricalDtype) else spells[name]
    return str(min(levels.dropna(), default="")) if levels is spells[name] else str(next(iter(levels), ""))
