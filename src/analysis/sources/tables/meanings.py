"""What the words and numbers mean: agents, tests, units, findings and ages in the house's own spelling."""

from __future__ import annotations

import pandas as pd

from analysis import schema, vocabulary
from analysis.sources.parsing import fault, faults_at

_SYMPTOMS = (
    "bone pain", "fatigue", "hyperviscosity", "infection", "lesion growth", "new bone lesion", "new lesion",
    "new plasmacytoma", "renal impairment",
)  # fmt: skip
_SIGNS = ("negative", "positive")
_RESULTS = {
    "progression": ("biochemical", "clinical", ""),
    "best response": schema.LINES["best_response"].words,
    "MRD": _SIGNS,
    "serum immunofixation": _SIGNS,
    "urine immunofixation": _SIGNS,
    "clonal marrow cells": _SIGNS,
    "plasmacytoma shrinkage percent": tuple(map(str, range(101))),
}
_OPEN = ("plasmacytoma", "cause of death")  # findings whose value may be any word: a place, a cause
# "negative 1e-5", "neg (10^-5)", "MRD-negative at 10-6": the result, then how few cells the test would have found.
_MRD_RESULT = r"(?:mrd[\s:_-]*)?(?P<sign>neg|pos)(?:ative|itive)?\.?"
_MRD_DEPTH = (
    r"[\s,;:(]*(?:at|by|to|with|sensitivity|<|≤|=|\s)*"
    r"(?:1\s*[x*·]\s*)?(?:1e|10\s*\^?)\s*[-−–]\s*0?(?P<depth>[1-9])\s*\)?"
)
_KEPT = "or add it to src/analysis/vocabulary/drugs.csv; kept with class 'unknown'"
OLDEST_SHOWN = 89
Found = tuple[pd.DataFrame, list[pd.DataFrame]]


def patients(frame: pd.DataFrame, file: str) -> Found:
    """Ages over 89 become 90; last contact of the dead is the day of death."""
    faults = []
    if "age_years" in frame:
        old = (frame["age_years"] > OLDEST_SHOWN) & (frame["age_years"] != OLDEST_SHOWN + 1)
        if old.any():
            expected = f"ages up to {OLDEST_SHOWN} ({old.sum():,} older)"
            faults.append(
                fault(file, expected, "kept as 90, so that nobody is found by age", "age_years", severity="warning")
            )
        frame = frame.assign(age_years=frame["age_years"].mask(frame["age_years"] > OLDEST_SHOWN, OLDEST_SHOWN + 1.0))
    dead, last = frame["death_day"].notna(), frame["last_contact_day"]
    early = (last < frame["death_day"]).fillna(False).astype(bool)
    if early.any():
        expected = f"the day of death as last contact of the dead ({early.sum():,} earlier)"
        faults.append(fault(file, expected, "taken from death_day", "last_contact_day", severity="warning"))
    return frame.assign(last_contact_day=last.mask(dead & (early | last.isna()), frame["death_day"])), faults


def treatments(frame: pd.DataFrame, file: str) -> Found:
    """Agents in their canonical spelling; the unknown are kept, listed and counted."""
    unknown = frame["agent"].notna() & ~vocabulary.is_known_agent(frame["agent"])
    mend = f"correct the spelling, give one agent per row, {_KEPT}"
    faults = _unknown(frame.loc[unknown, "agent"], "agent", "an agent of the vocabulary", mend, file)
    return frame.assign(agent=vocabulary.canonical_agents(frame["agent"])), faults


def lines(frame: pd.DataFrame, file: str) -> Found:
    """Regimens as they came; agents in them that are unknown are listed and counted."""
    agents = frame["regimen"].dropna().astype(object).str.split("+").explode().str.strip()
    unknown = agents[~vocabulary.is_known_agent(agents) & ~agents.isin(["unknown", ""])]
    mend = f"correct the spelling, join agents by +, {_KEPT}"
    return frame, _unknown(unknown, "regimen", "agents of the vocabulary", mend, file)


def labs(frame: pd.DataFrame, file: str) -> Found:
    """Tests and units in canonical form; a missing or unknown unit of a known test is an error, never a guess."""
    converted = vocabulary.to_canonical_units(frame, unknown="missing")
    known = converted["test"].isin(vocabulary.tests()["test"])
    refused = known & converted["unit"].isna()
    faults = []
    for test, group in converted[refused].groupby("test"):
        came, expected = frame.loc[refused, "unit"].loc[group.index], f"one of {vocabulary.units_of(test)} for {test}"
        faults.append(faults_at(file, "unit", group.index, came, expected, "state the unit; it is never guessed"))
    mend = "correct the spelling, or add it to tests.csv; kept with its own unit"
    strangers = converted.loc[~known & converted["test"].notna(), "test"]
    faults += _unknown(strangers, "test", "a test of the vocabulary", mend, file)
    return converted.assign(unit=converted["unit"].where(known | converted["unit"].notna(), "")), faults


def findings(frame: pd.DataFrame, file: str) -> Found:
    """Findings in the house's spelling; the value of a progression, response or MRD must be one of its words."""
    spelling = {word.casefold(): word for word in (*_RESULTS, *_SYMPTOMS, *_OPEN)}
    folded = frame["finding"].astype("str").str.casefold().map(spelling).astype(object)
    mend = "correct the spelling where it is one of ours; kept as it is"
    expected = f"one of {[*_RESULTS, *_SYMPTOMS, *_OPEN]}"
    faults = _unknown(frame.loc[folded.isna() & frame["finding"].notna(), "finding"], "finding", expected, mend, file)
    value = frame["value"].fillna("")
    for finding, words in _RESULTS.items():
        rows = folded == finding
        exact = value[rows].str.strip().str.casefold().map({word.casefold(): word for word in words})
        asked, mend = f"one of {list(words)} for {finding}", "use one of them"
        if finding == "MRD":
            exact = exact.where(exact.notna(), _mrd(value[rows]))
            mend = "use one of them, its sensitivity behind it if known: negative 1e-5"
        if len(words) > 100:
            asked = f"a whole number from 0 to 100 for {finding}"
        wrong = exact.index[exact.isna()]
        faults.append(faults_at(file, "value", wrong, value[wrong], asked, mend))
        value = value.mask(rows, exact.reindex(value.index))
    return frame.assign(finding=folded.fillna(frame["finding"]), value=value), faults


def _mrd(results: pd.Series) -> pd.Series:
    """Results of MRD as "negative", or "negative 1e-5" where the sensitivity is stated; missing where not understood.

    Example
    -------
    >>> _mrd(pd.Series(["neg (10^-5)", "MRD-negative at 10-6", "Positive", "negative-ish"])).tolist()
    ['negative 1e-5', 'negative 1e-6', 'positive', nan]
    """
    found = results.astype(object).str.strip().str.casefold().str.extract(f"^{_MRD_RESULT}(?:{_MRD_DEPTH})?$")
    sign = found["sign"].map({"neg": "negative", "pos": "positive"})
    return (sign + (" 1e-" + found["depth"]).fillna("")).astype(object)


def _unknown(strangers: pd.Series, column: str, expected: str, mend: str, file: str) -> list[pd.DataFrame]:
    """One warning per distinct unknown word, on the line where it first stands, with the number of rows."""
    if not len(strangers):
        return []
    rows = strangers.groupby(strangers.to_numpy(), sort=False)
    first = strangers.drop_duplicates()
    return [
        fault(file, f"{expected} ({count:,} row(s))", mend, column, word, line, "warning")
        for line, word, count in zip(first.index, first, rows.size().reindex(first), strict=True)
    ]
