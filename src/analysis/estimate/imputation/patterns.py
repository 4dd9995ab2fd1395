"""Which columns lack a value together, and how often?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.estimate.imputation.variables import by_patient, check_columns, gaps
from analysis.schema import PATTERNS


def patterns(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Which values are missing together, in how many patients?

    Returns PATTERNS, the most frequent first. "unknown" is missing. A patient with several lines counts once, by the
    first of them; without a column `patient_id` rows are counted. R: `mice::md.pattern(frame)`.

    Raises
    ------
    analysis.schema.SchemaError
        for a column that is not there.

    Example
    -------
    >>> frame = pd.DataFrame({"iss": ["I", "unknown", "II"], "del17p": pd.array([True, None, None], "boolean")})
    >>> patterns(frame, ["iss", "del17p"])[["pattern", "count"]].values.tolist()
    [['complete', 1.0], ['del17p', 1.0], ['iss + del17p', 1.0]]
    """
    check_columns(frame, columns, least=1)
    first, _ = by_patient(frame)
    missing = np.column_stack([gaps(first[name]) for name in columns])
    kinds, count = np.unique(missing, axis=0, return_counts=True)
    found = pd.DataFrame(
        {
            "pattern": [" + ".join(np.array(columns, dtype=object)[kind]) or "complete" for kind in kinds],
            "columns": kinds.sum(axis=1).astype("int64"),
            "count": count.astype(float),
            "total": float(len(first)),
        }
    )
    found["share"] = found["count"] / found["total"]
    order = ["count", "columns", "pattern"]
    return found.sort_values(order, ascending=[False, True, True], ignore_index=True)[PATTERNS.names]
