"""All patients at once against one patient at a time: the same lines, agents and reasons on messy random records."""

import lines_by_patient
import numpy as np
import pandas as pd
import pytest

from analysis.derive import regimens

AGENTS = (
    "bortezomib", "lenalidomide", "thalidomide", "daratumumab", "carfilzomib", "pomalidomide", "cyclophosphamide",
    "melphalan", "elixir", "dexamethasone", "prednisone", "fludarabine", "autologous transplant",
    "allogeneic transplant", "leukapheresis", "ciltacabtagene autoleucel", "idecabtagene vicleucel",
)  # fmt: skip
WEIGHTS = np.array([6, 6, 2, 4, 3, 3, 3, 2, 1, 6, 1, 1, 3, 0.5, 1, 1, 0.5])
PHASES = ("unknown", "induction", "transplant", "maintenance", "bridging", "treatment")


def messy(patients: int, seed: int, phases: bool) -> pd.DataFrame:
    """Random rows of random agents: short and long, overlapping, without an end, on the same days."""
    random = np.random.default_rng(seed)
    rows = random.integers(1, 16, patients)
    size = rows.sum()
    start = np.cumsum(random.choice([0, 0, 5, 20, 35, 60, 100, 200, 400], size))
    who = np.repeat(np.arange(patients), rows)
    start = start - start[np.searchsorted(who, who)] + random.integers(0, 4, size) - 500
    length = random.choice([0, 3, 10, 27, 60, 120, 300, 700], size)
    end = pd.array(start + length, dtype="Int64")
    end[random.random(size) < 0.07] = pd.NA
    frame = pd.DataFrame({"patient_id": [f"p{n:05d}" for n in who], "start_day": start, "end_day": end})
    frame["agent"] = random.choice(np.array(AGENTS, dtype=object), size, p=WEIGHTS / WEIGHTS.sum())
    if phases:
        frame["phase"] = random.choice(np.array(PHASES, dtype=object), size, p=[0.5, 0.1, 0.1, 0.1, 0.1, 0.1])
    return frame.sample(frac=1, random_state=seed).reset_index(drop=True)


@pytest.mark.parametrize("phases", [True, False], ids=["phases", "no phases"])
@pytest.mark.parametrize(
    ("rule", "choices"),
    [
        ("rajkumar", {}),
        ("rajkumar", {"gap_days": 120, "window_days": 60}),
        ("ohdsi", {}),
        ("ohdsi", {"gap_days": None}),
        ("window_gap", {}),
        ("window_gap", {"gap_days": None, "window_days": 90}),
    ],
    ids=str,
)
def test_all_at_once_equals_one_by_one(rule, choices, phases):
    treatments = messy(1_200, seed=20 + phases, phases=phases)
    days = np.random.default_rng(5).integers(-500, 1000, 800)
    findings = pd.DataFrame({"patient_id": treatments["patient_id"].head(800), "day": days, "finding": "progression"})
    findings["value"] = ""
    found = regimens.lines_of_therapy(treatments, rule, findings=findings, **choices)
    by_day = findings.groupby("patient_id")["day"].agg(list).to_dict()
    expected = lines_by_patient.by_patient(treatments, rule, by_day, **choices)
    pd.testing.assert_frame_equal(found[lines_by_patient.COLUMNS].astype(object), expected.astype(object))
