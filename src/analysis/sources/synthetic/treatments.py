"""What is given in each line, by era, and the TREATMENTS rows that a hospital would have written."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.schema import DAYS_PER_MONTH
from analysis.sources.synthetic import parameters as p

CELL_THERAPIES = ("Ide-cel", "Cilta-cel")


@cache
def regimens() -> pd.DataFrame:
    """Regimens with their agents, planned length (months; missing = until progression) and true effects."""
    return pd.read_csv(Path(__file__).with_name("regimens.csv"))


@cache
def _use() -> dict[tuple[str, int, int], tuple[np.ndarray, np.ndarray]]:
    """(setting, from year, to year) -> regimen numbers and their shares."""
    table = pd.read_csv(Path(__file__).with_name("regimen_use.csv"))
    number = {name: row for row, name in enumerate(regimens()["regimen"])}
    return {
        key: (group["regimen"].map(number).to_numpy(), (group["weight"] / group["weight"].sum()).to_numpy())
        for key, group in table.groupby(["setting", "from_year", "to_year"])
    }


def choose(true: pd.DataFrame, line: int, start: np.ndarray, previous: np.ndarray, rng: np.random.Generator) -> dict:
    """Regimen, transplant, maintenance of the line, with their true log hazard ratio and shift of response depth.

    A regimen just given is drawn once more, so that it is repeated seldom.
    """
    size = len(true)
    year = true["index_year"].to_numpy() + true["year_fraction"].to_numpy() + start / 365.25
    eligible = (true["age_years"] < p.TRANSPLANT_MAX_AGE).to_numpy() & ~true["frail"].to_numpy()
    transplant = eligible & (rng.random(size) < p.TRANSPLANT_SHARE) & (line == 1)
    setting = np.where(transplant, "transplant", ("first", "second", "third", "late")[min(line, 4) - 1])
    regimen = _pick(setting, year, rng)
    regimen = np.where(regimen == previous, _pick(setting, year, rng), regimen)
    maintained = transplant & (rng.random(size) < p.MAINTENANCE_SHARE)
    lenalidomide = maintained & (year >= p.LENALIDOMIDE_FROM_YEAR)
    effects = p.RELAPSE_LOG_HAZARD_RATIOS
    table = regimens()
    log_hazard_ratio = table["relapse_log_hazard_ratio"].to_numpy()[regimen] + effects["transplant"] * transplant
    log_hazard_ratio = log_hazard_ratio + effects["lenalidomide_maintenance"] * lenalidomide
    log_hazard_ratio = log_hazard_ratio + effects["thalidomide_maintenance"] * (maintained & ~lenalidomide)
    return {
        "regimen": regimen,
        "transplant_planned": transplant,
        "maintenance": np.where(lenalidomide, "lenalidomide", np.where(maintained, "thalidomide", "")).astype(object),
        "treatment_log_hazard_ratio": log_hazard_ratio,
        "depth_shift": table["depth_shift"].to_numpy()[regimen] + p.DEPTH_TRANSPLANT * transplant,
    }


def _pick(setting: np.ndarray, year: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    draw = rng.random(len(year))
    regimen = np.zeros(len(year), dtype="int64")
    for (name, first, last), (numbers, shares) in _use().items():
        here = (setting == name) & (year >= first) & (year < last + 1)
        place = np.searchsorted(np.cumsum(shares)[:-1], draw[here], side="right")
        regimen[here] = numbers[place]
    return regimen


def records(spans: pd.DataFrame, last_contact: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """TREATMENTS of the lines seen (without patient_id): one row per agent, transplant and maintenance as phases."""
    table = regimens()
    agents = table["agents"].str.split("+")
    planned = (table["planned_months"] * DAYS_PER_MONTH).fillna(np.inf).to_numpy()
    stop = np.minimum(spans["next_day"] - 1, np.minimum(spans["progression_day"] + 14, spans["change_day"]))
    stop = np.maximum(np.minimum(stop, last_contact), spans["start_day"]).to_numpy()
    base = pd.DataFrame({"patient": spans["patient"], "line": spans["line"], "start_day": spans["start_day"]})
    base["stop"], base["maintenance"] = stop, spans["maintenance"]
    base["last"], regimen = last_contact, spans["regimen"].to_numpy()
    base["planned_end"] = base["start_day"] + np.rint(planned[regimen] * rng.uniform(0.85, 1.15, len(base)))
    cell = table["regimen"].isin(CELL_THERAPIES).to_numpy()[regimen]
    transplant_day = base["start_day"] + np.rint(rng.normal(p.TRANSPLANT_DAY, p.TRANSPLANT_DAY_SD, len(base)))
    planned_transplant = spans["transplant_planned"].to_numpy()
    base["planned_end"] = base["planned_end"].where(~planned_transplant, transplant_day - 30)
    transplanted = planned_transplant & (transplant_day <= stop).to_numpy()
    base["transplant_day"] = transplant_day
    infusion_day = base["start_day"] + np.rint(rng.uniform(28, 49, len(base)))
    parts = _induction(base[~cell], agents.iloc[regimen[~cell]], planned_transplant[~cell])
    parts += _cell_therapy(base[cell], agents.iloc[regimen[cell]], infusion_day[cell])
    parts += _transplant(base[transplanted])
    rows = pd.concat([part for part in parts if len(part)], ignore_index=True)
    ongoing = (rows["end_day"] >= rows["last"]) & (rows["phase"] != "transplant")
    rows["end_day"] = rows["end_day"].mask(ongoing).astype("Int64")
    rows["start_day"] = rows["start_day"].astype("int64")
    rows = rows.sort_values(["patient", "line", "start_day", "agent"], ignore_index=True)
    return rows[["patient", "start_day", "end_day", "agent", "line", "phase"]]


def _induction(base: pd.DataFrame, agents: pd.Series, planned_transplant: np.ndarray) -> list[pd.DataFrame]:
    rows = base.assign(agent=agents.to_numpy(), phase=np.where(planned_transplant, "induction", "treatment"))
    rows["end_day"] = np.maximum(np.minimum(rows["planned_end"], rows["stop"]), rows["start_day"])
    return [rows.explode("agent")]


def _cell_therapy(base: pd.DataFrame, agents: pd.Series, infusion_day: pd.Series) -> list[pd.DataFrame]:
    """Bridging first, then the infusion if the patient is still free of progression on its day."""
    bridging = base.assign(agent="dexamethasone", phase="bridging")
    bridging["end_day"] = np.maximum(np.minimum(infusion_day - 5, base["stop"]), base["start_day"])
    infused = base.assign(
        agent=agents.str[0].to_numpy(), phase="treatment", start_day=infusion_day, end_day=infusion_day
    )
    return [bridging, infused[infusion_day <= base["stop"]]]


def _transplant(base: pd.DataFrame) -> list[pd.DataFrame]:
    day = base["transplant_day"]
    transplant = base.assign(agent="autologous transplant", phase="transplant", start_day=day, end_day=day)
    begin = day + p.MAINTENANCE_DAYS_AFTER
    maintenance = base.assign(agent=base["maintenance"], phase="maintenance", start_day=begin, end_day=base["stop"])
    return [transplant, maintenance[(base["maintenance"] != "") & (begin <= base["stop"])]]
