"""How tumour and organs run in each line, before any assay: level at the start, lowest level, relapse, harm.

The level falls from the line's start to the lowest of its response, stays, and grows again with the patient's doubling
time. A relapse is told on the visit at which the published rule (Kumar, Lancet Oncol 2016) is first met, so the growth
is set to pass the rule's limit between the visit before and that one - in the marker that is followed: serum M-protein
where the line begins with a measurable one, else light chains. Blood, calcium and kidney recover with the response and
are harmed again when the relapse turns clinical, not by growth alone: that is what "biochemical" means.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.schema import DAYS_PER_MONTH
from analysis.sources.synthetic import parameters as p

ORGANS = ("anaemia", "calcium", "creatinine")  # g/dL below, mg/dL above what the patient has in health


def traits(true: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """What each patient's disease makes: type, level at diagnosis (g/dL), and how strongly the body answers to it."""
    size = len(true)
    kind = rng.random(size)
    frame = pd.DataFrame({"light_chain": kind < p.LIGHT_CHAIN})
    frame["non_secretory"] = (kind >= p.LIGHT_CHAIN) & (kind < p.LIGHT_CHAIN + p.NON_SECRETORY)
    frame["kappa"] = rng.random(size) < p.KAPPA
    level = p.M_PROTEIN_MEDIAN * np.exp(p.M_PROTEIN_LOG_SD * rng.standard_normal(size))
    frame["level"] = np.minimum(level, p.M_PROTEIN_MAX)
    chains = np.exp(np.log(p.LIGHT_CHAINS_PER_LEVEL) + 0.8 * rng.standard_normal(size))
    strength = np.where(frame["light_chain"], p.LIGHT_CHAIN_DISEASE_FACTOR, 1.0) * ~frame["non_secretory"]
    frame["chains_per_level"] = chains * strength
    frame["secretes"] = ~frame["light_chain"] & ~frame["non_secretory"]
    frame["haemoglobin"] = np.where(true["female"], 12.7, 13.7) + 0.7 * rng.standard_normal(size)
    frame["haemoglobin_fall"] = np.clip(2.6 + 1.5 * rng.standard_normal(size), 0.0, 6.0)
    frame["calcium_rise"] = np.where(rng.random(size) < p.HYPERCALCAEMIA, rng.uniform(*p.CALCIUM_RISE, size), 0.2)
    frame["creatinine"] = true["creatinine_mg_dl"]
    frame["ldh"] = 175 * np.exp(0.15 * rng.standard_normal(size))
    frame["ldh_rise"] = np.where(true["ldh_high"], rng.uniform(0.7, 1.6, size), 0.1)
    return frame


def courses(
    spans: pd.DataFrame, patients: pd.DataFrame, visits: tuple[np.ndarray, np.ndarray], rng: np.random.Generator
) -> pd.DataFrame:
    """The spans with level and harm at the start of each line, lowest level, relapse; a line goes on from the last."""
    low, high = (spans["best_response"].map(lambda word, i=i: p.NADIR_SHARE[word][i]) for i in (0, 1))
    share = rng.uniform(low.to_numpy(), high.to_numpy())
    crossing = rng.uniform(*p.RULE_MET_BEFORE_VISIT, len(spans))
    start = spans["start_day"].to_numpy()
    stated = spans.assign(
        share=share,
        crossing=crossing,
        relapse_months=(spans["relapse_day"] - start) / DAYS_PER_MONTH,
        clinical_months=(spans["clinical_day"] - start) / DAYS_PER_MONTH,
    )
    level = patients["level"].to_numpy().copy()
    harm = {"anaemia": patients["haemoglobin_fall"], "calcium": patients["calcium_rise"], "creatinine": 0 * level}
    harm = {organ: np.asarray(value, dtype=float).copy() for organ, value in harm.items()}
    which, day = visits
    months = (day - start[which]) / DAYS_PER_MONTH
    before = months < stated["relapse_months"].to_numpy()[which]
    line_of_visit = spans["line"].to_numpy()[which]
    place = np.empty(len(spans), dtype="int64")
    done = []
    for line, span in stated.groupby("line", sort=True):
        who, here = span["patient"].to_numpy(), before & (line_of_visit == line)
        place[span.index] = np.arange(len(span))
        span = span.assign(level_start=level[who], nadir=level[who] * span["share"].to_numpy())
        span = span.assign(largest=np.minimum(p.LARGEST_RISE * patients["level"].to_numpy()[who], p.LEVEL_MAX))
        span = _relapse_by_the_rule(span, patients.iloc[who], place[which[here]], months[here])
        span = _harmed(span, patients.iloc[who], {organ: value[who] for organ, value in harm.items()})
        gap = ((span["next_day"] - span["start_day"]) / DAYS_PER_MONTH).to_numpy()
        goes_on = np.isfinite(gap)
        level[who[goes_on]] = tumour_level(span[goes_on], gap[goes_on])
        for organ in ORGANS:
            most = p.HARM_AT_LINE_START_MOST
            harm[organ][who[goes_on]] = np.minimum(organ_harm(span[goes_on], gap[goes_on], organ), most)
        done.append(span)
    return pd.concat(done).sort_index()


