"""Did a line end in relapse early: within 12, 18 or 24 months of its start or of the transplant in it?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis import schema

_KEY = ["patient_id", "line"]


def early_relapse(
    cohort: dict[str, pd.DataFrame],
    lines: pd.DataFrame,
    within_months: Sequence[float] = (12, 18, 24),
) -> pd.DataFrame:
    """What came first within so many months of the start of each line, and of the first transplant in it?

    Returns EARLY_RELAPSE: relapse, death without relapse (a competing event, not "no relapse"), no relapse where the
    patient was watched to the limit, else unknown - also where a next line began first: what would have come is not
    known. A limit is 365.25 / 12 days times the months; a relapse on the last day counts.

    Parameters
    ----------
    cohort : PATIENTS and, for transplants, TREATMENTS with their lines
    lines : LINES with the progression day wanted, stated or derived
    within_months : the limits

    Source of the limits: Myeloma XI, from transplant, 12 months; S-ERMM 18 (Clin Cancer Res 27:3695); CIBMTR, from
    transplant, 24. R: no standard call.

    Example
    -------
    >>> patients = pd.DataFrame({"patient_id": ["a"], "last_contact_day": 900, "death_day": pd.array([None], "Int64")})
    >>> lines = pd.DataFrame({"patient_id": ["a"], "line": [1], "start_day": [0], "progression_day": [500]})
    >>> early_relapse({"patients": patients}, lines)["outcome"].tolist()
    ['no relapse', 'relapse', 'relapse']
    """
    frame = lines.sort_values(_KEY, ignore_index=True)
    frame["next_start"] = frame.groupby("patient_id")["start_day"].shift(-1).astype("float64")
    frame = frame.merge(cohort["patients"][["patient_id", "last_contact_day", "death_day"]], on="patient_id")
    clocks = [frame.assign(clock="line start", zero=frame["start_day"].astype("float64"))]
    if "treatments" in cohort:
        clocks.append(frame.merge(_transplants(cohort["treatments"]), on=_KEY).assign(clock="transplant"))
    every = pd.concat(clocks, ignore_index=True)
    parts = [every.assign(within_months=float(months), outcome=_outcome(every, months)) for months in within_months]
    result = pd.concat(parts, ignore_index=True).sort_values([*_KEY, "clock", "within_months"], ignore_index=True)
    return schema.check(result[schema.EARLY_RELAPSE.names], schema.EARLY_RELAPSE)


def _transplants(treatments: pd.DataFrame) -> pd.DataFrame:
    """Day of the first transplant in each line."""
    chosen = treatments[treatments["agent"].isin(["autologous transplant", "allogeneic transplant"])]
    chosen = chosen.dropna(subset=["line", "start_day"]).astype({"line": "int64"})
    return chosen.groupby(_KEY)["start_day"].min().astype("float64").rename("zero").reset_index()


def _outcome(every: pd.DataFrame, months: float) -> np.ndarray:
    limit = every["zero"] + months * schema.DAYS_PER_MONTH
    relapse, death = (every[name].astype("float64") for name in ("progression_day", "death_day"))
    watched = every["last_contact_day"].astype("float64")
    before = relapse < every["zero"]  # relapsed before the clock began: nothing can be said from there
    relapsed = (relapse <= limit) & ~(every["next_start"] < relapse)
    left = every["next_start"] < limit
    died = (death <= limit) & ~(every["next_start"] < death)
    clear = (watched >= limit) | (relapse > limit)
    choices = [before, relapsed, left, died, clear]
    words = ["unknown", "relapse", "unknown", "death", "no relapse"]
    return np.select(choices, words, "unknown").astype(object)
