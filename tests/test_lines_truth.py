"""Derived lines against what is known: the simulator's own lines, and the labels of CoMMpass."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.derive import regimens
from analysis.sources import gdc, synthetic

SHARED = Path(os.environ.get("RELAPSE_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
REAL = SHARED / "gdc_commpass" / "clinical.tsv"
GOLDEN_SHA256 = "95c97ff41857a378554b5f2899bf1a7acd599b8a352cdade21ba76881e0e2b74"


@pytest.fixture(scope="module")
def cohort():
    return synthetic.simulate(patients=3_000, seed=11)


def share_exact(cohort, treatments, **choices) -> float:
    """Share of patients with exactly the true lines: as many, on the same days."""
    starts = [
        lines.groupby("patient_id")["start_day"].agg(tuple)
        for lines in (
            regimens.lines({"treatments": cohort["treatments"]}),
            regimens.lines_of_therapy(treatments, "rajkumar", **choices),
        )
    ]
    return float((starts[0] == starts[1].reindex(starts[0].index)).mean())


@pytest.mark.parametrize("left_out", [["line"], ["line", "phase"]], ids=["with phases", "without phases"])
@pytest.mark.parametrize("doubled", [0.0, 0.02], ids=["as recorded", "2 % of rows twice"])
def test_true_lines_of_the_simulator(cohort, left_out, doubled):
    """A line of the simulator goes on to progression or toxicity; its rows are whole courses with their ends."""
    treatments = cohort["treatments"].drop(columns=left_out)
    treatments = pd.concat([treatments, treatments.sample(frac=doubled, random_state=1)])
    exact = share_exact(cohort, treatments, findings=cohort["findings"], interruption_days=0)
    assert exact >= 0.98, f"{exact:.4f} of patients have exactly the true lines"


def test_what_the_records_alone_do_not_tell(cohort):
    """The same drugs taken up again are the same line (Rajkumar), to the simulator a new one after a progression."""
    treatments = cohort["treatments"].drop(columns="line")
    shares = {
        "progressions, rows as refills": share_exact(cohort, treatments, findings=cohort["findings"]),
        "treatments alone": share_exact(cohort, treatments),
    }
    assert 0.95 < shares["progressions, rows as refills"] < 0.98
    assert 0.90 < shares["treatments alone"] < 0.95


# --- the real file ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real():
    if not REAL.is_file():
        pytest.skip(f"the CoMMpass export is not here ({REAL.name}); set RELAPSE_SHARED_DATA to its parent folder")
    if hashlib.sha256(REAL.read_bytes()).hexdigest() != GOLDEN_SHA256:
        pytest.skip("another release of the CoMMpass export: the golden numbers hold for one exact file")
    return gdc.read(REAL.parent)


@pytest.mark.parametrize(
    ("rule", "choices", "golden"),
    [
        ("rajkumar", {}, (1660, 632, 612)),
        ("rajkumar", {"window_days": 90}, (1497, 683, 657)),
        ("ohdsi", {}, (1762, 605, 587)),
        ("window_gap", {}, (1675, 636, 621)),
    ],
    ids=str,
)
def test_golden_agreement_with_the_labels(real, rule, choices, golden):
    """Lines derived, patients with as many lines as labelled, and of these with every start within 30 days."""
    derived = regimens.lines(real, rule, **choices)
    agreement = regimens.compare_lines(derived, regimens.lines(real))
    equal = agreement[agreement["lines_stated"] == agreement["lines_derived"]]
    assert agreement["patients"].sum() == 994
    assert (len(derived), int(equal["patients"].sum()), int(agreement["same_starts"].sum())) == golden


def test_golden_reasons_of_disagreement(real):
    """Most who disagree have more lines by rule, and the first of these is a change within the labelled line 1."""
    stated, derived = regimens.lines(real), regimens.lines(real, "rajkumar")
    numbers = pd.DataFrame({"stated": stated.groupby("patient_id").size()})
    numbers["derived"] = derived.groupby("patient_id").size().reindex(numbers.index).fillna(0)
    undated = numbers["derived"] == 0
    more, fewer = numbers["derived"] > numbers["stated"], (numbers["derived"] < numbers["stated"]) & ~undated
    assert (int(undated.sum()), int(more.sum()), int(fewer.sum())) == (75, 261, 26)
    nearest = derived.merge(stated[["patient_id", "start_day"]], on="patient_id", suffixes=("", "_stated"))
    far = (nearest["start_day"] - nearest["start_day_stated"]).abs().groupby([nearest["patient_id"], nearest["line"]])
    unlabelled = derived.set_index(["patient_id", "line"])[(far.min() > 30).to_numpy()].reset_index()
    first = unlabelled[unlabelled["patient_id"].isin(more.index[more])].drop_duplicates("patient_id")
    second = stated[stated["line"] == 2].set_index("patient_id")["start_day"]
    within_first = first["start_day"].to_numpy() < first["patient_id"].map(second).fillna(np.inf).to_numpy()
    transplants = real["treatments"][real["treatments"]["agent"].str.contains("transplant")]
    earliest = transplants.groupby("patient_id")["start_day"].min().astype("float64")
    transplanted, day = first["patient_id"].map(earliest).to_numpy(), first["start_day"].to_numpy()
    place = np.select([transplanted <= day, transplanted > day], ["after transplant", "before transplant"], "without")
    counted = pd.Series(place[within_first]).value_counts().to_dict()
    assert counted == {"without": 114, "before transplant": 65, "after transplant": 45}
