"""Which treatments are used on which line: regimens and drug classes, as counts and shares of those who started it."""

from __future__ import annotations

import pandas as pd

from analysis import schema


def regimens(lines: pd.DataFrame) -> pd.DataFrame:
    """How often is each regimen used on each line?

    Returns table REGIMENS; the shares of a line add up to 1, largest first.

    Raises
    ------
    analysis.schema.SchemaError
        when the lines do not fit LINES.

    Example
    -------
    >>> from analysis import schema
    >>> used = regimens(_two_lines())
    >>> used[["line", "regimen", "patients"]].values.tolist()
    [[1, 'bortezomib+lenalidomide', 2], [2, 'daratumumab', 1]]
    """
    schema.check(lines, schema.LINES)
    return schema.check(_shares(lines[["patient_id", "line", "regimen"]], lines, "regimen"), schema.REGIMENS)


def drug_classes(lines: pd.DataFrame) -> pd.DataFrame:
    """How many of those who start a line are treated with each drug class on it?

    Returns table CLASS_SHARES. A patient counts once in every class of the line, so the shares of a
    line add up to more than 1.

    Raises
    ------
    analysis.schema.SchemaError
        when the lines do not fit LINES.

    Example
    -------
    >>> drug_classes(_two_lines())["drug_class"].tolist()
    ['IMiD', 'PI', 'anti-CD38']
    """
    schema.check(lines, schema.LINES)
    classes = lines[["patient_id", "line"]].assign(drug_class=lines["classes"].str.split("+", regex=False))
    classes = classes.explode("drug_class").dropna(subset=["drug_class"]).drop_duplicates()
    return schema.check(_shares(classes, lines, "drug_class"), schema.CLASS_SHARES)


def line_ends(lines: pd.DataFrame) -> pd.DataFrame:
    """Why did the lines end, line by line?

    Returns table REASONS: the words of `end_reason`, most frequent first; shares of a line add up to 1. Lines whose end
    has no known reason count as "unknown".

    Raises
    ------
    analysis.schema.SchemaError
        when the lines do not fit LINES, or have no column end_reason.

    Example
    -------
    >>> lines = _two_lines().assign(end_reason=["drug switched", "drug switched", None])
    >>> line_ends(lines)[["line", "end_reason", "patients"]].values.tolist()
    [[1, 'drug switched', 2], [2, 'unknown', 1]]
    """
    schema.check(lines, schema.LINES)
    if "end_reason" not in lines:
        raise schema.SchemaError("table LINES: column 'end_reason' is missing; derive the lines with derive.regimens")
    reasons = lines[["patient_id", "line"]].assign(end_reason=lines["end_reason"].fillna("unknown"))
    return schema.check(_shares(reasons, lines, "end_reason"), schema.REASONS)


def strategies(classes: pd.Series) -> pd.Series:
    """Which strategy is a line of these classes? The newest principle in it, in the order of schema.STRATEGIES.

    `classes` are the texts of LINES. A proteasome inhibitor and an IMiD count together where no newer principle is
    given; whatever has none of all these (alkylators, steroids) is "other".

    Example
    -------
    >>> strategies(pd.Series(["IMiD+PI+steroid", "IMiD+anti-CD38", "alkylator+steroid"])).tolist()
    ['PI + IMiD', 'anti-CD38', 'other']
    """
    named = {}
    for text in classes.unique():
        parts = set(text.split("+")) | ({"PI + IMiD"} if {"PI", "IMiD"} <= set(text.split("+")) else set())
        named[text] = next((word for word in schema.STRATEGIES if word in parts), "other")
    return classes.map(named).astype(object)


