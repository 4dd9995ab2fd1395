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
from analysis.present.tables.effects import beside_published, contrasts, covariates, effects, tests
from analysis.present.tables.estimates import (
    attrition,
    calibration,
    crude_comparison,
    curves_at_times,
    medians,
    rates,
    risk,
)
from analysis.present.tables.history import effect_by_time, functional_form, landmark, patterns
from analysis.present.tables.html import table
from analysis.present.tables.lines import (
    attrition_change,
    attrition_counts,
    class_flows,
    line_agreement,
    specifications,
    unknown_agents,
)
from analysis.present.tables.parametric import fits, parameters
from analysis.present.tables.prediction import (
    model_card,
    model_differences,
    model_scores,
    optimism,
    subgroup_scores,
)

__all__ = [
    "attrition",
    "attrition_change",
    "attrition_counts",
    "beside_published",
    "calibration",
    "checks",
    "class_flows",
    "class_shares",
    "contrasts",
    "covariates",
    "crude_comparison",
    "curves_at_times",
    "description",
    "effect_by_time",
    "effects",
    "fits",
    "flow",
    "functional_form",
    "landmark",
    "line_agreement",
    "line_ends",
    "medians",
    "missingness",
    "model_card",
    "model_differences",
    "model_scores",
    "optimism",
    "parameters",
    "patterns",
    "rates",
    "regimens",
    "risk",
    "small_groups",
    "specifications",
    "subgroup_scores",
    "table",
    "tests",
    "unknown_agents",
]
