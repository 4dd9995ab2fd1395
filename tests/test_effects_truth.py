"""Does the Cox model give back the hazard ratios that the simulator was told? Hundreds of cohorts: `make test-slow`.

The tables of docs/methods.md: `python tests/test_effects_truth.py`.

First a plain simulator, whose true log hazard ratios are exactly what a Cox model estimates: no frailty, no effect of
response or treatment, nothing missing, relapses on their true day. Then the simulator as it is: there the model, which
knows neither frailty nor response, estimates something nearer to 0, and the limits are held against that.
"""

from contextlib import ExitStack, contextmanager
from types import MappingProxyType
from unittest import mock

import numpy as np
import pandas as pd
import pytest

from analysis.derive import regimens, spells
from analysis.estimate.hazards import cox
from analysis.sources import synthetic
from analysis.sources.synthetic import characteristics, markers, parameters, treatments

COHORTS, PATIENTS, MANY = 600, 1200, 300_000
TREATED = ("transplant", "lenalidomide_maintenance", "thalidomide_maintenance")
PLAIN = {
    "FRAILTY_LOG_SD": 0.0,
    "MRD_LOG_HAZARD_RATIO": 0.0,
    "DEPTH_LOG_HAZARD_RATIO": 0.0,
    "PARTS_MISSING": 0.0,
    "FISH_MISSING_BEFORE_2008": 0.0,
    "FISH_MISSING_LATER": 0.0,
    "FISH_PROBE_MISSING": 0.0,
    "EARLIEST_RELAPSE_DAYS": 0,
    "RELAPSE_LOG_HAZARD_RATIOS": MappingProxyType(
        {**parameters.RELAPSE_LOG_HAZARD_RATIOS, **dict.fromkeys(TREATED, 0.0)}
    ),
}
TERMS = (
    "iss_2 + iss_3 + del17p + t4_14 + t14_16 + gain_1q + ldh_high + egfr_below_50 + age_per_10_years + intermediate"
    " + frail"
)
TRUE = {name: parameters.RELAPSE_LOG_HAZARD_RATIOS[name] for name in TERMS.replace(" ", "").split("+")}


def line_truth():
    """True log hazard ratios of lines 3 and of 4 and later against 2: one shape, so shape x log(ratio of scales)."""
    scale = parameters.RELAPSE_SCALE_MONTHS
    return {f"line_{line}": parameters.RELAPSE_SHAPE[1] * np.log(scale[1] / scale[line - 1]) for line in (3, 4)}


@contextmanager
def simulator(plain):
    """Without laboratory values, which no model here reads; plain or as it is."""
    no_rows = pd.DataFrame({"patient": [0], "day": [0], "test": ["LDH"], "value": [0.0], "unit": ["U/L"]}).iloc[:0]
    no_effect = treatments.regimens().assign(relapse_log_hazard_ratio=0.0)
    with ExitStack() as changed:
        changed.enter_context(mock.patch.object(markers, "records", lambda *records: no_rows))
        if plain:
            changed.enter_context(mock.patch.multiple(parameters, **PLAIN))
            changed.enter_context(mock.patch.object(treatments, "regimens", lambda: no_effect))
        yield


def known_at_diagnosis(patients):
    """The covariates on the scale of the true log hazard ratios; missing where a part is."""
    beta2, albumin = patients["beta2_microglobulin_mg_l"], patients["albumin_g_dl"]
    three, one = beta2 >= 5.5, (beta2 < 3.5) & (albumin >= 3.5)
    frame = pd.DataFrame({"patient_id": patients["patient_id"], "iss_2": ~three & ~one, "iss_3": three}).astype(
        {"iss_2": float, "iss_3": float}
    )
    frame.loc[beta2.isna() | albumin.isna(), ["iss_2", "iss_3"]] = np.nan
    for name in ("del17p", "t4_14", "t14_16", "gain_1q", "ldh_high"):
        frame[name] = patients[name].astype("Float64").to_numpy("float64", na_value=np.nan)
    frame["egfr_below_50"] = (patients["egfr_ml_min"] < 50).astype(float).mask(patients["egfr_ml_min"].isna())
    frame["age_per_10_years"] = (patients["age_years"] - parameters.AGE_MEAN) / 10
    unknown = patients["fitness"] == "unknown"
    for word in ("intermediate", "frail"):
        frame[word] = (patients["fitness"] == word).astype(float).mask(unknown)
    return frame


