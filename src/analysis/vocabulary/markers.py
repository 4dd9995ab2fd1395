"""The markers by which the disease is followed, and in how many patients a source has enough of them."""

from __future__ import annotations

import pandas as pd

# A visit counts as an assessment of the disease when one of these was measured.
MARKERS = ("serum M-protein", "urine M-protein", "kappa free light chain", "lambda free light chain")


def patients_followed(labs: pd.DataFrame | None) -> int:
    """In how many patients was a marker measured on two days or more, the least that can show a rise?

    Parameters
    ----------
    labs : LABS, or None where there are none

    Example
    -------
    >>> labs = pd.DataFrame({"patient_id": list("aabb"), "day": [0, 30, 7, 7], "test": MARKERS})
    >>> patients_followed(labs)
    1
    """
    if labs is None:
        return 0
    drawn = labs.loc[labs["test"].isin(MARKERS), ["patient_id", "day"]]
    days = drawn.groupby("patient_id", observed=True)["day"]
    return int((days.min() < days.max()).sum())
