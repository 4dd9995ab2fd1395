"""Figures of result frames, one function per result; `show` puts one on the page with its alt text."""

from analysis.present.figures.curves import cumulative_incidence, event_free
from analysis.present.figures.dots import calibration, crude_against_right, rates
from analysis.present.figures.effects import effects, standardised
from analysis.present.figures.parametric import overlay
from analysis.present.figures.paths import class_flows, courses
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
    "effects",
    "empty_figure",
    "event_free",
    "overlay",
    "png",
    "rates",
    "show",
    "specifications",
    "standardised",
]
