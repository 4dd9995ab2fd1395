"""Do as many relapse as were foretold? Observed shares in groups of like risk."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis import schema
from analysis.estimate.curves import aalen_johansen
from analysis.estimate.doors import repeated_patients
from analysis.estimate.prediction.resampled import wide
from analysis.estimate.prediction.validation import NULL
from analysis.schema import DAYS_PER_MONTH


def calibration(
    predictions: pd.DataFrame,
    horizons_months: Sequence[float] = (12, 24),
    cause: str = "relapse",
    groups: int = 10,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Among those given a like risk, how many had the event by the horizon?

    Lines are put into groups of nearly equal size by their risk (fewer where many have the same risk, as by stage);
    observed is the Aalen-Johansen incidence of the group with its log-log limits, predicted the mean risk. Within a
    group the risk is nearly one, so who is watched for how long has little to do with it; limits take lines of one
    patient for independent. Gerds, Andersen and Kattan (2014), Statistics in Medicine.
    R: `riskRegression::plotCalibration` with `method = "quantile"`, `prodlim` within each group.

    Parameters
    ----------
    predictions : table PREDICTIONS; the model "null" is passed over
    groups : how many

    Returns
    -------
    Table CALIBRATION_CURVE. Raises as `scores`.

    Example
    -------
    >>> days, word = [100.0, 300.0, 500.0, 900.0] * 20, ["relapse", "death", "relapse", "censored"] * 20
    >>> rows = {"patient_id": [f"p{i}" for i in range(80)], "line": 1, "time": days, "event": word, "note": ""}
    >>> risks = pd.DataFrame({**rows, "model": "m", "risk": [0.9, 0.2, 0.9, 0.2] * 20, "fold": "1"})
    >>> risks["horizon_months"] = 24.0
    >>> calibration(risks, [24])[["predicted", "estimate"]].round(2).values.tolist()
    [[0.2, 0.0], [0.9, 1.0]]
    """
    rows = wide(predictions, cause, horizons_months)
    words = np.array(["censored", cause, _other(cause)], dtype=object)[rows.status]
    spells = pd.DataFrame({"patient_id": rows.patient, "entry": 0, "time": rows.time, "event": words})
    note, parts = repeated_patients(spells).split(":")[0], []
    for m, model in enumerate(rows.models):
        for horizon in horizons_months if model != NULL else []:
            risk = rows.risk[:, m, np.flatnonzero(rows.horizons == horizon)[0]]
            place = _groups(risk, groups)
            # one pass of the house's own curve for all groups of the model
            curve = aalen_johansen(spells.assign(part=place.astype(str)), by="part", conf_level=conf_level)
            parts.append(_rows(curve, place, risk, cause, float(horizon), spells, note).assign(model=model))
    frame = pd.concat(parts, ignore_index=True) if parts else schema.empty(schema.CALIBRATION_CURVE)
    return schema.check(frame[schema.CALIBRATION_CURVE.names], schema.CALIBRATION_CURVE)


def _other(cause: str) -> str:
    return next(word for word in schema.SPELLS["event"].words if word not in ("censored", cause))


def _groups(risk: np.ndarray, number: int) -> np.ndarray:
    """The group of each line, from 1: equal risks are never parted."""
    edges = np.unique(np.quantile(risk, np.arange(1, number) / number))
    return np.unique(np.searchsorted(edges, risk, side="left"), return_inverse=True)[1] + 1


def _rows(
    curve: pd.DataFrame,
    place: np.ndarray,
    risk: np.ndarray,
    cause: str,
    horizon: float,
    spells: pd.DataFrame,
    note: str,
) -> pd.DataFrame:
    days = horizon * DAYS_PER_MONTH
    upto = curve[(curve["event"] == cause) & (curve["time"] <= days)]
    last = upto.groupby("part").last()
    records = []
    for group in range(1, place.max(initial=0) + 1):
        mine = place == group
        end = spells[mine & (spells["time"] == spells["time"][mine].max())]
        # Known to the horizon: somebody was watched until then, or nobody was left without an event before.
        known = end["time"].iloc[0] >= days or not (end["event"] == "censored").any()
        records.append(
            {
                "horizon_months": horizon,
                "group": group,
                "predicted": risk[mine].mean(),
                **{n: _at(last, str(group), n) if known else np.nan for n in ("estimate", "conf_low", "conf_high")},
                "lines": float(mine.sum()),
                "events": float(((spells["event"] == cause) & (spells["time"] <= days))[mine].sum()),
                "note": note if known else "nobody of the group was watched until the horizon",
            }
        )
    return pd.DataFrame(records)


def _at(last: pd.DataFrame, group: str, column: str) -> float:
    return float(last.loc[group, column]) if group in last.index else np.nan
