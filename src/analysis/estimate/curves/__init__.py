"""Curves over time and what is read off them, all from the counts of `counts.py`.

`product_limit.py` has the estimators (Kaplan-Meier, Aalen-Johansen), `quantiles.py` medians and follow-up, `ticks.py`
the tables at fixed times, `areas.py` restricted means, `comparisons.py` tests between groups, `limits.py` the
confidence limits they share.
"""

from analysis.estimate.curves.areas import restricted_mean, restricted_mean_difference
from analysis.estimate.curves.comparisons import gray_test, log_rank
from analysis.estimate.curves.product_limit import aalen_johansen, kaplan_meier
from analysis.estimate.curves.quantiles import follow_up, quantiles
from analysis.estimate.curves.ticks import crude_comparison, cumulative_incidence_at, risk_table

__all__ = [
    "aalen_johansen",
    "crude_comparison",
    "cumulative_incidence_at",
    "follow_up",
    "gray_test",
    "kaplan_meier",
    "log_rank",
    "quantiles",
    "restricted_mean",
    "restricted_mean_difference",
    "risk_table",
]
