"""The disease itself: stage, cytogenetics and what they foretell, how relapse shows itself, what MRD foretells."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.estimate.calibration.basis import (
    FLAGS,
    CannotTellError,
    clinical_covariates,
    cox,
    kaplan_meier,
    months,
    need,
    need_columns,
    need_relapse,
    ratio,
    stage,
    survival_from_lines,
)

SLOW_MONTHS = 24
DOUBLING_DAYS = (-60, 180)
DOUBLING_MIN_G_DL, DOUBLING_MIN_SAMPLES = 0.1, 3


def stages(cohort, lines, spells) -> dict[str, float]:
    """Share of each ISS stage among patients whose stage is known."""
    known = stage(cohort["patients"]).dropna()
    if known.empty:
        raise CannotTellError("no stage known")
    return {f"iss_{number}": 100 * float((known == number).mean()) for number in (1, 2, 3)}


def cytogenetics(cohort, lines, spells) -> dict[str, float]:
    """Share of each lesion among patients with a result."""
    need_columns(cohort["patients"], *FLAGS)
    return {name: 100 * float(share) for name in FLAGS if pd.notna(share := cohort["patients"][name].mean())}


def prognosis(cohort, lines, spells) -> dict[str, float]:
    """Adjusted hazard ratios of death by cytogenetics from line 1, and the concordance of that model."""
    model = cox(_from_line(cohort, lines, 1))
    figures = {f"os_hr_{name}": ratio(model, name) for name in ("del17p", "t4_14", "gain_1q")}
    return figures | {"c_index": model.concordance()}


def kidney(cohort, lines, spells) -> dict[str, float]:
    """Hazard ratios of death by eGFR below 50, from lines 1 and 2, adjusted for age, fitness, LDH and cytogenetics.

    ISS is left out: beta-2 microglobulin rises because the kidney fails, so stage would take over part of the effect.
    """
    frames = {line: _from_line(cohort, lines, line).drop(columns=["stage_2", "stage_3"]) for line in (1, 2)}
    return {f"egfr_hr_{line}": ratio(cox(frame), "egfr_below_50") for line, frame in frames.items()}


def progression(cohort, lines, spells) -> dict[str, float]:
    """Adjusted hazard ratio of relapse or death in line 1 by gain of 1q."""
    need_relapse(spells)
    first = spells[spells["line"] == 1]
    frame = pd.DataFrame({"patient_id": first["patient_id"], "time": months(first["time"])})
    frame["event"] = first["event"].isin(["relapse", "death"])
    frame = frame.merge(clinical_covariates(cohort["patients"]), on="patient_id").drop(columns="patient_id")
    return {"pfs_hr_gain_1q": ratio(cox(frame), "gain_1q")}


def _from_line(cohort, lines, line: int) -> pd.DataFrame:
    survival = survival_from_lines(cohort["patients"], lines[lines["line"] == line])
    frame = survival.merge(clinical_covariates(cohort["patients"]), on="patient_id")
    return frame.drop(columns=["patient_id", "line"])


def relapse_kind(cohort, lines, spells) -> dict[str, float]:
    """Biochemical share of the first relapses whose kind is known."""
    kinds = lines.loc[(lines["line"] == 1) & lines["relapse_kind"].isin(["biochemical", "clinical"]), "relapse_kind"]
    if kinds.empty:
        raise CannotTellError("no kind of relapse stated")
    return {"biochemical_share": 100 * float((kinds == "biochemical").mean())}


def lead_time(cohort, lines, spells) -> dict[str, float]:
    """From the biochemical to the clinical progression of the same line; the next line and last contact censor."""
    need(cohort, "findings")
    findings = cohort["findings"]
    clinical = findings[(findings["finding"] == "progression") & (findings["value"] == "clinical")]
    clinical = clinical.groupby(["patient_id", "line"])["day"].min().rename("clinical_day").reset_index()
    following = lines[["patient_id", "line", "start_day"]].rename(columns={"start_day": "next_day"})
    frame = lines.loc[lines["relapse_kind"] == "biochemical", ["patient_id", "line", "progression_day"]]
    if frame.empty:
        raise CannotTellError("no biochemical relapse stated")
    frame = frame.merge(following.assign(line=following["line"] - 1), on=["patient_id", "line"], how="left")
    frame = frame.merge(clinical, on=["patient_id", "line"], how="left")
    frame = frame.merge(cohort["patients"][["patient_id", "last_contact_day"]], on="patient_id")
    stop = frame[["clinical_day", "next_day", "last_contact_day"]].astype(float).min(axis=1)
    curve = kaplan_meier(
        months(stop - frame["progression_day"].astype(float)), frame["clinical_day"].astype(float) <= stop
    )
    return {"lead_time": curve.median_survival_time_, "slow_share": 100 * float(curve.predict(SLOW_MONTHS))}


def doubling_time(cohort, lines, spells) -> dict[str, float]:
    """Months in which the M-protein doubles around the first relapse: log-linear slope per patient, then the median.

    Samples from 60 days before the relapse to 180 days after it, before the next line, of at least 0.1 g/dL; three
    at least. A patient whose M-protein does not rise counts as one that never doubles.
    """
    need(cohort, "labs")
    relapse = lines.loc[lines["line"] == 1, ["patient_id", "progression_day"]].dropna()
    second = lines.loc[lines["line"] == 2, ["patient_id", "start_day"]].rename(columns={"start_day": "next_day"})
    labs = cohort["labs"]
    labs = labs[labs["patient_id"].isin(relapse["patient_id"]) & (labs["test"] == "serum M-protein")]
    labs = labs.loc[labs["value"] >= DOUBLING_MIN_G_DL, ["patient_id", "day", "value"]]
    frame = labs.merge(relapse, on="patient_id").merge(second, on="patient_id", how="left")
    since = frame["day"] - frame["progression_day"].astype("int64")
    frame = frame[since.between(*DOUBLING_DAYS) & ((frame["day"] < frame["next_day"]) | frame["next_day"].isna())]
    x, y = months(frame["day"]), np.log2(frame["value"].to_numpy())
    sums = pd.DataFrame({"n": 1.0, "x": x, "y": y, "xx": x**2, "xy": x * y})
    sums = sums.groupby(frame["patient_id"].to_numpy()).sum()
    sums = sums[sums["n"] >= DOUBLING_MIN_SAMPLES]
    if sums.empty:
        raise CannotTellError("no serial M-protein around a relapse")
    slope = (sums["n"] * sums["xy"] - sums["x"] * sums["y"]) / (sums["n"] * sums["xx"] - sums["x"] ** 2)
    return {"doubling_time": float(np.median(np.where(slope > 0, 1 / slope, np.inf)))}


def mrd(cohort, lines, spells) -> dict[str, float]:
    """Landmark at the first MRD test of line 1: who is alive and free of relapse then, followed from that day on."""
    need(cohort, "findings")
    need_relapse(spells)
    findings = cohort["findings"]
    tests = findings[(findings["finding"] == "MRD") & (findings["line"] == 1)].sort_values("day")
    tests = tests.drop_duplicates("patient_id").set_index("patient_id")
    first = spells[spells["line"] == 1].set_index("patient_id")
    start = lines[lines["line"] == 1].set_index("patient_id")["start_day"]
    patients = cohort["patients"].set_index("patient_id")
    frame = pd.DataFrame({"negative": tests["value"].str.startswith("negative")})
    frame["free"] = (start + first["time"]).reindex(frame.index) - tests["day"]
    frame["relapsed"] = first["event"].isin(["relapse", "death"]).reindex(frame.index)
    frame["alive"] = patients["last_contact_day"].reindex(frame.index) - tests["day"]
    frame["dead"] = patients["death_day"].notna().reindex(frame.index)
    frame = frame[frame["free"] > 0]
    figures = {}
    for key, time, event in (("mrd_pfs_hr", "free", "relapsed"), ("mrd_os_hr", "alive", "dead")):
        model = cox(pd.DataFrame({"time": months(frame[time]), "event": frame[event], "negative": frame["negative"]}))
        figures[key] = ratio(model, "negative")
    return figures


FIGURES = {
    stages: ("iss_1", "iss_2", "iss_3"),
    cytogenetics: FLAGS,
    prognosis: ("os_hr_del17p", "os_hr_t4_14", "os_hr_gain_1q", "c_index"),
    kidney: ("egfr_hr_1", "egfr_hr_2"),
    progression: ("pfs_hr_gain_1q",),
    relapse_kind: ("biochemical_share",),
    lead_time: ("lead_time", "slow_share"),
    doubling_time: ("doubling_time",),
    mrd: ("mrd_pfs_hr", "mrd_os_hr"),
}
