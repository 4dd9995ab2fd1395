"""On which days blood is drawn: monthly, later every second month, and on the days that matter."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.sources.synthetic import parameters as p


def schedule(spans: pd.DataFrame, last_contact: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Row of `spans` and day of each visit, sorted by both; every line begins with one on its first day.

    The visit on which a relapse is told stands for the planned ones shortly before it, the confirming one four weeks
    later for those in between; who turns clinical after that comes on that day too.
    """
    start = spans["start_day"].to_numpy()
    stop = np.minimum(spans["next_day"].to_numpy() - 1, last_contact)
    early = np.minimum((stop - start) // p.VISIT_DAYS_EARLY, p.VISITS_EARLY)
    later = np.maximum(stop - start - p.VISIT_DAYS_EARLY * p.VISITS_EARLY, 0) // p.VISIT_DAYS_LATER
    count = (1 + early + later).astype("int64")
    which = np.repeat(np.arange(len(spans)), count)
    number = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    offset = p.VISIT_DAYS_EARLY * np.minimum(number, p.VISITS_EARLY)
    offset = offset + p.VISIT_DAYS_LATER * np.maximum(number - p.VISITS_EARLY, 0)
    jitter = rng.integers(-p.VISIT_JITTER_DAYS, p.VISIT_JITTER_DAYS + 1, len(which)) * (number > 0)
    day = np.minimum(start[which] + offset + jitter, stop[which])
    told = spans["progression_day"].to_numpy()
    since = day - told[which]
    replaced = (since > -p.VISIT_BROUGHT_FORWARD_DAYS) & (since < p.CONFIRMED_AFTER_DAYS) & (number > 0)
    which, day = which[~replaced], day[~replaced]
    special = (told, told + p.CONFIRMED_AFTER_DAYS, spans["clinical_day"].to_numpy())
    extra = [(days, np.flatnonzero(days <= stop)) for days in special]
    which = np.concatenate([which, *(rows for _, rows in extra)])
    day = np.concatenate([day, *(days[rows] for days, rows in extra)])
    # Sorting one number per visit is many times faster than sorting by two columns; a repeated visit falls out.
    visits = np.sort(which * 2**20 + day.astype("int64"))
    visits = visits[np.diff(visits, prepend=-1) > 0]
    return visits >> 20, visits & (2**20 - 1)