def _relapse_by_the_rule(span: pd.DataFrame, trait: pd.DataFrame, row: np.ndarray, months: np.ndarray) -> pd.DataFrame:
    """Level on the day of relapse: the rule's limit is passed within the last interval between visits.

    The reference depends on the levels at the visits and these a little on the level sought, so it is found by turns.
    """
    first = np.flatnonzero(np.diff(row, prepend=-1))
    last = np.append(first[1:], len(row)) - 1
    gap = np.minimum(span["relapse_months"].to_numpy() - months[last], p.VISIT_DAYS_LATER / DAYS_PER_MONTH)
    by_chains = _followed_by_light_chains(span, trait)
    chains = trait["chains_per_level"].to_numpy()
    reference = span["nadir"].to_numpy()
    since = span["crossing"].to_numpy() * gap
    least = np.where(by_chains, *p.BEYOND_THE_RULE_LEAST[::-1])
    span = span.assign(slowest_before=since / np.log2(least))
    for _ in range(3):
        limit = _limit(reference, chains, by_chains)
        span = span.assign(relapse_level=limit)
        growth = np.minimum(2 ** (since / doubling_before(span)), p.BEYOND_THE_RULE_MOST)
        span = span.assign(relapse_level=limit * growth)
        level = tumour_level(span.iloc[row], months)
        level = np.where((level < p.DETECTION_G_DL) & ~by_chains[row], 0.0, level)
        pair = np.maximum(level, np.append(0.0, level[:-1]))
        pair[first] = level[first]
        reference = np.minimum.reduceat(pair, first)
    return span


def _followed_by_light_chains(span: pd.DataFrame, trait: pd.DataFrame) -> np.ndarray:
    """Is the involved light chain followed, because serum M-protein is not measurable at the start and it is?"""
    start, chains = span["level_start"].to_numpy(), trait["chains_per_level"].to_numpy()
    secretes = trait["secretes"].to_numpy()
    measurable = chains * start >= p.MEASURABLE_LIGHT_CHAINS_MG_L
    return (chains > 0) & np.where(secretes, (start < p.MEASURABLE_G_DL) & measurable, True)


def _limit(reference: np.ndarray, chains: np.ndarray, by_chains: np.ndarray) -> np.ndarray:
    """The least level that is progression over this reference (g/dL, or its equivalent)."""
    quarter = p.RISE_AT_RELAPSE_SHARE * reference
    serum = np.where(
        reference >= p.HIGH_REFERENCE_G_DL, p.RISE_FROM_HIGH_G_DL, np.maximum(p.RISE_AT_RELAPSE_G_DL, quarter)
    )
    light = np.maximum(p.RISE_LIGHT_CHAINS_MG_L / np.where(by_chains, chains, 1.0), quarter)
    return reference + np.where(by_chains, light, serum)


def doubling_before(span: pd.DataFrame) -> np.ndarray:
    """Doubling time (months) up to the relapse.

    A slow clone grows fast enough to pass the lowest level only in the last part of the line, else the response had
    never been; and fast enough to be beyond the rule's limit by more than the assay's error when the relapse is told.
    """
    nadir, seen = span["nadir"].to_numpy(), span["relapse_level"].to_numpy()
    within = p.REGROWTH_SHARE * span["relapse_months"].to_numpy() / np.log2(seen / np.maximum(nadir, p.DETECTION_G_DL))
    return np.minimum(np.minimum(span["doubling_months"].to_numpy(), within), span["slowest_before"].to_numpy())


def _clearance(span: pd.DataFrame, months: np.ndarray) -> np.ndarray:
    """What is left of the fall: exp(-t / tau)."""
    return np.exp(-months / np.minimum(p.CLEARANCE_MONTHS, span["relapse_months"].to_numpy() / 6))


def tumour_level(span: pd.DataFrame, months: np.ndarray) -> np.ndarray:
    """M-protein (g/dL, or its equivalent) at these months after the start of the line.

    The larger of a fall, nadir + (start - nadir) exp(-t / tau), and a growth, level at relapse x 2^((t - relapse) /
    doubling): flat at the nadir until the escaping clone overtakes it, growth bounded.
    """
    nadir, relapse = span["nadir"].to_numpy(), span["relapse_months"].to_numpy()
    fall = (span["level_start"].to_numpy() - nadir) * _clearance(span, months)
    seen = span["relapse_level"].to_numpy()
    doubling = np.where(months < relapse, doubling_before(span), span["doubling_months"].to_numpy())
    doublings = np.clip((months - relapse) / doubling, -60, 12)
    growth = np.minimum(seen * 2**doublings, np.maximum(span["largest"].to_numpy(), seen))
    return np.maximum(nadir + fall, growth)


def _harmed(span: pd.DataFrame, trait: pd.DataFrame, start: dict[str, np.ndarray]) -> pd.DataFrame:
    """Harm at the start of the line and what a clinical relapse adds to it, per organ."""
    added = {
        "anaemia": np.where(span["anaemic"], p.ANAEMIA_AT_RELAPSE_G_DL, 0.3),
        "calcium": trait["calcium_rise"].to_numpy(),
        "creatinine": np.where(span["renal"], p.CREATININE_AT_RELAPSE_MG_DL, 0.0),
    }
    columns = {f"{organ}_start": start[organ] for organ in ORGANS}
    return span.assign(**columns, **{f"{organ}_relapse": added[organ] for organ in ORGANS})


def organ_harm(span: pd.DataFrame, months: np.ndarray, organ: str) -> np.ndarray:
    """Harm these months after the start: goes as the level falls, doubles each month up to the clinical relapse."""
    share = span["share"].to_numpy()
    left = span[f"{organ}_start"].to_numpy() * (share + (1 - share) * _clearance(span, months))
    return left + span[f"{organ}_relapse"].to_numpy() * 2.0 ** np.minimum(
        months - span["clinical_months"].to_numpy(), 0
    )
