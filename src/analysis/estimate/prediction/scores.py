"""Scores of predictions with limits: how good is each model, and is it better than the one to be beaten?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis import schema
from analysis.estimate.curves.limits import check_limits
from analysis.estimate.prediction import measures
from analysis.estimate.prediction.concordance import concordance
from analysis.estimate.prediction.pipelines import STAGE
from analysis.estimate.prediction.reading import FEWEST_EVENTS
from analysis.estimate.prediction.resampled import Wide, limits_of, wide
from analysis.estimate.prediction.validation import NULL
from analysis.estimate.prediction.weights import Sample

HIGHEST_C = 0.75  # clinical models of myeloma reach 0.60 to 0.71; above this, look for a predictor from the future
BRIER, INTEGRATED = "Brier score", "integrated Brier score"
SCALED, SCALED_INTEGRATED = "scaled Brier score", "scaled integrated Brier score"
AUC, UNO, RATIO, SLOPE = "AUC", "Uno's C", "observed / expected", "calibration slope"
MEASURES = (UNO, AUC, BRIER, SCALED, INTEGRATED, SCALED_INTEGRATED, RATIO, SLOPE)
_SIGN = {UNO: 1, AUC: 1, BRIER: -1, SCALED: 1, INTEGRATED: -1, SCALED_INTEGRATED: 1}  # is more of it better?
_OF_NULL = (BRIER, INTEGRATED, RATIO)


def scores(
    predictions: pd.DataFrame,
    horizons_months: Sequence[float] = (12, 24),
    cause: str = "relapse",
    against: str = STAGE,
    resamples: int = 200,
    seed: int = 2026,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """How good are the predictions by each horizon, and which models beat the one to be beaten?

    Measures, all with competing events and weighted by 1 / G(t-), G the curve of censoring within line 1, 2, 3 and
    later ones (later lines start later, so they are watched for a shorter time):

    - "Uno's C": truncated at the horizon (`concordance`); "AUC": by the horizon, against all who had no such event
    - "Brier score", and "scaled Brier score" = 1 - Brier / Brier of "null" (index of prediction accuracy, Kattan and
      Gerds 2018); their integrals from 0 to the horizon by the trapezoid rule over the horizons of the frame (where it
      has three or more up to there)
    - "observed / expected" and "calibration slope", both 1 when right

    Risks of all folds are scored together: they are absolute risks, which mean the same in every fold. Limits:
    patients drawn again with all their lines, censoring curves made anew each time, percentiles; the models stay as
    they were fitted, so what is left out is the chance in the fitting. Differences are taken draw by draw.

    Parameters
    ----------
    predictions : table PREDICTIONS; further models may be put under it (the truth of a simulation, a published score)
    horizons_months : horizons to report, among those of the frame
    cause : the event in question
    against : the model to be beaten
    resamples, seed, conf_level : of the limits; 0 resamples for none

    Returns
    -------
    Table SCORES. With fewer than 20 events by a horizon there are counts and no estimate. R: `riskRegression::Score`,
    `pec::cindex`.

    Raises
    ------
    schema.SchemaError
        when a model lacks lines, or a horizon or the model to be beaten is not among the predictions.

    Example
    -------
    >>> days, word = [100.0, 300.0, 500.0, 900.0] * 20, ["relapse", "death", "relapse", "censored"] * 20
    >>> rows = {"patient_id": [f"p{i}" for i in range(80)], "line": 1, "time": days, "event": word, "note": ""}
    >>> risks = [pd.DataFrame({**rows, "model": m, "risk": r, "fold": "1", "horizon_months": 24.0})
    ...          for m, r in {"stage": [0.6, 0.4, 0.6, 0.2] * 20, "null": [0.5] * 80}.items()]
    >>> found = scores(pd.concat(risks, ignore_index=True), [24], resamples=0).set_index(["model", "measure"])
    >>> float(found.loc[("stage", "AUC"), "estimate"]), float(found.loc[("null", "Brier score"), "estimate"])
    (1.0, 0.25)
    """
    check_limits("plain", conf_level)
    rows = wide(predictions, cause, horizons_months)
    if against not in rows.models:
        raise schema.SchemaError(f"against: expected one of {list(rows.models)}, came {against!r}; use one of them")
    values = resampled_measures(rows, horizons_months, resamples, seed)
    return schema.check(_table(rows, values, horizons_months, against, conf_level), schema.SCORES)


def resampled_measures(rows: Wide, horizons_months: Sequence[float], resamples: int, seed: int) -> np.ndarray:
    """All measures: an array (models, measures, horizons, 1 + resamples), missing where a measure has no meaning."""
    return np.concatenate([_measured(rows, part, horizons_months) for part in rows.samples(resamples, seed)], axis=-1)


def _measured(rows: Wide, part: Sample, horizons_months: Sequence[float]) -> np.ndarray:
    result = np.full((len(rows.models), len(MEASURES), len(horizons_months), part.weight.shape[1]), np.nan)
    known = [part.known(day) for day in rows.days]
    had = [part.had(day) for day in rows.days]
    squared = np.array(
        [
            [measures.brier(known[h], had[h], rows.risk[:, m, h], part) for h in range(len(rows.horizons))]
            for m in range(len(rows.models))
        ]
    )
    whole = np.array([_integral(rows.days, squared, day) for day in rows.days])
    for place, horizon in enumerate(horizons_months):
        h = int(np.flatnonzero(rows.horizons == horizon)[0])
        for m, model in enumerate(rows.models):
            risk = rows.risk[:, m, h]
            found = {BRIER: squared[m, h], INTEGRATED: whole[h, m]}
            found[RATIO] = measures.observed_over_expected(known[h], had[h], risk, part)
            if model != NULL:
                found[UNO] = concordance(part, risk, rows.days[h])
                found[AUC] = measures.auc(known[h], had[h], risk)
                found[SLOPE] = measures.calibration_slope(known[h], had[h], risk)
                if NULL in rows.models:
                    null = rows.models.index(NULL)
                    found[SCALED] = 1 - squared[m, h] / squared[null, h]
                    found[SCALED_INTEGRATED] = 1 - whole[h, m] / whole[h, null]
            for name, value in found.items():
                result[m, MEASURES.index(name), place] = value
    return result


def _integral(days: np.ndarray, values: np.ndarray, until: float) -> np.ndarray:
    """The mean of the values (models, horizons, resamples) from 0 to `until`; missing with fewer than three times."""
    upto = days <= until
    if upto.sum() < 3:
        return np.full((values.shape[0], values.shape[2]), np.nan)
    times = np.concatenate([[0.0], days[upto]])
    heights = np.concatenate([np.zeros_like(values[:, :1]), values[:, upto]], axis=1)
    return np.trapezoid(heights, times, axis=1) / until


def _table(
    rows: Wide, values: np.ndarray, horizons_months: Sequence[float], against: str, conf_level: float
) -> pd.DataFrame:
    reference = rows.models.index(against)
    low, high = limits_of(values, conf_level)
    apart = values - values[reference]
    apart_low, apart_high = limits_of(apart, conf_level)
    records = []
    for m, model in enumerate(rows.models):
        for k, measure in enumerate(MEASURES):
            for h, horizon in enumerate(horizons_months):
                if (model == NULL and measure not in _OF_NULL) or np.isnan(values[:, k, h, 0]).all():
                    continue
                counts = rows.counts(rows.days[rows.horizons == horizon][0])
                record = {"model": model, "measure": measure, "horizon_months": float(horizon), "against": ""}
                place, notes = (m, k, h), [rows.notes.get(model, "")]
                compared = measure in _SIGN and m != reference and not np.isnan(apart[(*place, 0)])
                enough = counts["events"] >= FEWEST_EVENTS
                if not enough:
                    notes.append(f"fewer than {FEWEST_EVENTS} events: counts only")
                elif measure == UNO and values[(*place, 0)] > HIGHEST_C:
                    notes.append(
                        f"C above {HIGHEST_C}, and clinical models reach 0.60 to 0.71: look for a predictor that was "
                        "not known at the start of the line"
                    )
                if enough:
                    record |= {"estimate": values[(*place, 0)], "conf_low": low[place], "conf_high": high[place]}
                if enough and compared:
                    record |= {"against": against, "difference": apart[(*place, 0)]}
                    record |= {"difference_low": apart_low[place], "difference_high": apart_high[place]}
                    record["verdict"] = _verdict(_SIGN[measure], apart_low[place], apart_high[place])
                records.append(record | counts | {"note": "; ".join(filter(None, notes))})
    frame = pd.DataFrame(records, columns=schema.SCORES.names)
    return frame.fillna({"verdict": ""}).astype({c.name: c.dtype for c in schema.SCORES.columns})


def _verdict(sign: int, low: float, high: float) -> str:
    """What the limits of a difference say."""
    if np.isnan(low):
        return ""
    worst, best = (low, high) if sign > 0 else (-high, -low)
    return "better" if worst > 0 else "worse" if best < 0 else "not shown to be better"
