"""`derive.response` against the plain-Python oracle on random series of random patients."""

import numpy as np
import pandas as pd
import pytest
from response_oracle import depth, progression

from analysis.derive import response

FAR = 10**6
UNITS = {"serum M-protein": "g/dL", "urine M-protein": "mg/24 h", "kappa free light chain": "mg/L",
         "lambda free light chain": "mg/L"}  # fmt: skip


def course(random):
    """Two or three lines, and days of samples around them, a few on the very days that lines begin."""
    starts = np.cumsum(np.append(0, random.integers(20, 400, random.integers(0, 3)))).tolist()
    days = random.choice(np.arange(-70, 900), random.integers(3, 25), replace=False).tolist()
    return starts, sorted({*days, *(day for day in starts if random.random() < 0.6)})


def series(random):
    """Values that sit near the limits: steps of a serum level, a urine level or a chain, up and down."""
    secretes = random.random()
    starts, days = course(random)
    level = np.round(np.exp(np.cumsum(random.normal(0, 0.6, len(days))) + random.normal(0.5, 1)), 1)
    serum = {day: float(min(value, 9)) for day, value in zip(days, level, strict=True) if random.random() < 0.9}
    if secretes < 0.4:
        serum = {day: round(value / 20, 1) for day, value in serum.items()}
    urine = {day: float(round(value * 90)) for day, value in zip(days, level, strict=True) if random.random() < 0.5}
    if secretes < 0.7:
        urine = {}
    chains = {
        day: (float(round(12 + value * 60)), 12.0)
        for day, value in zip(days, level, strict=True)
        if random.random() < 0.9
    }
    if random.random() < 0.4:
        chains = {day: (two, one) for day, (one, two) in chains.items()}
    return starts, serum, urine, chains


def labs(patient, serum, urine, chains):
    rows = [(patient, day, "serum M-protein", value) for day, value in serum.items()]
    rows += [(patient, day, "urine M-protein", value) for day, value in urine.items()]
    rows += [(patient, day, "kappa free light chain", one) for day, (one, _) in chains.items()]
    rows += [(patient, day, "lambda free light chain", two) for day, (_, two) in chains.items()]
    return pd.DataFrame(rows, columns=["patient_id", "day", "test", "value"]).assign(
        unit=lambda frame: frame["test"].map(UNITS)
    )


@pytest.fixture(scope="module")
def patients():
    random = np.random.default_rng(2026)
    return {f"p{number:04d}": series(random) for number in range(1500)}


@pytest.fixture(scope="module")
def cohort(patients):
    return {"labs": pd.concat([labs(name, *drawn[1:]) for name, drawn in patients.items()], ignore_index=True)}


@pytest.fixture(scope="module")
def lines(patients):
    rows = [(name, line, day) for name, drawn in patients.items() for line, day in enumerate(drawn[0], start=1)]
    return pd.DataFrame(rows, columns=["patient_id", "line", "start_day"])


@pytest.mark.parametrize("version", [2016, 2011])
@pytest.mark.parametrize("nadir_mode", ["confirmed", "any"])
def test_progression_is_that_of_the_oracle(patients, cohort, lines, nadir_mode, version):
    found = response.outcomes(cohort, lines, mode="lab_only", nadir_mode=nadir_mode, imwg_version=version)
    expected = []
    for name, (starts, serum, urine, chains) in patients.items():
        for start, until in zip(starts, [*starts[1:], FAR], strict=True):
            answer = progression(serum, urine, chains, start, until, version, nadir_mode)
            expected.append((name, *(answer or (None, None))))
    expected = pd.DataFrame(expected, columns=["patient_id", "day", "confirmed"]).astype(
        {"day": "Int64", "confirmed": "Int64"}
    )
    assert found["patient_id"].tolist() == expected["patient_id"].tolist()
    assert expected["day"].notna().sum() > 300
    for ours, theirs in (("progression_day", "day"), ("confirmed_day", "confirmed")):
        assert found[ours].equals(expected[theirs].rename(ours)), f"{ours} differs"


def test_depth_is_that_of_the_oracle(patients, cohort, lines):
    found = response.assess(cohort, lines, mode="lab_only")
    words = ["PD", "SD", "MR", "PR", "VGPR"]
    kinds = {"serum M-protein": "serum", "urine M-protein": "urine", "free light chains": "chains"}
    starts = lines.set_index(["patient_id", "line"])["start_day"]
    checked = 0
    for row in found[~found["level"].isin(["PD", "CR", "sCR"])].itertuples(index=False):
        _, _, urine, _ = patients[row.patient_id]
        start = starts[(row.patient_id, row.line)]
        recent = [day for day in urine if max(row.day - 30, start + 1) <= day <= row.day]
        first = [day for day in urine if start - 60 <= day <= start]
        late = [day for day in urine if start < day <= start + 7]
        base = urine[max(first)] if first else urine[min(late)] if late else float("nan")
        known = (urine[max(recent)], base) if recent else None
        assert row.level == words[depth(kinds[row.parameter], row.value, row.baseline, known)], row
        checked += 1
    assert checked > 2000
