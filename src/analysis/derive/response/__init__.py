"""Response, progression and relapse from raw laboratory values and findings, by the criteria of the IMWG.

Reading order: criteria.py (every choice), samples.py (records as sorted arrays), course.py (lines, baseline, lowest
value), followed.py (which marker counts), progression.py (limits and confirmation), picture.py (all of it together),
depth.py (levels), relapse.py (kinds), answers.py (tables). On these stand refractory.py and early.py;
plausible.py asks whether a value can be right at all.
"""

from analysis.derive.response.answers import assess, evaluable, outcomes, with_outcomes
from analysis.derive.response.criteria import Criteria
from analysis.derive.response.early import early_relapse
from analysis.derive.response.plausible import implausible, without_implausible
from analysis.derive.response.refractory import refractory, refractory_status

__all__ = [
    "Criteria",
    "assess",
    "early_relapse",
    "evaluable",
    "implausible",
    "outcomes",
    "refractory",
    "refractory_status",
    "with_outcomes",
    "without_implausible",
]
