"""Tables of result frames, one function per result; each returns IPython's HTML object, which a cell shows."""

from analysis.present.tables.cohort import (
    checks,
    class_shares,
    description,
    flow,
    line_ends,
    missingness,
    regimens,
    small_groups,
)
from analysis.present.tables.estimates import (
    attrition,
    calibration,
    crude_comparison,
    curves_at_times,
    medians,
    rates,
    risk,
)
from analysis.present.tables.html import table
from analysis.present.tables.lines import (
    attrition_change,
    attrition_counts,
    class_flows,
    line_agreement,
    specifications,
    unknown_agents,
)
from analysis.present.tables.prediction import model_differences, model_scores, optimism, subgroup_scores

__all__ = [
    "attrition",
    "attrition_change",
    "attrition_counts",
    "calibration",
    "checks",
    "class_flows",
    "class_shares",
    "crude_comparison",
    "curves_at_times",
    "description",
    "flow",
    "line_agreement",
    "line_ends",
    "medians",
    "missingness",
    "model_differences",
    "model_scores",
    "optimism",
    "rates",
    "regimens",
    "risk",
    "small_groups",
    "specifications",
    "subgroup_scores",
    "table",
    "unknown_agents",
]
