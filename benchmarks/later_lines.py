"""How far off are plain curves of later lines when follow-up is limited and the gaps of one patient hang together?

Patients fare alike on all their lines (log-normal frailty), so those seen on a later line within limited follow-up are
those whose earlier lines were short. The plain Kaplan-Meier share with the event by 12 months is set beside the share
of all who would ever start the line. Nobody dies here: the difference is that of who is seen, nothing else.

Run: python benchmarks/later_lines.py
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.estimate.curves import kaplan_meier

PATIENTS, SEED = 1_000_000, 2026
MEDIAN_MONTHS = (45.0, 18.0, 12.0)  # from the start of a line to its end, for a frailty of 1
LOG_SD = 0.5  # of the frailty, a multiplier of the hazard with mean 1
CENSORED_MONTHS = (6.0, 60.0)  # uniform, from the start of line 1
HORIZON_MONTHS = 12.0


def shares(patients: int = PATIENTS, seed: int = SEED) -> pd.DataFrame:
    """Per line: the share with the event by the horizon, as the plain curve has it and among all who ever start it."""
    rng = np.random.default_rng(seed)
    frailty = np.exp(rng.normal(-(LOG_SD**2) / 2, LOG_SD, patients))
    watched = rng.uniform(*CENSORED_MONTHS, patients)
    start, rows = np.zeros(patients), []
    for line, median in enumerate(MEDIAN_MONTHS, start=1):
        gap = rng.exponential(median / np.log(2) / frailty)
        left = watched - start
        seen = left > 0
        # Hundredths of a month keep the number of distinct times small.
        spells = pd.DataFrame({
            "entry": 0,
            "time": np.ceil(np.minimum(gap, left)[seen] * 100),
            "event": np.where(gap <= left, "relapse", "censored")[seen],
        })  # fmt: skip
        curve = kaplan_meier(spells)
        plain = 1 - curve.loc[curve["time"] <= HORIZON_MONTHS * 100, "estimate"].iloc[-1]
        rows.append((line, int(seen.sum()), plain, float((gap <= HORIZON_MONTHS).mean())))
        start = start + gap
    return pd.DataFrame(rows, columns=["line", "seen", "plain_kaplan_meier", "all_who_ever_start"])


if __name__ == "__main__":
    print(shares().round(4).to_string(index=False))
