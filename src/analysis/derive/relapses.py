"""Relapses of lines: as the source states them, judged from its marker values, or the earlier of both.

A source that states progressions says by its silence that there was none; one that states a few says nothing by it.
`basis` tells the two apart, `lines` makes the lines of a cohort with what ended them.
"""

from __future__ import annotations

import pandas as pd

from analysis import vocabulary
from analysis.derive import regimens, response

# A source states its progressions when it does so in at least this share of the lines that another line followed.
STATES_ITS_PROGRESSIONS = 0.5
MODE = "lab_only"


def has_markers(cohort: dict[str, pd.DataFrame]) -> bool:
    """Are there values by which a relapse could be judged?

    Example
    -------
    >>> has_markers({"labs": pd.DataFrame({"test": ["haemoglobin"]})})
    False
    """
    return "labs" in cohort and bool(cohort["labs"]["test"].isin(vocabulary.MARKERS).any())


def stated(cohort: dict[str, pd.DataFrame]) -> bool:
    """Does the source say itself what ended its lines? Only where it does not need LABS be looked at.

    True where COHORT.relapses says "stated", where the endpoint is not relapse, for ready spells and (unless
    COHORT.relapses says otherwise) ready lines, and where FINDINGS state a progression in at least half of the lines
    that another line followed. So one progression in a source that records none as a rule changes nothing.

    Example
    -------
    >>> cohort = {"cohort": pd.DataFrame({"endpoint": ["relapse"]}), "findings": pd.DataFrame({"finding": ["fatigue"]})}
    >>> stated(cohort)
    False
    """
    word = _word(cohort)
    return word == "stated" if word else share_stated(cohort) >= STATES_ITS_PROGRESSIONS


def basis(cohort: dict[str, pd.DataFrame]) -> str:
    """Where are the relapses of this cohort taken from: "stated", "judged" or "both"?

    - "stated": a line progressed where the source says so, and nowhere else.
    - "judged": FINDINGS "progression" are not read; marker values say which lines progressed (`response.outcomes`,
      mode "lab_only").
    - "both": the earlier of the two in each line.

    COHORT.relapses decides where it is given. Otherwise "stated" where `stated` holds, "judged" where no progression
    is stated at all, and in between whichever reaches further: "stated" where the share of followed lines with a
    stated progression is no less than that of treated patients with markers on two days or more, else "both".

    Example
    -------
    >>> basis({"cohort": pd.DataFrame({"endpoint": ["relapse"], "relapses": ["both"]})})
    'both'
    """
    if word := _word(cohort):
        return word
    if not _states_any(cohort):
        return "judged"
    share = share_stated(cohort)
    if share >= STATES_ITS_PROGRESSIONS:
        return "stated"
    treated = cohort["treatments"]["patient_id"].nunique() if "treatments" in cohort else 0
    followed = vocabulary.patients_followed(cohort.get("labs")) / treated if treated else 0.0
    return "stated" if share >= followed else "both"


def share_stated(cohort: dict[str, pd.DataFrame]) -> float:
    """In which share of the lines that another line followed does the source state a progression?

    Of all lines, where none was followed; 0 without lines. Lines that the source does not number are derived from its
    treatments alone, progressions left out.

    Example
    -------
    >>> share_stated({"findings": pd.DataFrame({"finding": ["fatigue"]})})
    0.0
    """
    if not _states_any(cohort):
        return 0.0
    numbered = "lines" in cohort or not regimens.are_derived(cohort)
    found = regimens.lines(cohort) if numbered else regimens.lines(cohort, "rajkumar", findings=None)
    followed = found["line"] < found.groupby("patient_id")["line"].transform("max")
    asked = found[followed] if followed.any() else found
    return float(asked["progression_day"].notna().mean()) if len(asked) else 0.0


def with_relapses(cohort: dict[str, pd.DataFrame], lines: pd.DataFrame, **choices) -> pd.DataFrame:
    """Which lines ended in relapse? LINES as they are where the source says so itself, or has no marker values.

    Otherwise best response, progression and kind of relapse are judged from LABS by the published criteria
    (`response.outcomes`, mode "lab_only" unless `choices` say otherwise); where `basis` is "both", a progression that
    the lines state counts if it is no later. `progression_origin` says whose day it is, and `followable` which lines
    began with a marker by which a relapse could have been seen at all.

    Example
    -------
    >>> labs = pd.DataFrame({"patient_id": "a", "day": [0, 30, 60, 90, 120], "test": "serum M-protein",
    ...     "value": [4.0, 0.2, 0.2, 0.7, 0.9], "unit": "g/dL"})
    >>> lines = pd.DataFrame({"patient_id": ["a"], "line": [1], "start_day": [0]})
    >>> cohort = {"cohort": pd.DataFrame({"endpoint": ["relapse"]}), "labs": labs}
    >>> with_relapses(cohort, lines)[["progression_day", "progression_origin", "followable"]].values.tolist()
    [[90, 'judged', True]]
    """
    origin = basis(cohort)
    if origin == "stated" or not has_markers(cohort):
        return lines
    return _judged(cohort, lines, origin, **choices)


