"""Effects that others have published, to stand beside ours: never pooled with them, never without source and grade."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

from analysis.schema import PUBLISHED_EFFECTS, check

FILE = Path(__file__).with_name("published_effects.csv")
GRADES = ("verified", "secondary")  # read in the primary text; read in a text that quotes it


@cache
def _stored() -> pd.DataFrame:
    return check(pd.read_csv(FILE), PUBLISHED_EFFECTS)


def published(terms: list[str] | None = None) -> pd.DataFrame:
    """What have others found for these terms of a model? Table PUBLISHED_EFFECTS, in the order of the file.

    The published outcome is seldom ours: progression-free survival counts progression and death together, overall
    survival counts death after later lines too. `event` names the one of ours that it stands nearest to.

    Example
    -------
    >>> published(["gain_1q"])[["event", "estimate", "grade"]].values.tolist()
    [['relapse', 1.5, 'verified'], ['death', 1.85, 'verified']]
    """
    stored = _stored()
    return (stored if terms is None else stored[stored["term"].isin(terms)]).reset_index(drop=True)
