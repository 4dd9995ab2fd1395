"""Sentences made from result frames: every number in them comes from a frame, every estimate with its limits.

Each function returns Markdown (text that came with the data is escaped); `show` puts it on the page. The functions
`alt_...` return plain text for `figures.show`. Rounding lives in `present.numbers`, naming in `present.labels`.
"""

from analysis.present.labels import event_name
from analysis.present.numbers import format_count, format_interval, format_months, format_percent, plural
from analysis.present.words.alt import (
    alt_all_causes,
    alt_attrition,
    alt_calibration,
    alt_class_flows,
    alt_class_shares,
    alt_courses,
    alt_crude_against_right,
    alt_cumulative_incidence,
    alt_event_free,
    alt_rates,
    alt_specifications,
)
from analysis.present.words.background import (
    daily_life,
    definitions,
    early_signs,
    era_caveat,
    selection_caveat,
    strategies,
)
from analysis.present.words.cohort import (
    calibration,
    checks,
    class_shares,
    flow,
    follow_up,
    missingness,
    published_figures,
    small_groups,
    who,
)
from analysis.present.words.effects import (
    alt_effects,
    alt_standardised,
    covariates,
    effects,
    effects_caveat,
    proportional,
    standardised,
)
from analysis.present.words.findings import attrition, crude_gap, headline, medians, rates
from analysis.present.words.history import alt_effect_by_time, alt_functional_form, imputed, landmark, patterns
from analysis.present.words.lines import (
    attrition_change,
    eras,
    implausible,
    line_agreement,
    not_judged,
    rising_survival,
    specifications,
    stage_of_data,
    start_imputed,
    unknown_agents,
)
from analysis.present.words.parametric import alt_overlay, extrapolation, fits, time_ratios, time_ratios_caveat
from analysis.present.words.prediction import (
    alt_learning_curve,
    alt_model_scores,
    alt_net_benefit,
    alt_risk_calibration,
    model_scores,
    not_foreseen,
    optimism,
)


def show(text: str) -> None:
    """Put a Markdown text on the page.

    Raises
    ------
    ValueError
        when there is nothing to show.
    """
    from IPython.display import Markdown, display

    if not isinstance(text, str) or not text.strip():
        raise ValueError("text: expected a sentence, came none")
    display(Markdown(text))


__all__ = [
    "alt_all_causes",
    "alt_attrition",
    "alt_calibration",
    "alt_class_flows",
    "alt_class_shares",
    "alt_courses",
    "alt_crude_against_right",
    "alt_cumulative_incidence",
    "alt_effect_by_time",
    "alt_effects",
    "alt_event_free",
    "alt_functional_form",
    "alt_learning_curve",
    "alt_model_scores",
    "alt_net_benefit",
    "alt_overlay",
    "alt_rates",
    "alt_risk_calibration",
    "alt_specifications",
    "alt_standardised",
    "attrition",
    "attrition_change",
    "calibration",
    "checks",
    "class_shares",
    "covariates",
    "crude_gap",
    "daily_life",
    "definitions",
    "early_signs",
    "effects",
    "effects_caveat",
    "era_caveat",
    "eras",
    "event_name",
    "extrapolation",
    "fits",
    "flow",
    "follow_up",
    "format_count",
    "format_interval",
    "format_months",
    "format_percent",
    "headline",
    "implausible",
    "imputed",
    "landmark",
    "line_agreement",
    "medians",
    "missingness",
    "model_scores",
    "not_foreseen",
    "not_judged",
    "optimism",
    "patterns",
    "plural",
    "proportional",
    "published_figures",
    "rates",
    "rising_survival",
    "selection_caveat",
    "show",
    "small_groups",
    "specifications",
    "stage_of_data",
    "standardised",
    "start_imputed",
    "strategies",
    "time_ratios",
    "time_ratios_caveat",
    "unknown_agents",
    "who",
]
