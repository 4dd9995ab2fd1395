"""What may leave the building: small groups, small counts, and curves that are cut before they point to one person.

Works on result frames, between `estimate` and `present`. First version: it withholds what is small and what follows
from it within the same sum. It does not yet stand against somebody who compares several tables, several ticks of one
table, or two releases of a page; until that is built, a page of a real cohort goes to colleagues, not to the public.

groups   which groups have enough patients
counts   small counts withheld
rules    the rule of each table, and `shared`, which applies it
"""

from analysis.disclosure.counts import withhold
from analysis.disclosure.groups import enough, keep_enough
from analysis.disclosure.rules import AT_RISK_MINIMUM, RULES, shared, shared_count, stop_curves

__all__ = ["AT_RISK_MINIMUM", "RULES", "enough", "keep_enough", "shared", "shared_count", "stop_curves", "withhold"]