def lines(cohort: dict[str, pd.DataFrame], rule: str | None = None, **choices) -> pd.DataFrame:
    """Which lines did each patient have, and which of them ended in relapse, wherever that is taken from?

    Returns LINES: `regimens.lines` with the relapses of `with_relapses`. Where relapse is judged and the rule for lines
    reads progressions ("rajkumar", unless `findings=None`), the rule learns of those judged:

    1. lines from the treatments and the progressions that the source states, if these count;
    2. the progression of each line, judged; it is documented from here on;
    3. lines again, for the patients with a newly documented one, until there is none;
    4. all lines once more, with all that is documented, and their progressions judged.

    There is no circle: what a line is up to a day does not hang on later progressions, a documented progression stays
    documented, and there are no more of them than samples.

    `rule` and `choices` as in `regimens.lines`.

    Example
    -------
    >>> values = [4.0, 0.2, 0.2, 1.4, 1.8, 0.3, 0.3]
    >>> labs = pd.DataFrame({"patient_id": "a", "day": [0, 60, 120, 400, 430, 500, 560], "test": "serum M-protein",
    ...     "value": values, "unit": "g/dL"})
    >>> treatments = pd.DataFrame({"patient_id": "a", "start_day": [0, 440], "end_day": [300, 560],
    ...     "agent": "bortezomib"})
    >>> about = pd.DataFrame({"endpoint": ["relapse"]})
    >>> found = lines({"cohort": about, "treatments": treatments, "labs": labs})
    >>> found[["line", "start_day", "progression_day", "start_reason"]].astype(object).values.tolist()
    [[1, 0, 400, 'first treatment'], [2, 440, <NA>, 'treatment after progression']]
    """
    origin = basis(cohort)
    if origin == "stated" or not has_markers(cohort):
        return regimens.lines(cohort, rule, **choices)
    given = cohort if origin == "both" else _without_progressions(cohort)
    made = regimens.lines(given, rule, **choices)
    findings = choices.pop("findings", given.get("findings", _NO_FINDINGS))
    reads_progressions = rule == "rajkumar" or (rule is None and regimens.are_derived(cohort))
    if reads_progressions and findings is not None:
        made = _settled(given, made, findings, choices)
    return _judged(given, made, origin)


_NO_FINDINGS = pd.DataFrame({"patient_id": [], "day": [], "finding": [], "value": []})
_DOCUMENTED = ["patient_id", "day"]


def _settled(cohort: dict[str, pd.DataFrame], made: pd.DataFrame, findings: pd.DataFrame, choices: dict):
    """Lines by a rule that knows the stated progressions and those judged in the lines that the earlier ones make."""
    documented = findings.loc[findings["finding"] == "progression", _DOCUMENTED].drop_duplicates()
    some, pending = cohort, made
    while len(fresh := _undocumented(some, pending, documented)):
        documented = pd.concat([documented, fresh], ignore_index=True)
        some = _only(cohort, fresh["patient_id"].unique())
        pending = regimens.lines(some, "rajkumar", **choices, findings=_as_findings(documented))
    if pending is made:
        return made
    return regimens.lines(cohort, "rajkumar", **choices, findings=_as_findings(documented))


def _undocumented(cohort: dict[str, pd.DataFrame], made: pd.DataFrame, documented: pd.DataFrame) -> pd.DataFrame:
    """Patient and day of each judged progression that nobody has documented yet."""
    found = response.outcomes(cohort, made, mode=MODE).dropna(subset=["progression_day"])
    days = found[["patient_id", "progression_day"]].set_axis(_DOCUMENTED, axis=1).drop_duplicates()
    known = pd.MultiIndex.from_frame(documented.astype({"day": "int64"}))
    return days[~pd.MultiIndex.from_frame(days.astype({"day": "int64"})).isin(known)].astype({"day": "int64"})


def _as_findings(documented: pd.DataFrame) -> pd.DataFrame:
    return documented.astype({"day": "int64"}).assign(finding="progression", value="")


def _only(cohort: dict[str, pd.DataFrame], patients: list[str]) -> dict[str, pd.DataFrame]:
    """The tables of these patients."""
    return {
        name: frame[frame["patient_id"].isin(patients)] if "patient_id" in frame else frame
        for name, frame in cohort.items()
    }


def _judged(cohort: dict[str, pd.DataFrame], made: pd.DataFrame, origin: str, **choices) -> pd.DataFrame:
    found = response.outcomes(cohort, made, **{"mode": MODE, **choices})
    return response.with_outcomes(made, found, keep_stated=origin == "both")


def _word(cohort: dict[str, pd.DataFrame]) -> str | None:
    """The basis that no count of progressions decides; None where it does."""
    about = cohort["cohort"].iloc[0]
    if about["endpoint"] != "relapse" or "spells" in cohort:
        return "stated"
    said = about.get("relapses")
    if not pd.isna(said):
        return said
    return "stated" if "lines" in cohort else None


def _states_any(cohort: dict[str, pd.DataFrame]) -> bool:
    if "lines" in cohort:
        return bool(cohort["lines"]["progression_day"].notna().any())
    return "findings" in cohort and bool((cohort["findings"]["finding"] == "progression").any())


def _without_progressions(cohort: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The same source, had it stated no progression."""
    if "findings" not in cohort:
        return cohort
    findings = cohort["findings"]
    return cohort | {"findings": findings[findings["finding"] != "progression"].reset_index(drop=True)}
