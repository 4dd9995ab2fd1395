"""By how much a model flatters itself in the patients that it was fitted to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis import schema
from analysis.estimate.prediction.reading import raise_all
from analysis.estimate.prediction.resampled import limits_of, wide
from analysis.estimate.prediction.scores import MEASURES, resampled_measures


def optimism(
    apparent: pd.DataFrame,
    validated: pd.DataFrame,
    horizons_months: Sequence[float] = (12, 24),
    cause: str = "relapse",
    resamples: int = 200,
    seed: int = 2026,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """How much worse is each model in patients that it has not seen: apparent minus validated?

    Parameters
    ----------
    apparent, validated : tables PREDICTIONS from `apparent` and `out_of_fold`, of the same lines; where the models were
        fitted to a sample of patients, the lines of `apparent` are a part of those of `validated`, and these are used

    Returns
    -------
    Table OPTIMISM; limits as in `scores`, both kinds of predictions in the same drawn patients.

    Raises
    ------
    schema.SchemaError
        when there is a line in `apparent` that `validated` lacks.

    Example
    -------
    >>> days, word = [100.0, 300.0, 500.0, 900.0] * 20, ["relapse", "death", "relapse", "censored"] * 20
    >>> rows = {"patient_id": [f"p{i}" for i in range(80)], "line": 1, "time": days, "event": word, "note": ""}
    >>> seen = pd.DataFrame({**rows, "model": "cox", "fold": "1", "horizon_months": 24.0, "risk": [1.0, 0, 1, 0] * 20})
    >>> unseen = seen.assign(risk=[0.6, 0.4, 0.4, 0.4] * 20)
    >>> found = optimism(seen, unseen, [24], resamples=0).set_index("measure")
    >>> found.loc["AUC", ["apparent", "validated", "estimate"]].astype(float).tolist()
    [1.0, 0.75, 0.25]
    """
    seen, unseen = (frame.astype({"model": object}) for frame in (apparent, validated))
    keys = seen[["patient_id", "line"]].drop_duplicates().astype({"patient_id": object})
    unseen = unseen.astype({"patient_id": object}).merge(keys, on=["patient_id", "line"])
    models = [name for name in unseen["model"].unique() if name in set(seen["model"])]
    if not models:
        raise_all(
            ["apparent and validated: expected predictions of the same models and lines; make both from one plan"]
        )
    both = [frame[frame["model"].isin(models)] for frame in (seen, unseen)]
    both[0] = both[0].assign(model=both[0]["model"] + _SEEN)
    columns = {"patient_id": object, "event": object, "fold": object, "note": object}
    rows = wide(pd.concat([frame.astype(columns) for frame in both], ignore_index=True), cause, horizons_months)
    values = resampled_measures(rows, horizons_months, resamples, seed)
    records = []
    for model in models:
        first, second = values[rows.models.index(model + _SEEN)], values[rows.models.index(model)]
        low, high = limits_of(first - second, conf_level)
        for k, h in np.argwhere(~np.isnan(first[..., 0] - second[..., 0])):
            records.append(
                {
                    "model": model,
                    "measure": MEASURES[k],
                    "horizon_months": float(horizons_months[h]),
                    "apparent": first[k, h, 0],
                    "validated": second[k, h, 0],
                    "estimate": first[k, h, 0] - second[k, h, 0],
                    "conf_low": low[k, h],
                    "conf_high": high[k, h],
                    "note": rows.notes.get(model, ""),
                }
            )
    frame = pd.DataFrame(records, columns=schema.OPTIMISM.names)
    return schema.check(frame.astype({c.name: c.dtype for c in schema.OPTIMISM.columns}), schema.OPTIMISM)


_SEEN = " (apparent)"
