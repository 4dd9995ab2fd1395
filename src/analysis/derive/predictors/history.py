"""What the earlier lines had shown by the day that a line began.

A record of an earlier line that lies after that day does not count: a relapse, a best response or a drug that the
source ties to the earlier line but dates later was not known.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import schema, vocabulary
from analysis.derive import response
from analysis.derive.predictors.samples import last_before

_KEY = ["patient_id", "line"]
_REFRACTORY = {
    "proteasome_inhibitor": "refractory_pi",
    "immunomodulator": "refractory_imid",
    "anti_cd38": "refractory_anti_cd38",
    "triple_class": "triple_class_refractory",
}


def closed_lines(cohort: dict[str, pd.DataFrame], lines: pd.DataFrame) -> pd.DataFrame:
    """LINES sorted, as they were known on the day the next line of the patient began (column `next_start`)."""
    frame = lines.sort_values(_KEY, ignore_index=True)
    frame["next_start"] = frame.groupby("patient_id", sort=False)["start_day"].shift(-1).astype("float64")
    progression = frame["progression_day"].astype("float64") if "progression_day" in frame else np.nan
    frame["progression_day"] = pd.Series(progression, frame.index).mask(progression > frame["next_start"])
    findings = cohort.get("findings")
    if "best_response" not in frame:
        frame["best_response"] = "unknown"
    elif findings is not None and "line" in findings:
        frame["best_response"] = _response_by(frame, findings[findings["finding"] == "best response"])
    return frame


def _response_by(frame: pd.DataFrame, stated: pd.DataFrame) -> pd.Series:
    """Best response, without those that the source ties to a line but dates after the next one had begun."""
    placed = stated.dropna(subset=["line"]).astype({"line": "int64"})
    placed = placed.merge(frame[[*_KEY, "next_start"]].reset_index(names="row"), on=_KEY)
    late = placed["day"] > placed["next_start"]
    if not late.any():
        return frame["best_response"]
    depth = pd.Series(range(len(schema.LINES["best_response"].words)), schema.LINES["best_response"].words)
    timely = placed[~late].assign(depth=lambda rows: rows["value"].map(depth)).sort_values("depth", kind="stable")
    deepest = timely.drop_duplicates("row").set_index("row")["value"]
    again = placed.loc[late, "row"].unique()
    return frame["best_response"].where(
        ~frame.index.isin(again), pd.Series(frame.index, frame.index).map(deepest).fillna("unknown")
    )


def history(cohort: dict[str, pd.DataFrame], lines: pd.DataFrame, rows: pd.DataFrame) -> dict[str, tuple]:
    """Per predictor its value for each row, and the day, 0 unless said: earlier lines are closed when this one begins.

    A predictor that no row after a first line could know is left out: the source does not record it.
    """
    found = {"earlier_lines": rows["line"].to_numpy(float) - 1}
    if lines.empty:
        return {name: (values, np.zeros(len(rows))) for name, values in found.items()}
    frame = closed_lines(cohort, lines)
    of_lines = {**_times(frame), **_words(frame), **_exposed(frame, cohort), **_refractory(frame, cohort)}
    place = pd.MultiIndex.from_frame(frame[_KEY]).get_indexer(pd.MultiIndex.from_frame(rows[_KEY]))
    for name, values in of_lines.items():
        nothing = None if values.dtype == object else np.nan
        found[name] = np.append(values, nothing)[place]
    days = {name: np.zeros(len(rows)) for name in found}
    found["previous_mrd"], days["previous_mrd"] = _residual_disease(frame, cohort.get("findings"), rows, place)
    later = rows["line"].to_numpy() > 1
    told = {name for name, values in found.items() if _is_known(values)[later].any()} | {"earlier_lines"}
    return {name: (values, days[name]) for name, values in found.items() if name in told}


def _is_known(values: np.ndarray) -> np.ndarray:
    if values.dtype != object:
        return ~np.isnan(values)
    return pd.notna(values) & (values != "unknown")


def _before(frame: pd.DataFrame, column: str) -> pd.Series:
    """The value of the line numbered one less; missing where that line is not on record."""
    of_patient = frame.groupby("patient_id", sort=False)
    adjacent = of_patient["line"].shift(1) == frame["line"] - 1
    return of_patient[column].shift(1).where(adjacent)


def _times(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    begun = frame["start_day"].astype("float64")
    first = frame[frame["line"] == 1].set_index("patient_id")["start_day"].astype("float64")
    before = _before(frame, "start_day").astype("float64")
    times = {
        "days_since_first_line": begun - frame["patient_id"].map(first),
        "previous_days_to_next_line": begun - before,
        "previous_days_to_relapse": _before(frame, "progression_day") - before,
    }
    return {name: values.where(values >= 0).to_numpy(float) for name, values in times.items()}


def _words(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    first = (frame["line"] == 1).to_numpy()
    answer = _before(frame, "best_response").fillna("unknown")
    found = {"previous_response": np.where(first, schema.NO_EARLIER_LINE, answer)}
    if "relapse_kind" in frame and frame["progression_day"].notna().any():
        kind = frame["relapse_kind"].where(frame["progression_day"].notna() | (frame["relapse_kind"] == "unknown"))
        kind = kind.fillna("none")
        if "followable" in frame:  # no relapse could have been seen
            kind = kind.mask(~frame["followable"] & frame["progression_day"].isna(), "unknown")
        before = _before(frame.assign(kind=kind), "kind").fillna("unknown")
        found["previous_relapse"] = np.where(first, schema.NO_EARLIER_LINE, before)
    return {name: values.astype(object) for name, values in found.items()}


def _so_far(frame: pd.DataFrame, yes: np.ndarray) -> np.ndarray:
    """Of flags by line: 1 where an earlier line has it, 0 where none does; missing where earlier lines are not known.

    `yes` holds 1, 0 or NaN by line.
    """
    patient, flag = frame["patient_id"], pd.Series(yes, frame.index)
    ever, gaps = (
        here.groupby(patient, sort=False).cummax().groupby(patient, sort=False).shift(1, fill_value=False)
        for here in (flag == 1, flag.isna())
    )
    gaps |= frame.groupby("patient_id", sort=False).cumcount() < frame["line"] - 1  # an earlier line is not on record
    return np.where(ever, 1.0, np.where(gaps, np.nan, 0.0))


def _exposed(frame: pd.DataFrame, cohort: dict[str, pd.DataFrame]) -> dict[str, np.ndarray]:
    codes, spelled = pd.factorize(frame["classes"])
    words = [set(text.split("+")) for text in spelled]
    begun = _first_days(cohort.get("treatments"), frame)
    found = {}
    for name, end in schema.PREDICTOR_CLASSES.items():
        found[f"exposed_{end}"] = np.array([name in of for of in words], dtype=float)[codes]
    found["prior_transplant"] = frame["transplant"].to_numpy(float)
    start = frame["start_day"].to_numpy(float)
    for name, given in found.items():
        had = _so_far(frame, given)
        late = begun[name] >= start if name in begun else np.zeros(len(frame), bool)
        found[name] = np.where((had == 1) & late, 0.0, had)
    return found


def _first_days(treatments: pd.DataFrame | None, frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """For each line the first day on which its patient was given each class, whenever that was."""
    if treatments is None:
        return {}
    ends = {name: f"exposed_{end}" for name, end in schema.PREDICTOR_CLASSES.items()}
    ends |= {"autologous transplant": "prior_transplant", "allogeneic transplant": "prior_transplant"}
    name = vocabulary.drug_classes(treatments["agent"]).map(ends)
    days = treatments[["patient_id"]].assign(name=name, day=treatments["start_day"].astype("float64"))
    given = days.pivot_table(index="patient_id", columns="name", values="day", aggfunc="min")
    place = given.index.get_indexer(frame["patient_id"])
    return {column: np.append(given[column].to_numpy(), np.nan)[place] for column in given}


def _refractory(frame: pd.DataFrame, cohort: dict[str, pd.DataFrame]) -> dict[str, np.ndarray]:
    treatments = cohort.get("treatments")
    told = frame["progression_day"].notna().any() or (frame["best_response"] != "unknown").any()
    if treatments is None or not told:
        return {}
    agents = response.refractory(_with_lines(treatments, frame), frame)
    status = response.refractory_status(frame, agents)  # in the order of `frame`
    found = {}
    for name, called in _REFRACTORY.items():
        values = status[name].astype("Float64").to_numpy(float, na_value=np.nan)
        found[called] = _so_far(frame, values)
    return found


def _with_lines(treatments: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """TREATMENTS with the line that they belong to: the stated one where the lines are, else the last one begun."""
    stated = "start_reason" not in frame or bool((frame["start_reason"] == "stated by the source").all())
    if stated and "line" in treatments and treatments["line"].notna().any():
        return treatments
    dated = treatments.drop(columns="line", errors="ignore").dropna(subset=["start_day"])
    starts = frame[["patient_id", "start_day", "line"]].sort_values("start_day", kind="stable")
    dated = dated.astype({"start_day": "int64"}).sort_values("start_day", kind="stable")
    return pd.merge_asof(dated, starts.astype({"start_day": "int64"}), on="start_day", by="patient_id")


def _residual_disease(
    frame: pd.DataFrame, findings: pd.DataFrame | None, rows: pd.DataFrame, place: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The last result of the previous line up to the row's start, and its day."""
    answer, day = np.full(len(rows), None, dtype=object), np.zeros(len(rows))
    tests = None if findings is None else findings[findings["finding"] == "MRD"]
    if tests is None or tests.empty:
        return answer, day
    tests = tests[tests["value"].isin(["negative", "positive"])]
    patient = pd.Index(rows["patient_id"].unique()).get_indexer(tests["patient_id"])
    order = np.lexsort((tests["value"], tests["day"], patient))
    order = order[patient[order] >= 0]
    last, since = last_before(patient[order], tests["day"].to_numpy(float)[order], rows)
    previous = np.append(_before(frame, "start_day").to_numpy(float), np.nan)[place]
    mine = (last >= 0) & (since >= previous - rows["start_day"].to_numpy(float))
    answer[mine] = tests["value"].to_numpy(object)[order][last[mine]]
    day[mine] = since[mine]
    first = rows["line"].to_numpy() == 1
    answer[first], day[first] = schema.NO_EARLIER_LINE, 0
    return answer, day
