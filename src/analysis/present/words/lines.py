"""Sentences on the groups that lines are split into."""

from __future__ import annotations

import pandas as pd

from analysis.present.words.cohort import small_groups


def eras(groups: pd.DataFrame, minimum_patients: int) -> str:
    """Can years of treatment be compared, and which are too small? `groups`: schema.GROUPS by line and era."""
    if groups.empty:
        return "The source gives no calendar year, so years of treatment cannot be compared."
    return small_groups(groups, minimum_patients)
