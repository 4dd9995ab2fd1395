"""Parametric models of time: how long does a line last, by what law, and what makes it shorter? All by lifelines.

`regression.py` has the accelerated failure time models (time ratios), `robust.py` their errors where a patient has
several lines, `distributions.py` the laws without covariates and where their fits start, `goodness.py` how well each
fits, `overlay.py` their curves beside Kaplan-Meier. Each returns lifelines' own fitted objects beside the table.

Every other event counts as censoring: the effects and curves are cause-specific. A curve of one cause is no share of
patients; the cause "any" (time without any event) is the only one whose curve is.
"""

from analysis.estimate.parametric.distributions import DISTRIBUTIONS
from analysis.estimate.parametric.goodness import fits, parameters
from analysis.estimate.parametric.overlay import overlay
from analysis.estimate.parametric.regression import accelerated_failure

__all__ = ["DISTRIBUTIONS", "accelerated_failure", "fits", "overlay", "parameters"]