def class_flows(lines: pd.DataFrame, to_next_line: pd.DataFrame) -> pd.DataFrame:
    """From which strategy on one line to which on the next did patients go, and who went no further?

    Returns CLASS_FLOWS: counts; those of a line add up to the patients who started it. "death" and "neither" come from
    `to_next_line`, the SPELLS of the same lines with endpoint "next_line".

    Raises
    ------
    analysis.schema.SchemaError
        when the frames do not fit LINES and SPELLS.

    Example
    -------
    >>> spells = pd.DataFrame({"patient_id": ["a", "b", "a"], "line": [1, 1, 2], "entry": 0, "time": [300, 90, 50],
    ...     "event": ["next_line", "death", "censored"]})
    >>> class_flows(_two_lines(), spells)[["line", "strategy", "next", "patients"]].values.tolist()
    [[1, 'PI + IMiD', 'anti-CD38', 1.0], [1, 'PI + IMiD', 'death', 1.0], [2, 'anti-CD38', 'neither', 1.0]]
    """
    schema.check(lines, schema.LINES)
    schema.check(to_next_line, schema.SPELLS)
    key = ["patient_id", "line"]
    given = lines[key].assign(strategy=strategies(lines["classes"]))
    following = given.assign(line=given["line"] - 1).rename(columns={"strategy": "following"})
    joined = given.merge(to_next_line[[*key, "event"]], on=key).merge(following, on=key, how="left")
    went_on = joined["event"] == "next_line"
    joined["next"] = joined["event"].map({"death": "death"}).fillna("neither").mask(went_on, joined["following"])
    counted = joined.groupby(["line", "strategy", "next"]).size().rename("patients").astype(float).reset_index()
    return schema.check(counted, schema.CLASS_FLOWS)


def courses(lines: pd.DataFrame, lifetimes: pd.DataFrame, count: int) -> pd.DataFrame:
    """What did single courses look like, line by line, from first treatment to the end of observation?

    Returns COURSES of `count` patients with at least two lines, taken at even distances in the order of their ids: a
    look at the data, no estimate. Only synthetic cohorts may show them; disclosure drops every row of a real one.

    Parameters
    ----------
    lines : LINES
    lifetimes : SPELLS of the same lines with endpoint "death"
    count : how many courses

    Raises
    ------
    analysis.schema.SchemaError
        when the frames do not fit LINES and SPELLS.

    Example
    -------
    >>> spells = pd.DataFrame({"patient_id": ["a", "b", "a"], "line": [1, 1, 2], "entry": 0, "time": [350, 90, 50],
    ...     "event": ["death", "death", "death"]})
    >>> courses(_two_lines(), spells, 5)[["course", "line", "start", "end", "event"]].values.tolist()
    [[1, 1, 0.0, 300.0, ''], [1, 2, 300.0, 350.0, 'death']]
    """
    schema.check(lines, schema.LINES)
    schema.check(lifetimes, schema.SPELLS)
    several = sorted(lines.loc[lines["line"] == 2, "patient_id"].unique())
    step = max(len(several) // count, 1)
    number = {patient: place for place, patient in enumerate(several[::step][:count], start=1)}
    key = ["patient_id", "line"]
    chosen = lines[lines["patient_id"].isin(number)].merge(lifetimes[[*key, "time", "event"]], on=key)
    chosen = chosen.sort_values(key, ignore_index=True)
    patient = chosen.groupby("patient_id")
    zero, following = patient["start_day"].transform("min"), patient["start_day"].shift(-1)
    made = pd.DataFrame(
        {
            "course": chosen["patient_id"].map(number),
            "line": chosen["line"],
            "strategy": strategies(chosen["classes"]),
            "start": (chosen["start_day"] - zero).astype(float),
            "end": (following.fillna(chosen["start_day"] + chosen["time"]) - zero).astype(float),
            "relapse": (chosen["progression_day"] - zero).astype(float),
            "event": chosen["event"].where(following.isna(), ""),
        }
    )
    return schema.check(made, schema.COURSES)


def _shares(rows: pd.DataFrame, lines: pd.DataFrame, kind: str) -> pd.DataFrame:
    counted = rows.groupby(["line", kind], sort=True).size().rename("patients").reset_index()
    counted["total"] = counted["line"].map(lines.groupby("line")["patient_id"].nunique())
    counted["share"] = counted["patients"] / counted["total"]
    return counted.sort_values(["line", "patients", kind], ascending=[True, False, True], ignore_index=True)


def _two_lines() -> pd.DataFrame:
    """LINES of two patients, for the examples above."""
    frame = pd.DataFrame({"patient_id": ["a", "b", "a"], "line": [1, 1, 2], "start_day": [0, 0, 300]})
    regimen = ["bortezomib+lenalidomide", "bortezomib+lenalidomide", "daratumumab"]
    days = pd.array([None] * 3, dtype="Int64")
    return frame.assign(
        end_day=days, regimen=regimen, classes=["PI+IMiD", "PI+IMiD", "anti-CD38"], transplant=False,
        maintenance=pd.array([None] * 3, dtype="boolean"), best_response="unknown", progression_day=days,
        relapse_kind="none", start_imputed=False,
    )  # fmt: skip
