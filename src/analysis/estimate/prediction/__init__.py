"""Can we foresee a relapse for one patient, and how well? Models fitted, and honestly tried on others.

The question: the risk that the event comes within so many months of the start of a line, other events competing, from
what is known on that day. `reading` checks the frame, `pipelines` names the models, `fitting` fits them (scikit-learn
Pipelines that end in scikit-survival estimators), `risks` turns two hazards into a risk. `validation` gives risks to
patients that a model has not seen: the table PREDICTIONS, from which everything else is made - `scores`, `optimism`,
`calibration`, `net_benefit`, `subgroups` - whoever made the risks. `weights`, `measures` and `concordance` compute.
"""

from analysis.estimate.prediction.calibration import calibration
from analysis.estimate.prediction.decisions import net_benefit
from analysis.estimate.prediction.fitting import Plan, fitted
from analysis.estimate.prediction.optimism import optimism
from analysis.estimate.prediction.parts import learning_curve, subgroups
from analysis.estimate.prediction.pipelines import MODELS
from analysis.estimate.prediction.risks import risk
from analysis.estimate.prediction.scores import scores
from analysis.estimate.prediction.validation import apparent, out_of_fold, refusal, temporal

__all__ = [
    "MODELS",
    "Plan",
    "apparent",
    "calibration",
    "fitted",
    "learning_curve",
    "net_benefit",
    "optimism",
    "out_of_fold",
    "refusal",
    "risk",
    "scores",
    "subgroups",
    "temporal",
]
