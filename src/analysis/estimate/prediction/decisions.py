"""Would it help to act on the risk? Net benefit over thresholds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis import schema
from analysis.estimate.prediction.reading import raise_all
from analysis.estimate.prediction.resampled import limits_of, wide
from analysis.estimate.prediction.validation import NULL

EVERYBODY = "everybody"
_THRESHOLDS = tuple(np.round(np.arange(0.05, 0.951, 0.05), 2))


def net_benefit(
    predictions: pd.DataFrame,
    horizons_months: Sequence[float] = (12, 24),
    cause: str = "relapse",
    thresholds: Sequence[float] = _THRESHOLDS,
    resamples: int = 200,
    seed: int = 2026,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """If all with a risk of at least p were treated as going to relapse, what would be won, per patient-line?

    NB(p) = P(risk >= p and the event by t) - p / (1 - p) P(risk >= p and no such event by t): true alarms less false
    ones at the rate at which whoever chooses p would trade them. Vickers and Elkin (2006); Vickers et al. (2008), BMC
    Med Inform Decis Mak, for censored times. The first share is weighted for censoring as in `scores`, where Vickers
    takes the incidence curve of those above p: the same number when G is taken among them. R: `dcurves::dca`.

    Parameters
    ----------
    predictions : table PREDICTIONS; "everybody" (act on all) is added, acting on nobody has net benefit 0
    thresholds : risks between 0 and 1

    Returns
    -------
    Table NET_BENEFIT with limits as in `scores`. Raises as `scores`.

    Example
    -------
    >>> days, word = [100.0, 300.0, 500.0, 900.0] * 20, ["relapse", "death", "relapse", "censored"] * 20
    >>> rows = {"patient_id": [f"p{i}" for i in range(80)], "line": 1, "time": days, "event": word, "note": ""}
    >>> risks = pd.DataFrame({**rows, "model": "m", "risk": [0.9, 0.2, 0.9, 0.2] * 20, "fold": "1"})
    >>> risks["horizon_months"] = 24.0
    >>> net_benefit(risks, [24], thresholds=[0.5], resamples=0)[["model", "estimate"]].values.tolist()
    [['m', 0.5], ['everybody', 0.0]]
    """
    limits = np.asarray(thresholds, dtype=float)
    if not len(limits) or limits.min() <= 0 or limits.max() >= 1 or len(np.unique(limits)) < len(limits):
        raise_all([f"thresholds: expected risks above 0 and below 1, each once, came {list(thresholds)}"])
    rows = wide(predictions, cause, horizons_months)
    models = [name for name in rows.models if name != NULL] + [EVERYBODY]
    places = [int(np.flatnonzero(rows.horizons == horizon)[0]) for horizon in horizons_months]
    parts, odds = [], (limits / (1 - limits))[:, None]
    for part in rows.samples(resamples, seed):
        total, found = part.weight.sum(axis=0), []
        for name in models:
            for h in places:
                risk = np.ones(len(rows.time)) if name == EVERYBODY else rows.risk[:, rows.models.index(name), h]
                above = (risk >= limits[:, None]).astype(float)
                right = above @ np.where(part.had(rows.days[h])[:, None], part.known(rows.days[h]), 0.0) / total
                found.append(right - odds * (above @ part.weight / total - right))
        parts.append(np.array(found))
    values = np.concatenate(parts, axis=-1)
    low, high = limits_of(values, conf_level)
    frames = []
    for place, (name, h) in enumerate((name, h) for name in models for h in places):
        risk = np.ones(len(rows.time)) if name == EVERYBODY else rows.risk[:, rows.models.index(name), h]
        columns = {
            "model": name,
            "horizon_months": rows.horizons[h],
            "threshold": limits,
            "estimate": values[place, :, 0],
            "conf_low": low[place],
            "conf_high": high[place],
            "above": (risk >= limits[:, None]).sum(axis=1).astype(float),
            "lines": float(len(risk)),
            "note": rows.notes.get(name, ""),
        }
        frames.append(pd.DataFrame(columns))
    return schema.check(pd.concat(frames, ignore_index=True)[schema.NET_BENEFIT.names], schema.NET_BENEFIT)
