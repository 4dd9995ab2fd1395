"""The vocabulary of the house: every table that crosses a wall, its columns, units and meaning.

`check(frame, TABLE)` is the one check and `SchemaError` its one error; `BadInputError` carries the
faults that a reader found in somebody's files. The tables themselves are plain declarations in
`cohort.py` (what a source delivers and what is derived from it), `response.py` (what raw values say of
each line), `results.py` (what an estimate returns), `effects.py` (what a regression returns), `parametric.py` (what
a parametric model of time returns) and `treatment.py` (what is said of treatments and lines).
"""

from analysis.schema.cohort import COHORT, FINDINGS, LABS, LINES, PATIENTS, SPELLS, TREATMENTS, TRUTH
from analysis.schema.effects import CONTRASTS, EFFECTS, PUBLISHED_EFFECTS, RESIDUALS, TERMS, TESTS
from analysis.schema.faults import FAULTS, BadInputError, fault_lines
from analysis.schema.parametric import FITS, FITTED_CURVES, PARAMETERS
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
    "EVALUABLE",
    "EXPECTED_TIMES",
    "FAULTS",
    "FINDINGS",
    "FITS",
    "FITTED_CURVES",
    "FLOW",
    "GROUPS",
    "GROUP_TESTS",
    "IMPLAUSIBLE",
    "LABS",
    "LINES",
    "LINE_AGREEMENT",
    "MISSINGNESS",
    "OCCUPANCY",
    "OUTCOMES",
    "PARAMETERS",
    "PATIENTS",
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
    "SPECIFICATIONS",
    "SPELLS",
    "STAGING",
    "STRATEGIES",
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
