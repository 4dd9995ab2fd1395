"""To which drugs and classes is a patient refractory, line by line?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import schema, vocabulary

_KEY = ["patient_id", "line"]
_CLASSES = {"proteasome_inhibitor": "PI", "immunomodulator": "IMiD", "anti_cd38": "anti-CD38"}
_PENTA = ("bortezomib", "carfilzomib", "lenalidomide", "pomalidomide")
_RESPONDING = {"MR": ("MR", "PR", "VGPR", "CR", "sCR"), "PR": ("PR", "VGPR", "CR", "sCR")}


def refractory(treatments: pd.DataFrame, outcomes: pd.DataFrame, within_days: int = 60) -> pd.DataFrame:
    """To which drugs was the disease refractory in each line?

    Returns REFRACTORY, one row per patient, line and drug (transplants and what never makes a line are left out).
    Refractory: no response on it (best confirmed response below MR), or progression from its first dose to
    `within_days` after its last; a drug without an end is still being given. Unknown where the line could not be judged
    and no progression is on record; a progression that comes too late for this drug does not tell whether it worked.

    Parameters
    ----------
    treatments : TREATMENTS with their lines (rows without a line are left out)
    outcomes : OUTCOMES of the same lines

    Source: Rajkumar et al., Blood 2011;117:4691. R: no standard call.

    Example
    -------
    >>> treatments = pd.DataFrame({"patient_id": "a", "line": 1, "agent": ["bortezomib", "lenalidomide"],
    ...     "start_day": [0, 0], "end_day": [100, 300]})
    >>> outcomes = pd.DataFrame({"patient_id": ["a"], "line": [1], "best_response": ["PR"],
    ...     "progression_day": [310]})
    >>> refractory(treatments, outcomes)[["agent", "refractory"]].values.tolist()
    [['bortezomib', False], ['lenalidomide', True]]
    """
    known = vocabulary.drugs().set_index("agent")
    given = treatments.dropna(subset=["line", "start_day"])
    given = given[given["agent"].map(known["kind"]).isin(["drug", "cell therapy"])]
    given = given[given["agent"] != "other"].astype({"line": "int64", "start_day": "float64", "end_day": "float64"})
    given = given.assign(end_day=given["end_day"].fillna(np.inf))
    doses = given.groupby([*_KEY, "agent"]).agg(first=("start_day", "min"), last=("end_day", "max")).reset_index()
    doses = doses.merge(outcomes[[*_KEY, "best_response", "progression_day"]], on=_KEY, how="inner")
    day = doses["progression_day"].astype("float64")
    on_drug = (day >= doses["first"]) & (day <= doses["last"] + within_days)
    no_response = doses["best_response"].isin(["SD", "PD"])
    unknown = doses["best_response"].eq("unknown") & ~on_drug
    reason = np.select([on_drug, no_response, unknown], ["progression", "non-response", "unknown"], "none")
    flag = pd.Series(on_drug | no_response, dtype="boolean").mask(unknown)
    result = doses.assign(drug_class=doses["agent"].map(known["drug_class"]), refractory=flag, reason=reason)
    return schema.check(result[schema.REFRACTORY.names].astype({"reason": object}), schema.REFRACTORY)


def refractory_status(outcomes: pd.DataFrame, agents: pd.DataFrame, primary_below: str = "MR") -> pd.DataFrame:
    """What is each patient refractory to by the end of each line: classes, three classes, five drugs?

    Returns REFRACTORY_STATUS. A class counts when one of its drugs does, in this line or an earlier one; unknown where
    none does and one might. Triple-class: proteasome inhibitor, immunomodulatory drug and anti-CD38 antibody.
    Penta-drug: bortezomib, carfilzomib, lenalidomide, pomalidomide and an anti-CD38 antibody. Never given counts as not
    refractory. Primary refractory: no line so far brought a response of `primary_below` ("MR" as the IMWG says, "PR" as
    some cohorts do).

    Raises
    ------
    ValueError
        when `primary_below` is neither.

    Example
    -------
    >>> outcomes = pd.DataFrame({"patient_id": ["a"], "line": [1], "best_response": ["SD"]})
    >>> agents = pd.DataFrame({"patient_id": ["a"], "line": [1], "agent": ["bortezomib"], "drug_class": ["PI"],
    ...     "refractory": pd.array([True], dtype="boolean")})
    >>> found = refractory_status(outcomes, agents).iloc[0]
    >>> bool(found["proteasome_inhibitor"]), bool(found["triple_class"]), bool(found["primary_refractory"])
    (True, False, True)
    """
    if primary_below not in _RESPONDING:
        raise ValueError(f"primary_below: expected one of {list(_RESPONDING)}, came {primary_below!r}")
    frame = outcomes[[*_KEY, "best_response"]].sort_values(_KEY, ignore_index=True)
    answered = frame["best_response"].isin(_RESPONDING[primary_below])
    responded = _so_far(frame, _flag(answered, frame["best_response"].eq("unknown")))
    result = frame[_KEY].assign(primary_refractory=~responded)
    for name, drug_class in _CLASSES.items():
        result[name] = _ever(frame, agents[agents["drug_class"] == drug_class])
    result["triple_class"] = result["proteasome_inhibitor"] & result["immunomodulator"] & result["anti_cd38"]
    result["penta_drug"] = result["anti_cd38"]
    for agent in _PENTA:
        result["penta_drug"] = result["penta_drug"] & _ever(frame, agents[agents["agent"] == agent])
    return schema.check(result, schema.REFRACTORY_STATUS)


def _flag(yes: pd.Series, unknown: pd.Series) -> pd.Series:
    return yes.astype("boolean").mask(unknown & ~yes)


def _ever(frame: pd.DataFrame, agents: pd.DataFrame) -> pd.Series:
    """True once one of these drugs failed; missing while none did and one is unknown."""
    rows = agents.assign(yes=agents["refractory"].fillna(False).astype(bool), open=agents["refractory"].isna())
    per_line = (
        rows.groupby(_KEY)[["yes", "open"]].any().reindex(pd.MultiIndex.from_frame(frame[_KEY]), fill_value=False)
    )
    yes, unknown = (per_line[name].reset_index(drop=True).astype(bool) for name in ("yes", "open"))
    return _so_far(frame, _flag(yes, unknown))


def _so_far(frame: pd.DataFrame, flag: pd.Series) -> pd.Series:
    """Three-valued "any" over this line and all earlier ones."""
    yes = flag.fillna(False).astype(bool).groupby(frame["patient_id"]).cummax()
    unknown = flag.isna().groupby(frame["patient_id"]).cummax()
    return _flag(yes, unknown)
