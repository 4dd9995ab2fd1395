"""Derived progressions of the synthetic cohort against its truth: also on damaged records.

Two truths. "told": the progression that the clinic wrote down (the true relapse day). "rule": the first visit on which
the markers without assay error, no sample missing, meet the published rule; the two are one day but for rounding.

A date is within one visit when it lies no earlier than the visit before that of the truth and no later than the one
after. Visits are counted in two ways: "planned", the days with any sample in the undamaged cohort, and "recorded", the
days with any sample in the records at hand, where the visit of the truth is the first recorded on its day or later -
nobody can see between two of them.
"""

from unittest import mock

import numpy as np
import pandas as pd

from analysis.derive import regimens, response
from analysis.sources import synthetic
from analysis.sources.synthetic import parameters

KEY = ["patient_id", "line"]


def cohort_and_truth(patients, seed):
    """The cohort, its lines, and per line the told day, its kind and the day of the rule."""
    cohort = synthetic.simulate(patients=patients, seed=seed)
    lines = regimens.lines(cohort)
    with mock.patch.multiple(parameters, MEASURE_CV=0.0, LIGHT_CHAIN_CV=0.0, TEST_MISSING=0.0):
        exact = synthetic.simulate(patients=patients, seed=seed)
    days = cohort["labs"][["patient_id", "day"]].drop_duplicates()
    same = days.merge(exact["labs"][["patient_id", "day"]].drop_duplicates(), on=["patient_id", "day"])
    assert len(same) == len(days)  # the same visits, or the two cohorts cannot be compared
    told = cohort["findings"].query("finding == 'progression'").drop_duplicates(KEY)
    told = told.rename(columns={"day": "told", "value": "told_kind"})[[*KEY, "told", "told_kind"]]
    rule = response.outcomes(exact, lines, mode="lab_only")
    rule = rule.rename(columns={"progression_day": "rule"})
    truth = lines[KEY].merge(told, on=KEY, how="left").merge(rule[[*KEY, "rule"]], on=KEY, how="left")
    return cohort, lines, truth, days


def damaged(labs, how, seed=1):
    """The same LABS with 5 % of visits missing, 5 % of units slipped (flagged values left out or not), 2 % doubled."""
    random = np.random.default_rng(seed)
    if how == "5 % of visits missing":
        visits = labs[["patient_id", "day"]].drop_duplicates()
        kept = visits[random.random(len(visits)) >= 0.05]
        return labs.merge(kept, on=["patient_id", "day"])
    if how.startswith("5 % of units slipped"):
        slipped = random.random(len(labs)) < 0.05
        factor = np.where(slipped, np.where(random.random(len(labs)) < 0.5, 10.0, 0.1), 1.0)
        labs = labs.assign(value=labs["value"] * factor)
        return response.without_implausible(labs) if how.endswith("left out") else labs
    if how == "2 % of rows doubled":
        return pd.concat([labs, labs[random.random(len(labs)) < 0.02]], ignore_index=True)
    return labs


DAMAGE = (
    "none",
    "5 % of visits missing",
    "5 % of units slipped",
    "5 % of units slipped, flagged values left out",
    "2 % of rows doubled",
)


def neighbours(days, patient, day):
    """The visits before and after that of each day, which is the first on it or later; the day itself where none is."""
    asked = pd.DataFrame({"patient_id": patient, "day": day, "place": range(len(day))})
    visits = days.assign(visit=days["day"]).sort_values("day")

    def found(day, direction, exact):
        rows = asked.assign(day=day).sort_values("day")
        rows = pd.merge_asof(
            rows, visits, on="day", by="patient_id", allow_exact_matches=exact, direction=direction
        ).sort_values("place")
        return np.where(rows["visit"].isna(), day, rows["visit"]).astype("int64")

    here = found(day, "forward", True)
    return found(day, "backward", False), found(here, "forward", False)


def marker_days(labs):
    """Days on which each marker was measured; of the light chains both, for only their difference counts."""
    labs = labs[["patient_id", "day", "test"]].drop_duplicates()
    kappa, lambda_ = (labs[labs["test"] == f"{chain} free light chain"] for chain in ("kappa", "lambda"))
    both = kappa.drop(columns="test").merge(lambda_.drop(columns="test")).assign(parameter="free light chains")
    return pd.concat([labs[labs["test"] == "serum M-protein"].rename(columns={"test": "parameter"}), both])


