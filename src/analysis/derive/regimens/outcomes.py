"""What the findings say of each line: progression, kind of relapse, best response."""

from __future__ import annotations

import pandas as pd

from analysis import schema
from analysis.derive.regimens.stated import KEY


def outcomes(framed: pd.DataFrame, findings: pd.DataFrame | None) -> dict[str, pd.Series]:
    """Progression day, kind of relapse and best response, each on the index of the lines."""
    nothing = pd.Series(pd.NA, index=framed.index)
    if findings is None:
        unknown = nothing.astype(object).fillna("unknown")
        return {
            "progression_day": nothing.astype("Int64"),
            "relapse_kind": unknown.replace("unknown", "none"),
            "best_response": unknown,
        }
    progressions = _placed(findings[findings["finding"] == "progression"], framed).merge(
        framed[[*KEY, "start_day"]], on=KEY
    )
    progressions = progressions[progressions["day"] > progressions["start_day"]]
    first = framed[KEY].merge(progressions.drop_duplicates(KEY), on=KEY, how="left")
    kind = first["value"].where(first["value"].isin(["biochemical", "clinical"]), "unknown")
    responses = _placed(findings[findings["finding"] == "best response"], framed)
    depth = responses["value"].map({word: rank for rank, word in enumerate(schema.LINES["best_response"].words)})
    deepest = responses.assign(depth=depth).sort_values("depth", kind="stable").drop_duplicates(KEY)
    response = framed[KEY].merge(deepest, on=KEY, how="left")["value"].fillna("unknown")
    return {
        "progression_day": first["day"].astype("Int64"),
        "relapse_kind": kind.where(first["day"].notna(), "none").astype(object),
        "best_response": response.astype(object),
    }


def _placed(findings: pd.DataFrame, framed: pd.DataFrame) -> pd.DataFrame:
    """Each finding with its line - the stated one, else the last that started before its day - in order of days."""
    placed = findings[["patient_id", "day", "value"]].assign(
        day=findings["day"].astype("int64"),
        stated=findings["line"].astype("Int64") if "line" in findings else pd.Series(pd.NA, findings.index, "Int64"),
    )
    starts = framed[["patient_id", "start_day", "line"]].sort_values("start_day", kind="stable")
    placed = pd.merge_asof(
        placed.sort_values("day", kind="stable"),
        starts,
        left_on="day",
        right_on="start_day",
        by="patient_id",
        allow_exact_matches=False,
    )
    placed["line"] = placed["stated"].fillna(placed["line"].astype("Int64"))
    return placed.dropna(subset=["line"]).astype({"line": "int64"})[["patient_id", "day", "value", "line"]]
