"""The vocabulary of the house: every table that crosses a wall, its columns, units and meaning.

`check(frame, TABLE)` is the one check and `SchemaError` its one error; `BadInputError` carries the
faults that a reader found in somebody's files. The tables themselves are plain declarations in
`cohort.py` (what a source delivers and what is derived from it), `response.py` (what raw values say of
each line), `predictors.py` (what was known when a line began), `covariates.py` (what became known later, what is
missing), `results.py` (what an estimate returns), `effects.py` (what a regression returns), `prediction.py` (risks and
how good they are), `cards.py` (what is said of a stored model) and `treatment.py` (what is said of treatments and
lines).
"""

from analysis.schema.cards import MODEL_CARD, PATIENT_RISKS
from analysis.schema.cohort import COHORT, FINDINGS, LABS, LINES, PATIENTS, SPELLS, TREATMENTS, TRUTH
from analysis.schema.covariates import EFFECT_BY_TIME, FUNCTIONAL_FORM, LANDMARK_SPELLS, PATTERNS, STATUS_SPELLS
from analysis.schema.effects import CONTRASTS, EFFECTS, PUBLISHED_EFFECTS, RESIDUALS, TERMS, TESTS
from analysis.schema.faults import FAULTS, BadInputError, fault_lines
from analysis.schema.prediction import (
    CALIBRATION_CURVE,
    LEARNING,
    NET_BENEFIT,
    OPTIMISM,
    PREDICTIONS,
    SCORES,
    SUBGROUP_SCORES,
)
from analysis.schema.predictors import KNOWN, NO_EARLIER_LINE, PREDICTOR_CLASSES, PREDICTORS
from analysis.schema.response import (
    ASSESSMENTS,
    EARLY_RELAPSE,
    EVALUABLE,
    IMPLAUSIBLE,
    OUTCOMES,
    REFRACTORY,
    REFRACTORY_STATUS,
    STAGING,
)
from analysis.schema.results import (
    AT_TIMES,
    ATTRITION,
    CALIBRATION,
    CHECKS,
    CURVES,
    DESCRIPTION,
    DIFFERENCES,
    EXPECTED_TIMES,
    FLOW,
    GROUP_TESTS,
    GROUPS,
    MISSINGNESS,
    OCCUPANCY,
    QUANTILES,
    RATES,
    RESTRICTED_MEANS,
    RISK,
)
from analysis.schema.table import Column, SchemaError, Table, check, empty, joined
from analysis.schema.treatment import (
    AGENTS,
    CLASS_FLOWS,
    CLASS_SHARES,
    COURSES,
    DEFINITIONS,
    LINE_AGREEMENT,
    REASONS,
    REGIMENS,
    SPECIFICATIONS,
    STRATEGIES,
)

DAYS_PER_YEAR = 365.25
DAYS_PER_MONTH = DAYS_PER_YEAR / 12

__all__ = [
    "AGENTS",
    "ASSESSMENTS",
    "ATTRITION",
    "AT_TIMES",
    "CALIBRATION",
    "CALIBRATION_CURVE",
    "CHECKS",
    "CLASS_FLOWS",
    "CLASS_SHARES",
    "COHORT",
    "CONTRASTS",
    "COURSES",
    "CURVES",
    "DAYS_PER_MONTH",
    "DAYS_PER_YEAR",
    "DEFINITIONS",
    "DESCRIPTION",
    "DIFFERENCES",
    "EARLY_RELAPSE",
    "EFFECTS",
    "EFFECT_BY_TIME",
    "EVALUABLE",
    "EXPECTED_TIMES",
    "FAULTS",
    "FINDINGS",
    "FLOW",
    "FUNCTIONAL_FORM",
    "GROUPS",
    "GROUP_TESTS",
    "IMPLAUSIBLE",
    "KNOWN",
    "LABS",
    "LANDMARK_SPELLS",
    "LEARNING",
    "LINES",
    "LINE_AGREEMENT",
    "MISSINGNESS",
    "MODEL_CARD",
    "NET_BENEFIT",
    "NO_EARLIER_LINE",
    "OCCUPANCY",
    "OPTIMISM",
    "OUTCOMES",
    "PATIENTS",
    "PATIENT_RISKS",
    "PATTERNS",
    "PREDICTIONS",
    "PREDICTORS",
    "PREDICTOR_CLASSES",
    "PUBLISHED_EFFECTS",
    "QUANTILES",
    "RATES",
    "REASONS",
    "REFRACTORY",
    "REFRACTORY_STATUS",
    "REGIMENS",
    "RESIDUALS",
    "RESTRICTED_MEANS",
    "RISK",
    "SCORES",
    "SPECIFICATIONS",
    "SPELLS",
    "STAGING",
    "STATUS_SPELLS",
    "STRATEGIES",
    "SUBGROUP_SCORES",
    "TERMS",
    "TESTS",
    "TREATMENTS",
    "TRUTH",
    "BadInputError",
    "Column",
    "SchemaError",
    "Table",
    "check",
    "empty",
    "fault_lines",
    "joined",
]