def compared(found, truth, days, labs, lines, name):
    """One row per relapse in a line that could be judged, its derived date placed between the neighbouring visits.

    `could_be_shown`: the leading marker was drawn at least twice from the day of the truth to the start of the next
    line, so that there is one sample to show the progression and one to confirm it.
    """
    rows = found.merge(truth, on=KEY)
    rows = rows[rows["evaluable"] & rows[name].notna()]
    until = lines.assign(until=lines.groupby("patient_id")["start_day"].shift(-1).fillna(10**6))[[*KEY, "until"]]
    rows = rows.assign(truth_day=rows[name].astype("int64")).merge(until, on=KEY)
    drawn = rows[[*KEY, "parameter", "truth_day", "until"]].merge(marker_days(labs))
    drawn = drawn[(drawn["day"] >= drawn["truth_day"]) & (drawn["day"] <= drawn["until"])].groupby(KEY).size()
    count = drawn.reindex(pd.MultiIndex.from_frame(rows[KEY]), fill_value=0).to_numpy()
    asked = rows["patient_id"].to_numpy(), rows["truth_day"].to_numpy()
    before, after = neighbours(days, *asked)
    recorded = neighbours(labs[["patient_id", "day"]].drop_duplicates(), *asked)
    derived = rows["progression_day"].to_numpy("float64", na_value=np.nan)
    return rows.assign(
        could_be_shown=count >= 2,
        is_found=~np.isnan(derived),
        earlier=derived < before,
        later=derived > after,
        within=(derived >= before) & (derived <= after),
        within_recorded=(derived >= recorded[0]) & (derived <= recorded[1]),
    )


def figures(rows):
    """Relapses and share within one visit; the same, and how the others fail, of those that could be shown."""
    shown = rows[rows["could_be_shown"]]
    means = shown[["is_found", "within", "within_recorded", "earlier", "later"]].mean()
    return {"all": len(rows), "within_of_all": rows["within"].mean(), "relapses": len(shown), **means}


def slips_found(labs):
    """Of the values that slipped by a factor of ten, the share flagged; of the others, the share flagged falsely."""
    slipped = damaged(labs, "5 % of units slipped")
    wrong = (slipped["value"] - labs["value"]).abs() > 1e-9
    flagged = response.implausible(slipped)[["patient_id", "day", "test", "value"]].assign(flagged=True)
    is_flagged = slipped.merge(flagged, how="left")["flagged"].notna().to_numpy()
    return {"slipped": int(wrong.sum()), "flagged": is_flagged[wrong].mean(), "falsely": is_flagged[~wrong].mean()}


def study(patients=5000, seed=2026):
    """Figures per damage, mode and truth, and the tables of kinds."""
    cohort, lines, truth, days = cohort_and_truth(patients, seed)
    rows, kinds = [], {}
    for how in DAMAGE:
        labs = damaged(cohort["labs"], how)
        for mode, name, nadir_mode, measurable in (
            ("lab_only", "rule", "confirmed", "line"),
            ("lab_only", "rule", "any", "line"),
            ("lab_only", "told", "confirmed", "line"),
            ("lab_only", "told", "confirmed", "ever"),
            ("strict", "told", "confirmed", "line"),
        ):
            found = response.outcomes(
                {**cohort, "labs": labs}, lines, mode=mode, nadir_mode=nadir_mode, measurable_at=measurable
            )
            both = compared(found, truth, days, labs, lines, name)
            rows.append(
                {"damage": how, "mode": mode, "truth": name, "nadir": nadir_mode, "at": measurable, **figures(both)}
            )
            if name == "told" and measurable == "line":
                both = both[both["could_be_shown"]]
                kinds[how, mode] = pd.crosstab(both["told_kind"], both["relapse_kind"])
    return pd.DataFrame(rows), kinds, slips_found(cohort["labs"])


if __name__ == "__main__":
    table, kinds, slips = study()
    print(table.round(3).to_string())  # noqa: T201
    print(slips)  # noqa: T201
    for name, crossed in kinds.items():
        print(*name)  # noqa: T201
        print(crossed.to_string())  # noqa: T201
