"""The embedded cohort: synthetic patients with raw records and a known truth, calibrated to the literature.

Nobody here is real. Reading order: parameters.py (every number and where it comes from), characteristics.py
(patients), process.py (what truly happens), treatments.py, findings.py, visits.py, kinetics.py
and markers.py (what gets written down), truth.py (the true risk, and what would have been).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.schema import TRUTH
from analysis.sources.synthetic import characteristics, findings, markers, parameters, process, treatments
from analysis.sources.synthetic.parameters import DEATH_LOG_HAZARD_RATIOS, RELAPSE_LOG_HAZARD_RATIOS
from analysis.sources.synthetic.truth import counterfactual, true_risk

PATIENTS, SEED, PART_SIZE = 5_000, 2026, 20_000
FINGERPRINT_INPUTS = tuple(sorted(path for path in Path(__file__).parent.iterdir() if path.suffix in (".py", ".csv")))
__all__ = [
    "DEATH_LOG_HAZARD_RATIOS",
    "FINGERPRINT_INPUTS",
    "PART_SIZE",
    "PATIENTS",
    "RELAPSE_LOG_HAZARD_RATIOS",
    "SEED",
    "best_possible",
    "counterfactual",
    "parts",
    "simulate",
    "true_risk",
]


def simulate(patients: int = PATIENTS, seed: int = SEED) -> dict[str, pd.DataFrame]:
    """A cohort of synthetic patients as raw records: what would a hospital have on file for such patients?

    Returns the tables "cohort", "patients", "treatments", "labs" and "findings" (COHORT, PATIENTS, TREATMENTS, LABS,
    FINDINGS), all in whole days since the start of the first treatment, and beside them "truth" (TRUTH), which tests
    may read and no analysis does. The same number of patients and seed give the same frames.

    The process: per line k, relapse has the hazard z exp(log hazard ratios) (a_k / b_k) (t / b_k)^(a_k - 1) (Weibull,
    shape a_k, scale b_k), death in the line a constant hazard; z is the patient's log-normal frailty, shared by all
    lines and, raised to a power, by death. The true log hazard ratios stand in RELAPSE_LOG_HAZARD_RATIOS and
    DEATH_LOG_HAZARD_RATIOS; `truth["log_hazard_ratio"]` is their sum at the line's start with that of the regimen,
    `truth["response_log_hazard_ratio"]` what the response adds later. Lifestyle has no effect at all.

    Raises
    ------
    ValueError
        when fewer than one patient is asked for, or the seed is negative.

    Example
    -------
    >>> cohort = simulate(patients=50, seed=1)
    >>> sorted(cohort)
    ['cohort', 'findings', 'labs', 'patients', 'treatments', 'truth']
    >>> len(cohort["patients"]), int(cohort["treatments"]["start_day"].min())
    (50, 0)
    """
    _refuse(patients=(patients, 1), seed=(seed, 0))
    return _part(patients, seed, 0, patients)


def best_possible(horizons_months: Sequence[float], patients: int = PATIENTS, seed: int = SEED) -> pd.DataFrame:
    """How well could anybody foresee a relapse in the cohort that `simulate` makes? TRUE_RISK, see `true_risk`.

    A ceiling to hold the scores of predictions against, never an input to one.

    Example
    -------
    >>> bool(best_possible([12], patients=50, seed=1)["line"].max() > 1)
    True
    """
    return true_risk(simulate(patients, seed)["truth"], horizons_months)


def parts(patients: int = PATIENTS, seed: int = SEED, part_size: int = PART_SIZE) -> Iterator[dict[str, pd.DataFrame]]:
    """The same cohort in parts of bounded size: for more patients than fit into memory at once.

    Yields dicts as `simulate` returns them; patient numbers go on from part to part. A part depends only on the
    seed, on its first patient and on its size, so parts may be made in any order; the first equals
    `simulate(part_size, seed)`.

    Raises
    ------
    ValueError
        when fewer than one patient, or parts of fewer than one, are asked for, or the seed is negative.

    Example
    -------
    >>> [len(part["patients"]) for part in parts(patients=25, seed=1, part_size=10)]
    [10, 10, 5]
    """
    _refuse(patients=(patients, 1), seed=(seed, 0), part_size=(part_size, 1))
    return (_part(min(part_size, patients - first), seed, first, patients) for first in range(0, patients, part_size))


def _refuse(**stated: tuple[int, int]) -> None:
    """Each name with what came and the least that makes sense; all faults at once, before any work."""
    faults = [
        f"{name}: expected at least {least}, came {came}" for name, (came, least) in stated.items() if came < least
    ]
    if faults:
        raise ValueError("; ".join(faults) + "; ask for a whole number in that range")


def _part(patients: int, seed: int, first: int, whole: int) -> dict[str, pd.DataFrame]:
    """Each kind of record has its own stream of random numbers, so a change in one leaves the others as they were."""
    streams = [np.random.default_rng([seed, first, kind]) for kind in range(6)]
    true, on_file = characteristics.draw(patients, first, streams[0])
    spans = process.run(true, streams[1])
    seen = process.censor(true, spans, streams[2])
    last_contact = seen["last_contact_day"].to_numpy()
    spans = spans[spans["start_day"].to_numpy() < last_contact[spans["patient"].to_numpy()]].reset_index(drop=True)
    last = last_contact[spans["patient"].to_numpy()]
    ids = true["patient_id"].to_numpy(object)
    return {
        "cohort": _cohort(whole, seed),
        "patients": pd.concat([on_file[["patient_id", "entry_day"]], seen, on_file.iloc[:, 2:]], axis=1),
        "treatments": _named(treatments.records(spans, last, streams[3]), ids),
        "labs": _named(markers.records(spans, true, last, streams[4]), ids),
        "findings": _named(findings.records(spans, last, streams[5]), ids),
        "truth": _truth(spans, ids),
    }


def _named(rows: pd.DataFrame, ids: np.ndarray) -> pd.DataFrame:
    """The patient's number becomes the patient's name."""
    patient = ids[rows["patient"].to_numpy()]
    rest = {name: rows[name] for name in rows.columns if name != "patient"}
    return pd.DataFrame({"patient_id": patient, **rest}, copy=False)


def _truth(spans: pd.DataFrame, ids: np.ndarray) -> pd.DataFrame:
    truth = _named(spans[["patient", *[name for name in TRUTH.names if name in spans]]], ids)
    for name in ("start_day", "relapse_day", "progression_day", "clinical_day", "change_day", "death_day"):
        truth[name] = truth[name].where(np.isfinite(truth[name])).astype("Int64")
    return truth[TRUTH.names].astype({"start_day": "int64"})


def _cohort(patients: int, seed: int) -> pd.DataFrame:
    row = {
        "name": "synthetic",
        "title": f"Synthetic myeloma cohort ({patients:,} patients, seed {seed})",
        "synthetic": True,
        "endpoint": "relapse",
        "time_zero": "start of the first treatment",
        "source": "simulated by this project; no row is a real patient",
        "citation": f"Myeloma relapse suite, synthetic cohort, release {parameters.RELEASE}, seed {seed}",
        "licence": "GPL-3.0-or-later, as this project",
        "release": parameters.RELEASE,
    }
    return pd.DataFrame([row])
