"""Regression of hazards: who has the event sooner, and by how much? Thin statements over `likelihood`.

`cox.py` has the model of one cause, `ordinary.py` the same as lifelines' own object, `causes.py` those of all causes,
`recurrent.py` those of events that come again (Andersen-Gill, Prentice-Williams-Peterson), `fading.py` whether effects
last over lines, `finegray.py` the model of the incidence; `checks.py` and `shape.py` ask whether a model may be read,
`periods.py` gives an effect period by period where it may not, `cumulative.py` and `prediction.py` say what it means
for one patient, `standardised.py` for the whole cohort (by `gformula.py`). `design.py` turns formulas into columns,
`models.py` spells into a model.

Each model has two names: `cox(...)` returns the table EFFECTS, `fit_cox(...)` the fitted `Model` from which the other
functions go on: `effects(model)`, `overall_tests(model)`, `proportional_hazards(model)`, `residuals(model, kind)`.
"""

from analysis.estimate.hazards.causes import by_cause, by_line, causes, fit_causes, told
from analysis.estimate.hazards.checks import (
    events_per_term,
    influence,
    influence_summary,
    overall_tests,
    proportional_hazards,
    residuals,
)
from analysis.estimate.hazards.cox import cox, fit_cox
from analysis.estimate.hazards.cumulative import cumulative_hazard
from analysis.estimate.hazards.fading import fading
from analysis.estimate.hazards.finegray import fine_gray, fit_fine_gray
from analysis.estimate.hazards.models import Model, effects
from analysis.estimate.hazards.ordinary import ordinary_cox
from analysis.estimate.hazards.periods import time_varying_effect
from analysis.estimate.hazards.prediction import predict_incidence
from analysis.estimate.hazards.recurrent import (
    andersen_gill,
    fit_andersen_gill,
    fit_pwp_gap_time,
    fit_pwp_total_time,
    pwp_gap_time,
    pwp_total_time,
)
from analysis.estimate.hazards.shape import effect_by_time, functional_form, linearity
from analysis.estimate.hazards.standardised import standardised_difference, standardised_incidence

__all__ = [
    "Model",
    "andersen_gill",
    "by_cause",
    "by_line",
    "causes",
    "cox",
    "cumulative_hazard",
    "effect_by_time",
    "effects",
    "events_per_term",
    "fading",
    "fine_gray",
    "fit_andersen_gill",
    "fit_causes",
    "fit_cox",
    "fit_fine_gray",
    "fit_pwp_gap_time",
    "fit_pwp_total_time",
    "functional_form",
    "influence",
    "influence_summary",
    "linearity",
    "ordinary_cox",
    "overall_tests",
    "predict_incidence",
    "proportional_hazards",
    "pwp_gap_time",
    "pwp_total_time",
    "residuals",
    "standardised_difference",
    "standardised_incidence",
    "time_varying_effect",
    "told",
]
