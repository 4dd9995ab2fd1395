"""How close does a cohort come to the published figures? Each target with its band, what was achieved, and why if not.

The targets stand in `targets.csv`. Everything is computed from canonical frames as an analysis would see them;
nothing here knows how a cohort was made, so a real cohort can be held against the same figures.
`course.py` has the course over the lines, `disease.py` stage, prognosis and relapse, `basis.py` the means.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import schema
from analysis.estimate.calibration import course, disease
from analysis.estimate.calibration.basis import CannotTellError

FIGURES = {**course.FIGURES, **disease.FIGURES}
TOLERANCE = 1e-9
NO_CONTRADICTION = (
    "chance in a cohort of this size, or imperfect calibration; no contradiction among the sources is known"
)

__all__ = ["CannotTellError", "calibration", "targets"]


@cache
def _stored() -> pd.DataFrame:
    return pd.read_csv(Path(__file__).with_name("targets.csv"), keep_default_na=False, dtype={"published": float})


def targets() -> pd.DataFrame:
    """Which published figures is a cohort held against? One row each: key, target, unit, published, band, source ...

    `band_low` and `band_high` are the accepted band; where the publication prints a 95 % interval the band is that
    interval, else `grade` says how it was set. `miss` names the known contradiction that may explain a miss.

    Example
    -------
    >>> targets().loc[:1, "key"].tolist()
    ['pfs_1', 'pfs_2']
    """
    return _stored().copy()


def calibration(cohort: dict[str, pd.DataFrame], lines: pd.DataFrame, spells: pd.DataFrame) -> pd.DataFrame:
    """Does this cohort reproduce the published figures on relapse, survival, attrition, stage, response and markers?

    Parameters
    ----------
    cohort : PATIENTS and, where the cohort has them, FINDINGS and LABS under their usual keys.
    lines : LINES of the cohort.
    spells : SPELLS of the endpoint "relapse": the first of relapse, next line and death in each line.

    Returns the table CALIBRATION, one row per target, and `key`, its short name. Medians are Kaplan-Meier (months; a
    next line begun without relapse censors), attrition is crude (%), hazard ratios come from Cox models with Efron's
    ties on complete cases, those of MRD from the day of its test on. What a cohort cannot tell (no labs, too few
    events) is missing, with its reason in `note`; so is the reason of a miss. R: survfit, coxph.

    Raises
    ------
    KeyError
        when the cohort has no PATIENTS.

    Example
    -------
    >>> from analysis.schema import LINES, PATIENTS, SPELLS, empty
    >>> table = calibration({"patients": empty(PATIENTS)}, empty(LINES), empty(SPELLS))
    >>> len(table) == len(targets()), bool(table["inside"].any())
    (True, False)
    """
    achieved, reasons = {}, {}
    for figures, keys in FIGURES.items():
        try:
            achieved.update(figures(cohort, lines, spells))
        except CannotTellError as reason:
            reasons.update(dict.fromkeys(keys, f"cannot be told from this cohort: {reason}"))
    table = targets()
    table["achieved"] = table["key"].map(achieved).astype(float)
    table["inside"] = table["achieved"].between(table["band_low"] - TOLERANCE, table["band_high"] + TOLERANCE)
    unknown = table["key"].map(reasons).fillna("cannot be told from this cohort: too few patients")
    missed = table["miss"].replace("", NO_CONTRADICTION)
    note = np.where(table["inside"], "", np.where(table["achieved"].isna(), unknown, missed))
    table = table.assign(note=note.astype(object)).astype({"band_low": float, "band_high": float})
    return schema.check(table[[*schema.CALIBRATION.names, "key"]], schema.CALIBRATION)
