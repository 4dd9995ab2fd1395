"""Figures of result frames, one function per result; `show` puts one on the page with its alt text."""

from analysis.present.figures.curves import cumulative_incidence, event_free
from analysis.present.figures.dots import calibration, crude_against_right, rates
from analysis.present.figures.effects import effects, standardised
from analysis.present.figures.parametric import overlay
from analysis.present.figures.paths import class_flows, courses
from analysis.present.figures.prediction import learning_curve, model_scores, net_benefit, risk_calibration
from analysis.present.figures.shape import effect_by_time, functional_form
from analysis.present.figures.specifications import specifications
from analysis.present.figures.stacks import all_causes, attrition, class_shares
from analysis.present.figures.style import empty_figure, png, show

__all__ = [
    "all_causes",
    "attrition",
    "calibration",
    "class_flows",
    "class_shares",
    "courses",
    "crude_against_right",
    "cumulative_incidence",
    "effect_by_time",
    "effects",
    "empty_figure",
    "event_free",
    "functional_form",
    "learning_curve",
    "model_scores",
    "net_benefit",
    "overlay",
    "png",
    "rates",
    "risk_calibration",
    "show",
    "specifications",
    "standardised",
]
