"""Relapses of lines: as the source states them, else judged from its marker values."""

from __future__ import annotations

import pandas as pd

from analysis.derive import response

# A visit counts as an assessment of the disease when one of these was measured.
MARKERS = ("serum M-protein", "urine M-protein", "kappa free light chain", "lambda free light chain")


def has_markers(cohort: dict[str, pd.DataFrame]) -> bool:
    """Are there values by which a relapse could be judged?

    Example
    -------
    >>> has_markers({"labs": pd.DataFrame({"test": ["haemoglobin"]})})
    False
    """
    return "labs" in cohort and bool(cohort["labs"]["test"].isin(MARKERS).any())


def stated(cohort: dict[str, pd.DataFrame]) -> bool:
    """Does the source say itself what ended its lines? Else relapse is to be judged from LABS.

    True where the endpoint is not relapse, where FINDINGS state a progression, and for ready lines or spells.

    Example
    -------
    >>> cohort = {"cohort": pd.DataFrame({"endpoint": ["relapse"]}), "findings": pd.DataFrame({"finding": ["fatigue"]})}
    >>> stated(cohort)
    False
    """
    if cohort["cohort"]["endpoint"].iloc[0] != "relapse" or "lines" in cohort or "spells" in cohort:
        return True
    return "findings" in cohort and bool((cohort["findings"]["finding"] == "progression").any())


def with_relapses(cohort: dict[str, pd.DataFrame], lines: pd.DataFrame, **choices) -> pd.DataFrame:
    """Which lines ended in relapse? LINES as they are where the source says so itself, or has no marker values.

    Otherwise best response, progression and kind of relapse are judged from LABS by the published criteria
    (`response.outcomes`, mode "lab_only" unless `choices` say otherwise), and the column `followable` says which
    lines began with a marker by which a relapse could have been seen at all.

    Example
    -------
    >>> labs = pd.DataFrame({"patient_id": "a", "day": [0, 30, 60, 90, 120], "test": "serum M-protein",
    ...     "value": [4.0, 0.2, 0.2, 0.7, 0.9], "unit": "g/dL"})
    >>> lines = pd.DataFrame({"patient_id": ["a"], "line": [1], "start_day": [0]})
    >>> cohort = {"cohort": pd.DataFrame({"endpoint": ["relapse"]}), "labs": labs}
    >>> with_relapses(cohort, lines)[["progression_day", "followable"]].values.tolist()
    [[90, True]]
    """
    if stated(cohort) or not has_markers(cohort):
        return lines
    return response.with_outcomes(lines, response.outcomes(cohort, lines, **{"mode": "lab_only", **choices}))
