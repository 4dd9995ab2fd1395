"""What if covariates are missing? The pattern of the gaps, multiple imputation, and complete cases beside it.

patterns.py   `patterns`: which columns lack a value together, and how often
variables.py  spells as one row per patient: numbers and codes, gaps, and what the outcome says
chained.py    chained equations with predictive mean matching, on plain arrays
completed.py  `imputed`: the spells with every gap filled, several times over
pooling.py    `pooled`: Rubin's rules; `with_imputation`: imputed and complete cases, side by side
"""

from analysis.estimate.imputation.completed import imputed
from analysis.estimate.imputation.patterns import patterns
from analysis.estimate.imputation.pooling import pooled, with_imputation

__all__ = ["imputed", "patterns", "pooled", "with_imputation"]