def spells_of(cohort):
    """Spells of relapse with these covariates, complete cases."""
    rows = spells.spells(cohort, regimens.lines(cohort), endpoint="relapse")[
        ["patient_id", "line", "entry", "time", "event"]
    ]
    rows = rows.merge(known_at_diagnosis(cohort["patients"]), on="patient_id").dropna()
    return rows.assign(
        baseline=rows["line"].clip(upper=4), line_3=1.0 * (rows["line"] == 3), line_4=1.0 * (rows["line"] >= 4)
    )


def estimates(rows):
    """Log hazard ratios of relapse with their limits: characteristics with a baseline per line, lines 2 on for line."""
    models = [
        cox(rows, TERMS, "relapse", strata="baseline", cluster="patient_id"),
        cox(rows[rows["line"] >= 2], "line_3 + line_4 + " + TERMS, "relapse", cluster="patient_id").iloc[:2],
    ]
    table = pd.concat(models, ignore_index=True)
    limits = np.log(table[["conf_low", "conf_high"]].astype(float).to_numpy())
    return pd.DataFrame(
        {"estimate": table["log_estimate"].to_numpy(), "low": limits[:, 0], "high": limits[:, 1]}, table["term"]
    )


def coverage(truth, plain, cohorts=COHORTS):
    """Share of cohorts whose 95 % limits hold the truth, mean estimate and its Monte Carlo error, per term."""
    with simulator(plain):
        found = [estimates(spells_of(synthetic.simulate(PATIENTS, seed))) for seed in range(cohorts)]
    held = np.mean([(each["low"] <= truth) & (truth <= each["high"]) for each in found], axis=0)
    mean, spread = (getattr(np, how)([each["estimate"] for each in found], axis=0) for how in ("mean", "std"))
    table = {"truth": truth, "mean": mean, "error": spread / np.sqrt(cohorts), "coverage": held}
    return pd.DataFrame(table, found[0].index)


def of_many(plain):
    """The same model in one cohort of very many patients."""
    with simulator(plain):
        rows = pd.concat([spells_of(part) for part in synthetic.parts(MANY, seed=0)], ignore_index=True)
        return estimates(rows)


@pytest.mark.slow
def test_limits_hold_the_true_log_hazard_ratios():
    truth = pd.Series({**TRUE, **line_truth()})
    table = coverage(truth, plain=True)
    assert list(table.index) == list(truth.index)
    assert table["coverage"].between(0.92, 0.98).all(), table.to_string()
    assert (abs(table["mean"] - table["truth"]) < 4 * table["error"] + 0.01).all(), table.to_string()


def test_the_truth_is_on_the_scale_of_the_simulator():
    """What the test takes for the covariates is what the simulator multiplies with its log hazard ratios."""
    with simulator(plain=True):
        true, on_file = characteristics.draw(500, 0, np.random.default_rng(4))
    assert (known_at_diagnosis(on_file)[list(TRUE)].to_numpy() == true[list(TRUE)].to_numpy(float)).all()


if __name__ == "__main__":
    import sys

    truth = pd.Series({**TRUE, **line_truth()})
    if "many" in sys.argv:
        for plain in (True, False):
            print(of_many(plain).round(4).to_string())  # noqa: T201
    else:
        print(coverage(truth, plain=True).round(4).to_string())  # noqa: T201
        print(coverage(of_many(plain=False)["estimate"], plain=False).round(4).to_string())  # noqa: T201
