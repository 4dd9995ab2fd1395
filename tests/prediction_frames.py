"""Result frames of predictions made by hand for the tests of `present`."""

import numpy as np
import pandas as pd

from analysis import schema

COUNTS = {"lines": 2400.0, "patients": 1000.0, "events": 950.0}
WARNING = "C above 0.75, and clinical models reach 0.60 to 0.71: look for a predictor that was not known"


def scores():
    """A stage to be beaten, one that beats it and is doubted, one that does not, each by two measures."""
    c = {"stage": (0.56, "", ""), "cox": (0.78, "better", WARNING), "forest": (0.57, "not shown to be better", "")}
    rows = []
    for measure, shift in (("Uno's C", 0.0), ("calibration slope", 0.4)):
        for model, (estimate, verdict, note) in c.items():
            compared = bool(verdict) and measure == "Uno's C"
            row = {"model": model, "measure": measure, "horizon_months": 24.0, "estimate": estimate + shift}
            row |= {"conf_low": estimate + shift - 0.02, "conf_high": estimate + shift + 0.02}
            row |= {"against": "stage" if compared else "", "verdict": verdict if compared else ""}
            row |= {"difference": estimate - 0.56 if compared else np.nan}
            row |= {"difference_low": estimate - 0.58 if compared else np.nan}
            row |= {"difference_high": estimate - 0.54 if compared else np.nan}
            rows.append(row | COUNTS | {"note": note if measure == "Uno's C" else ""})
    return pd.DataFrame(rows)[schema.SCORES.names]


def subgroup_scores():
    """Two kinds of patients, one of them with counts only."""
    large = scores().assign(variable="sex", level="female")
    small = scores().assign(variable="sex", level="male", lines=30.0, patients=12.0, events=9.0, note="counts only")
    numbers = ["estimate", "conf_low", "conf_high", "difference", "difference_low", "difference_high"]
    small = small.assign(**dict.fromkeys(numbers, np.nan), verdict="", against="")
    return pd.concat([large, small], ignore_index=True)[schema.SUBGROUP_SCORES.names]


def learning():
    """Two sizes."""
    parts = [scores().assign(training_patients=size) for size in (250, 1000)]
    return pd.concat(parts, ignore_index=True)[schema.LEARNING.names]


def optimism():
    """One model that flatters itself and one that does not."""
    rows = [("stage", 0.562, 0.560, 0.002), ("forest", 0.70, 0.57, 0.13)]
    frame = pd.DataFrame(rows, columns=["model", "apparent", "validated", "estimate"])
    frame["conf_low"], frame["conf_high"] = frame["estimate"] - 0.01, frame["estimate"] + 0.01
    return frame.assign(measure="Uno's C", horizon_months=24.0, note="")[schema.OPTIMISM.names]


def calibration_curve():
    """Two models, three groups each."""
    frame = pd.DataFrame({"model": ["stage"] * 3 + ["cox"] * 3, "group": [1, 2, 3] * 2})
    frame["predicted"] = [0.30, 0.45, 0.60, 0.10, 0.45, 0.80]
    frame["estimate"] = [0.28, 0.47, 0.58, 0.15, 0.44, 0.74]
    frame["conf_low"], frame["conf_high"] = frame["estimate"] - 0.04, frame["estimate"] + 0.04
    return frame.assign(horizon_months=24.0, lines=800.0, events=300.0, note="")[schema.CALIBRATION_CURVE.names]


def net_benefit():
    """A model and acting on everybody."""
    threshold = np.array([0.2, 0.5, 0.8])
    cox = pd.DataFrame({"model": "cox", "threshold": threshold, "estimate": [0.4, 0.12, 0.01]})
    every = pd.DataFrame({"model": "everybody", "threshold": threshold, "estimate": [0.38, 0.0, -1.5]})
    parts = [cox.assign(above=[2000.0, 900.0, 40.0]), every.assign(above=2400.0)]
    frame = pd.concat(parts, ignore_index=True)
    frame["conf_low"], frame["conf_high"] = frame["estimate"] - 0.02, frame["estimate"] + 0.02
    return frame.assign(horizon_months=24.0, lines=2400.0, note="")[schema.NET_BENEFIT.names]
