"""Lines of treatment: as the source numbers them, or by rule from what was given and when.

stated.py     lines that the source numbers
rules.py      `lines_of_therapy`: the rules, their parameters and defaults
exposures.py  TREATMENTS as numbers, collapsed into eras of one agent
days.py       which eras can begin a line; what only prepares; where the line of a cell therapy begins
moments.py    the days on which something begins, one row each
stepwise.py   Rajkumar's rule and that of a window and a gap: all patients step from moment to moment at once
ohdsi.py      the OHDSI rules: regimens, then lines
assembly.py   where lines begin to rows of LINES; naming.py spells their agents
outcomes.py   progression and response from FINDINGS
agreement.py  `compare_lines`: two readings of the same treatments side by side
"""

from __future__ import annotations

import itertools

import pandas as pd

from analysis import schema, vocabulary
from analysis.derive.regimens.agreement import compare_lines
from analysis.derive.regimens.outcomes import outcomes
from analysis.derive.regimens.rules import lines_of_therapy
from analysis.derive.regimens.stated import KEY, stated_lines

__all__ = ["are_derived", "compare_lines", "lines", "lines_of_therapy", "selection", "unknown_agents"]


def lines(cohort: dict[str, pd.DataFrame], rule: str | None = None, **choices) -> pd.DataFrame:
    """Which lines of treatment did each patient have, with what, from when to when, and how did each end?

    Returns LINES, sorted by patient and line, days on the patient's own clock.

    - `rule` None: lines that the cohort already has are returned as they are. Otherwise a line is all treatment rows of
      a patient with the same stated line number; a row without a number belongs to no line. Where the source numbers
      no row at all, lines are derived by the rule "rajkumar". A cohort of ready spells has neither and gets an empty
      frame.
    - A `rule` of `lines_of_therapy`, with its `choices` (window_days, gap_days ...), derives the lines from the
      treatments whatever the source states. Documented progressions of FINDINGS count under the rule "rajkumar";
      `findings=None` among the choices leaves them out.
    - `regimen` joins the distinct agents by "+" in alphabetical order, transplants last; `classes` their classes.
    - `start_day` is the earliest known start, `end_day` the latest known day of treatment. Where PATIENTS has
      `first_treatment_day`, line 1 starts on that day; `start_imputed` is true where this differs from the records.
      A line that cannot be placed in time is left out (`selection` counts the patients).
    - `progression_day` is the first "progression" of FINDINGS that states the line, or falls after the line's start
      and up to the start of the next: a progression on the day the next line starts is the reason for it. One that
      states a line but falls on or before the day that line starts does not belong to it and is left out. The line that
      a finding states is the source's: for derived lines it is not read.
    - `best_response` is the deepest stated in the line, "unknown" where none is.
    - `maintenance` of stated lines is missing where the source does not state the phase of its treatments.
    - `start_reason` and `end_reason` say why the line began and ended.

    Raises
    ------
    analysis.schema.SchemaError
        when the given or the derived lines do not fit LINES.
    ValueError
        for a rule that does not exist, a rule without treatments to apply it to, or choices without a rule.

    Example
    -------
    >>> treatments = pd.DataFrame({"patient_id": "a", "start_day": [1, 1, 400], "end_day": [90, 90, 500], "line":
    ...     [1, 1, 2], "agent": ["lenalidomide", "bortezomib", "daratumumab"]})
    >>> lines({"treatments": treatments})[["line", "start_day", "end_day", "regimen"]].values.tolist()
    [[1, 1, 90, 'bortezomib+lenalidomide'], [2, 400, 500, 'daratumumab']]
    """
    _refuse(cohort, rule, choices)
    if rule is None and "lines" in cohort:
        given = cohort["lines"].sort_values(KEY, ignore_index=True)
        return schema.check(given, schema.LINES)
    if "treatments" not in cohort:
        return schema.empty(schema.LINES)
    findings = cohort.get("findings")
    numbered = rule is None and (_states_lines(cohort["treatments"]) or cohort["treatments"].empty)
    if numbered:
        framed = stated_lines(cohort["treatments"].dropna(subset=["line"]))
    else:
        framed = lines_of_therapy(cohort["treatments"], rule or "rajkumar", **{"findings": findings} | choices)
    framed = _with_first_treatment(framed, cohort.get("patients")).dropna(subset=["start_day"])
    framed = framed.astype({"start_day": "int64", "line": "int64"}).reset_index(drop=True)
    if findings is not None and not numbered:
        findings = findings.drop(columns="line", errors="ignore")
    for column, found in outcomes(framed, findings).items():
        framed[column] = found
    return schema.check(framed[[name for name in schema.LINES.names if name in framed]], schema.LINES)


def are_derived(cohort: dict[str, pd.DataFrame]) -> bool:
    """Does `lines` derive the lines of this cohort by rule, because the source neither has nor numbers any?

    Example
    -------
    >>> treatments = pd.DataFrame({"patient_id": ["a"], "start_day": [1], "end_day": [90], "agent": ["bortezomib"]})
    >>> are_derived({"treatments": treatments}), are_derived({"treatments": treatments.assign(line=1)})
    (True, False)
    """
    given = cohort.get("treatments")
    return "lines" not in cohort and given is not None and not given.empty and not _states_lines(given)


def _states_lines(treatments: pd.DataFrame) -> bool:
    return "line" in treatments and bool(treatments["line"].notna().any())


def _refuse(cohort: dict[str, pd.DataFrame], rule: str | None, choices: dict) -> None:
    if rule is not None and "treatments" not in cohort:
        raise ValueError(f"rule: expected treatments to apply {rule!r} to, came tables {sorted(cohort)}; leave it out")
    if rule is None and choices:
        raise ValueError(f"{', '.join(sorted(choices))}: expected together with a rule, came without; name the rule")


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
    elif "lines" not in cohort and _states_lines(cohort["treatments"]):
        steps["with a stated line of treatment"] = cohort["treatments"].dropna(subset=["line"])
    elif "lines" not in cohort:
        steps["with a treatment on record"] = cohort["treatments"]
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


def _with_first_treatment(spans: pd.DataFrame, patients: pd.DataFrame | None) -> pd.DataFrame:
    """Line 1 starts on the source's own day of first treatment, where it has one."""
    if patients is None or "first_treatment_day" not in patients:
        return spans.assign(start_imputed=False)
    # Taking the earliest dated record instead would start the clock of patients whose induction is undated at their
    # transplant, months later: time in which they could not have relapsed (immortal time).
    stated = spans["patient_id"].map(patients.set_index("patient_id")["first_treatment_day"]).astype("Int64")
    second = spans["patient_id"].map(spans[spans["line"] == 2].set_index("patient_id")["start_day"]).astype("Int64")
    in_order = (stated < second).fillna(True)  # a day after line 2 began is not the first treatment of line 1
    use = (spans["line"] == 1) & stated.notna() & in_order
    imputed = use & (spans["start_day"].isna() | (spans["start_day"] != stated).fillna(True))
    return spans.assign(start_day=spans["start_day"].mask(use, stated), start_imputed=imputed.astype(bool))
