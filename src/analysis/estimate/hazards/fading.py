"""Does a risk factor fade in later lines? Ratios of hazard ratios per further line."""

from __future__ import annotations

import pandas as pd

from analysis.estimate.hazards.models import effects
from analysis.estimate.hazards.recurrent import fit_pwp_gap_time
from analysis.schema import SchemaError

FURTHER = "further_line"


def fading(
    spells: pd.DataFrame,
    terms: str,
    cause: str | list[str],
    line: str = "line",
    cluster: str | None = "patient_id",
    entry: str | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """By what factor does each term's hazard ratio change with every further line?

    The model of `pwp_gap_time` with the product of each term and the number of lines before: 1 is a ratio that stays,
    nearer to 1 than the term's own ratio one that fades. Patients who reach a later line were selected by the events
    before it, so a ratio may fade by selection alone (depletion of those at high risk).

    Returns
    -------
    Table EFFECTS of the products only; `scale` is "ratio of hazard ratios per further line".

    Raises
    ------
    schema.SchemaError
        for spells of a single line, and as `pwp_gap_time` does.

    Example
    -------
    >>> spells = pd.DataFrame({"patient_id": [1, 1, 2, 2, 3, 3], "line": [1, 2] * 3, "entry": 0, "age": [70, 70, 55, 55,
    ...                        60, 60], "time": [40, 30, 90, 50, 70, 45], "event": "relapse"})
    >>> fading(spells, "age", "relapse")[["term", "scale"]].values.tolist()
    [['age:further_line', 'ratio of hazard ratios per further line']]
    """
    if spells[line].nunique() < 2:
        raise SchemaError(f"fading: expected spells of several lines, came line {spells[line].unique().tolist()} alone")
    frame = spells.assign(**{FURTHER: (spells[line] - 1).astype(float)})
    # The lines before are the same for all of a stratum: that column has no estimate, and is asked for none.
    model = fit_pwp_gap_time(frame, f"{FURTHER} + {terms} + ({terms}):{FURTHER}", cause, line, cluster, entry)
    table = effects(model, conf_level)
    products = table["term"].str.contains(":", regex=False)
    return table[products].assign(scale="ratio of hazard ratios per further line").reset_index(drop=True)
