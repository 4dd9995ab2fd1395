"""What the clinic writes down: progression, best response, MRD and symptoms."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.schema import DAYS_PER_MONTH
from analysis.sources.synthetic import parameters as p

SIGNS = ("new bone lesion", "plasmacytoma", "renal impairment")  # what makes a relapse clinical, beside blood values


def records(spans: pd.DataFrame, last_contact: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """FINDINGS of the lines seen (without patient_id), nothing after last contact or after the line's end."""
    stop = np.minimum(spans["next_day"].to_numpy() - 1, last_contact)
    parts = [
        *_progressions(spans, stop),
        _best_responses(spans, stop, rng),
        _mrd(spans, stop, rng),
        *_symptoms(spans, stop, rng),
    ]
    rows = pd.concat([part for part in parts if len(part)], ignore_index=True)
    rows["day"], rows["line"] = rows["day"].astype("int64"), rows["line"].astype("Int64")
    return rows.sort_values(["patient", "day", "line", "finding", "value"], ignore_index=True)


def _rows(spans: pd.DataFrame, day: np.ndarray, finding: str, value, keep: np.ndarray) -> pd.DataFrame:
    value = np.asarray(value, dtype=object)
    value = value[keep] if value.ndim else str(value)
    kept = spans[keep]
    frame = pd.DataFrame({"patient": kept["patient"].to_numpy(), "day": np.asarray(day)[keep], "finding": finding})
    return frame.assign(value=value, line=kept["line"].to_numpy())


def _progressions(spans: pd.DataFrame, stop: np.ndarray) -> list[pd.DataFrame]:
    """The first progression of a line, and the clinical one that follows a biochemical one if nothing was begun."""
    first, clinical_day = spans["progression_day"].to_numpy(), spans["clinical_day"].to_numpy()
    kind = np.where(spans["clinical"], "clinical", "biochemical").astype(object)
    later = ~spans["clinical"].to_numpy() & (clinical_day <= stop)
    return [
        _rows(spans, first, "progression", kind, first <= stop),
        _rows(spans, clinical_day, "progression", "clinical", later),
    ]


def _best_responses(spans: pd.DataFrame, stop: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Deeper responses take longer; PD is written on the day of progression."""
    months = {"PD": 2.0, "SD": 1.5, "MR": 2.0, "PR": 2.5, "VGPR": 4.0, "CR": 6.0, "sCR": 7.0}
    wait = spans["best_response"].map(months).to_numpy(float) * DAYS_PER_MONTH
    day = spans["start_day"].to_numpy() + np.rint(wait * rng.uniform(0.7, 1.3, len(spans)))
    before = np.minimum(stop, np.where(np.isfinite(spans["progression_day"]), spans["progression_day"] - 1, np.inf))
    day = np.maximum(np.minimum(day, before), spans["start_day"].to_numpy() + 1)
    known = (day <= stop) & (rng.random(len(spans)) > p.PARTS_MISSING) & (stop - spans["start_day"] >= 28)
    return _rows(spans, day, "best response", spans["best_response"], known.to_numpy())


def _mrd(spans: pd.DataFrame, stop: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """MRD is looked for in a share of the deep responders who are alive and free of progression on the day."""
    day = spans["start_day"].to_numpy() + np.rint(rng.normal(p.MRD_DAY, p.MRD_DAY_SD, len(spans)))
    share = np.where(spans["line"] == 1, *p.MRD_TESTED)
    deep = spans["best_response"].isin(["VGPR", "CR", "sCR"]).to_numpy()
    tested = deep & (rng.random(len(spans)) < share) & (day <= stop)
    tested &= (day < spans["progression_day"].to_numpy()) & (day < spans["change_day"].to_numpy())
    value = np.where(spans["mrd_negative"], "negative", "positive").astype(object)
    return _rows(spans, day, "MRD", value, tested)


def _symptoms(spans: pd.DataFrame, stop: np.ndarray, rng: np.random.Generator) -> list[pd.DataFrame]:
    """At diagnosis, in the background, and crowding before a clinical relapse; its signs are seen on its own day."""
    parts, around = [], {}
    start, first = spans["start_day"].to_numpy(), (spans["line"] == 1).to_numpy()
    clinical = spans["clinical_day"].to_numpy()
    months = np.maximum(stop - start, 0) / DAYS_PER_MONTH
    for finding, (at_diagnosis, per_month, at_relapse) in p.SYMPTOMS.items():
        chance = rng.random(len(spans)) < at_diagnosis
        parts.append(_rows(spans, start, finding, "", first & chance))
        count = rng.poisson(per_month * months)
        which = np.repeat(np.arange(len(spans)), count)
        day = start[which] + np.floor(rng.random(len(which)) * (stop - start + 1)[which])
        parts.append(_rows(spans.iloc[which], day, finding, "", np.ones(len(which), bool)))
        lead = np.floor(rng.exponential(p.SYMPTOM_LEAD_DAYS, len(spans)))
        lead = np.where(finding in SIGNS, 0, lead)
        day = np.where(np.isfinite(clinical), np.maximum(clinical - lead, start), np.inf)
        around[finding] = day, rng.random(len(spans)), at_relapse
    there = _signs(spans, {finding: draw for finding, (_, draw, _) in around.items()})
    for finding, (day, draw, at_relapse) in around.items():
        shown = there.get(finding, draw < at_relapse)
        parts.append(_rows(spans, day, finding, "", shown & (day <= stop)))
    return parts


def _signs(spans: pd.DataFrame, draws: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What makes a relapse clinical: one sign at least, so a lesion where there is no other; shares as published."""
    mass = draws["plasmacytoma"] < p.SYMPTOMS["plasmacytoma"][2]
    renal = spans["renal"].to_numpy()
    other = mass | renal | spans["anaemic"].to_numpy()
    share = p.SYMPTOMS["new bone lesion"][2]
    alone = (1 - p.SYMPTOMS["plasmacytoma"][2]) * (1 - p.RENAL_AT_RELAPSE) * (1 - p.ANAEMIC_AT_RELAPSE)
    lesion = ~other | (draws["new bone lesion"] < (share - alone) / (1 - alone))
    return {"new bone lesion": lesion, "plasmacytoma": mass, "renal impairment": renal}
