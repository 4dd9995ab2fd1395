"""How often, and how soon after each line's start: what needs more than one curve per line.

`rates.py` has events per time under observation, `attrition.py` how many go on to the next line; `mean_number.py` the
mean number of relapses by each time, `gap_times.py` the curves of later lines with the dependence of their censoring
undone (`observation.py` its weights, `weighted.py` its sums). The last two need whole patients, not single lines:
`courses.py` puts a patient's spells on one clock.
"""

from analysis.estimate.recurrence.attrition import attrition
from analysis.estimate.recurrence.gap_times import gap_time_distribution
from analysis.estimate.recurrence.mean_number import mean_number_of_relapses
from analysis.estimate.recurrence.rates import poisson_limits, rates

__all__ = ["attrition", "gap_time_distribution", "mean_number_of_relapses", "poisson_limits", "rates"]
