"""The partial likelihood of proportional hazards, solved once for all models of `hazards`.

`risksets.py` knows who is at risk when, `partial.py` the likelihood and its derivatives at one value of the
coefficients, `newton.py` the way to its maximum, `fit.py` the variances and tests there, `residuals.py` and
`baseline.py` what follows. Plain arrays in, a frozen `Fit` out; nothing here knows a spell or a table.
"""

from analysis.estimate.likelihood.baseline import Hazard, hazard, hazard_influence
from analysis.estimate.likelihood.fit import Fit, dfbeta, maximise, tests, with_sandwich
from analysis.estimate.likelihood.residuals import martingale, schoenfeld, score, time_varying_tests
from analysis.estimate.likelihood.risksets import RiskSets, lingering, risk_sets

__all__ = [
    "Fit",
    "Hazard",
    "RiskSets",
    "dfbeta",
    "hazard",
    "hazard_influence",
    "lingering",
    "martingale",
    "maximise",
    "risk_sets",
    "schoenfeld",
    "score",
    "tests",
    "time_varying_tests",
    "with_sandwich",
]
