"""Revised stages and genetic risk, three-valued: every answer that the unknown parts leave open is kept open."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from analysis import schema
from analysis.derive.staging.international import with_iss

_ISS = ("I", "II", "III")
_R2 = np.array(["I", "II", "III", "IV"], dtype=object)


def r_iss(patients: pd.DataFrame) -> pd.Series:
    """Which stage of the revised ISS has each newly diagnosed patient?

    Returns words "I", "II", "III", "unknown" on the index of `patients` (PATIENTS; absent columns are unknown).

    I: ISS I, no high-risk abnormality, normal LDH. III: ISS III, and a high-risk abnormality or high LDH. II: all else.
    High-risk: del(17p), t(4;14) or t(14;16) by FISH. Every value that the unknown parts may have is tried; a stage is
    known when all of them lead to it (ISS II is II whatever is missing).

    Source: Palumbo et al., J Clin Oncol 2015;33:2863. R: no standard call.

    Example
    -------
    >>> r_iss(pd.DataFrame({"iss": ["II", "III", "I"], "ldh_high": [None, True, False]})).tolist()
    ['II', 'III', 'unknown']
    """
    high_risk = _flag(patients, "del17p") | _flag(patients, "t4_14") | _flag(patients, "t14_16")
    ldh, possible = _flag(patients, "ldh_high"), _possible_iss(patients)
    reached = {stage: np.zeros(len(patients), bool) for stage in _ISS}
    for stage, risk, high in itertools.product(_ISS, (False, True), (False, True)):
        here = possible[stage] & _may_be(high_risk, risk) & _may_be(ldh, high)
        bad = risk or high
        revised = "I" if stage == "I" and not bad else "III" if stage == "III" and bad else "II"
        reached[revised] |= here
    count = sum(reached[stage].astype(int) for stage in _ISS)
    words = np.select([(count == 1) & reached[stage] for stage in _ISS], _ISS, "unknown")
    return pd.Series(words.astype(object), index=patients.index, name="r_iss")


def r2_iss(patients: pd.DataFrame) -> pd.DataFrame:
    """Between which stages of the second revision does each newly diagnosed patient lie?

    Returns the columns r2_iss_points_min, r2_iss_points_max, r2_iss_min, r2_iss_max, and r2_iss where both stages are
    one ("unknown" otherwise), on the index of `patients`.

    Points: ISS II 1, ISS III 1.5, del(17p) 1, high LDH 1, t(4;14) 1, gain of 1q (3 copies or more) 0.5; t(14;16) is not
    used. Stage I: 0; II: 0.5 to 1; III: 1.5 to 2.5; IV: 3 to 5.

    Source: D'Agostino et al., J Clin Oncol 2022;40:3406. R: no standard call.

    Example
    -------
    >>> frame = pd.DataFrame({"iss": ["III"], "del17p": [True], "ldh_high": [None], "t4_14": [False]})
    >>> r2_iss(frame)[["r2_iss_points_min", "r2_iss_points_max", "r2_iss"]].values.tolist()
    [[2.5, 4.0, 'unknown']]
    """
    possible = _possible_iss(patients)
    points = {"I": 0.0, "II": 1.0, "III": 1.5}
    least = np.min([np.where(possible[stage], points[stage], np.inf) for stage in _ISS], axis=0)
    most = np.max([np.where(possible[stage], points[stage], -np.inf) for stage in _ISS], axis=0)
    for name, worth in {"del17p": 1.0, "ldh_high": 1.0, "t4_14": 1.0, "gain_1q": 0.5}.items():
        flag = _flag(patients, name)
        least = least + worth * (~_may_be(flag, False))
        most = most + worth * _may_be(flag, True)
    low, high = (_R2[np.searchsorted([0.5, 1.5, 3.0], total, side="right")] for total in (least, most))
    columns = {"r2_iss_points_min": least, "r2_iss_points_max": most, "r2_iss_min": low, "r2_iss_max": high}
    return pd.DataFrame({**columns, "r2_iss": np.where(low == high, low, "unknown")}, index=patients.index)


def high_risk_2025(patients: pd.DataFrame, del17p_without_share: str = "unknown") -> pd.Series:
    """Is each patient's myeloma of high risk by the consensus of IMS and IMWG 2025?

    Returns true, false or missing (not determinable) on the index of `patients`.

    Any of: (1) del(17p) in more than 20 % of clonal cells, or a TP53 mutation; (2) t(4;14), t(14;16) or t(14;20)
    together with gain of 1q or del(1p32); (3) del(1p32) of both alleles, or of one together with gain of 1q; (4) beta-2
    microglobulin >= 5.5 mg/L with creatinine below 1.2 mg/dL. "Not high" needs all four known.

    Parameters
    ----------
    patients : PATIENTS; absent columns are unknown
    del17p_without_share : a del(17p) whose share of cells is not stated is "unknown", or "counts"

    Source: Avet-Loiseau et al., J Clin Oncol 2025;43:2739. R: no standard call.

    Raises
    ------
    ValueError
        for another word.

    Example
    -------
    >>> known = {"del17p": False, "tp53_mutation": False, "t14_16": False, "t14_20": False, "del1p32": False,
    ...     "beta2_microglobulin_mg_l": 2.0, "creatinine_mg_dl": 1.0}
    >>> high_risk_2025(pd.DataFrame({"t4_14": [True, True], "gain_1q": [False, True], **known})).tolist()
    [False, True]
    """
    if del17p_without_share not in ("unknown", "counts"):
        raise ValueError(
            f"del17p_without_share: expected 'unknown' or 'counts', came {del17p_without_share!r}; use one of them"
        )
    translocation = _flag(patients, "t4_14") | _flag(patients, "t14_16") | _flag(patients, "t14_20")
    biallelic, gain = _flag(patients, "del1p32_biallelic"), _flag(patients, "gain_1q")
    deletion = _flag(patients, "del1p32").mask(biallelic.fillna(False), True)
    biallelic = biallelic & deletion  # no deletion at all is no biallelic one either
    rules = [
        _del17p(patients, del17p_without_share) | _flag(patients, "tp53_mutation"),
        translocation & (gain | deletion),
        biallelic | (deletion & gain),
        _at_least(patients, "beta2_microglobulin_mg_l", 5.5) & ~_at_least(patients, "creatinine_mg_dl", 1.2),
    ]
    return (rules[0] | rules[1] | rules[2] | rules[3]).rename("high_risk_2025")


def staging(patients: pd.DataFrame, del17p_without_share: str = "unknown") -> pd.DataFrame:
    """Every stage of each patient at once. Returns STAGING, one row per patient in the order of `patients`.

    Example
    -------
    >>> staging(pd.DataFrame({"patient_id": ["a"], "iss": ["II"]}))[["iss", "r_iss", "r2_iss_max"]].values.tolist()
    [['II', 'II', 'IV']]
    """
    frame = with_iss(patients)
    risk = high_risk_2025(frame, del17p_without_share)
    result = frame[["patient_id", "iss"]].assign(r_iss=r_iss(frame), **r2_iss(frame), high_risk_2025=risk)
    return schema.check(result[schema.STAGING.names], schema.STAGING)


def _flag(patients: pd.DataFrame, name: str) -> pd.Series:
    """The column as true, false or missing."""
    if name not in patients:
        return pd.Series(pd.NA, index=patients.index, dtype="boolean")
    return patients[name].astype("boolean")


def _may_be(flag: pd.Series, value: bool) -> np.ndarray:
    return (flag == value).fillna(True).to_numpy(bool)


def _number(patients: pd.DataFrame, name: str) -> pd.Series:
    missing = pd.Series(np.nan, index=patients.index)
    return pd.to_numeric(patients.get(name, missing)).astype("Float64")


def _at_least(patients: pd.DataFrame, name: str, limit: float) -> pd.Series:
    return _number(patients, name) >= limit


def _del17p(patients: pd.DataFrame, without_share: str) -> pd.Series:
    found, share = _flag(patients, "del17p"), _number(patients, "del17p_percent")
    without = found if without_share == "counts" else found.mask(found.fillna(False))
    return (share > 20).fillna(without)


def _possible_iss(patients: pd.DataFrame) -> dict[str, np.ndarray]:
    """Which ISS stages the known parts allow: one where it is stated or computed, else those not yet ruled out."""
    stage = with_iss(patients)["iss"].to_numpy()
    beta2, albumin = (
        _number(patients, name).to_numpy(float, na_value=np.nan)
        for name in ("beta2_microglobulin_mg_l", "albumin_g_dl")
    )
    open_ = stage == "unknown"
    return {
        "I": (stage == "I") | (open_ & ~(albumin < 3.5)),
        "II": (stage == "II") | open_,
        "III": (stage == "III") | (open_ & ~(beta2 < 5.5)),
    }
