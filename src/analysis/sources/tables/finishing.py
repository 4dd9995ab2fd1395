"""From typed frames to the canonical cohort: what may be absent gets its stated default, types become exact."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import schema, vocabulary
from analysis.sources.parsing import fault
from analysis.sources.tables.endpoint import chosen_endpoint
from analysis.sources.tables.layout import LAYOUTS

Frames = dict[str, pd.DataFrame]
_TRANSPLANTS = ("autologous transplant", "allogeneic transplant")


def finished(frames: Frames, folder: Path) -> Frames:
    """The canonical tables, each held against its declaration; `frames` must be free of errors."""
    ready = {name: frame.reset_index(drop=True) for name, frame in frames.items() if name != "cohort"}
    if "lines" in ready:
        ready["lines"] = _lines(ready["lines"])
    filled = {name: _filled(frame, name) for name, frame in ready.items()}
    about = _cohort(frames.get("cohort"), filled, folder)
    return {name: _exact(frame, name) for name, frame in ({"cohort": about} | filled).items()}


def stated_defaults(frames: Frames, files: dict[str, str], absent: dict[str, set[str]]) -> list[pd.DataFrame]:
    """A warning for each default that changes what an analysis finds."""
    faults = []
    if "entry_day" in absent.get("patients", ()):
        expected = "the column 'entry_day': from which day the patient was under observation"
        mend = "day 0 is taken; give it when patients were enrolled after their clock began"
        faults.append(fault(files["patients"], expected, mend, "entry_day", severity="warning"))
    if "lines" in frames and "next_line_day" in frames["lines"]:
        made = len(_unlisted(frames["lines"]))
        if made:
            expected = f"a row for each next line ({made:,} given as next_line_day only)"
            mend = "the row is made from next_line_day, with all else unknown"
            faults.append(fault(files["lines"], expected, mend, "next_line_day", severity="warning"))
    return faults


def _unlisted(lines: pd.DataFrame) -> pd.DataFrame:
    """The next lines that are known by their start only."""
    last = lines.sort_values("line").groupby("patient_id").tail(1)
    last = last[last["next_line_day"].notna()]
    return pd.DataFrame({
        "patient_id": last["patient_id"], "line": last["line"] + 1, "start_day": last["next_line_day"]
    })  # fmt: skip


def _lines(lines: pd.DataFrame) -> pd.DataFrame:
    if "next_line_day" in lines:
        unlisted = _unlisted(lines)
        lines = lines.drop(columns="next_line_day")
        if len(unlisted):
            lines = pd.concat([lines, unlisted.reindex(columns=lines.columns).astype(lines.dtypes)], ignore_index=True)
    regimen = _regimens(lines["regimen"])
    stated = lines["relapse_kind"].astype(object)
    none = lines["progression_day"].isna()
    return lines.assign(
        regimen=regimen["regimen"],
        classes=lines["classes"].fillna(regimen["classes"]),
        transplant=lines["transplant"].fillna(regimen["transplant"]),
        relapse_kind=stated.fillna(pd.Series(np.where(none, "none", "unknown"), index=lines.index)),
    )


def _regimens(given: pd.Series) -> pd.DataFrame:
    """Canonical regimens (by alphabet, transplants last), their classes, and whether a transplant is among them."""
    rows = []
    for text in given.dropna().unique():
        agents = pd.DataFrame({"agent": [agent for agent in re.split(r"\s*\+\s*", text.strip()) if agent]})
        agents["agent"] = vocabulary.canonical_agents(agents["agent"])
        agents["drug_class"] = vocabulary.drug_classes(agents["agent"])
        agents["transplant"] = agents["drug_class"].isin(_TRANSPLANTS)
        regimen = agents.sort_values(["transplant", "agent"])["agent"].drop_duplicates()
        classes = agents.sort_values(["transplant", "drug_class"])["drug_class"].drop_duplicates()
        rows.append((text, "+".join(regimen), "+".join(classes), agents["transplant"].any()))
    table = pd.DataFrame(rows, columns=["text", "regimen", "classes", "transplant"]).set_index("text")
    found = table.reindex(given).set_axis(given.index)
    return found.assign(
        regimen=found["regimen"].fillna("unknown"),
        classes=found["classes"].fillna("unknown"),
        transplant=found["transplant"].astype("boolean").fillna(False),
    )


def _filled(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    defaults = {column: value for column, value in LAYOUTS[name].defaults.items() if value is not None}
    for column in LAYOUTS[name].table.columns:
        if column.kind == "word" and "unknown" in column.words:
            defaults[column.name] = "unknown"
    present = {column: frame[column].fillna(value) for column, value in defaults.items() if column in frame}
    return frame.assign(**present)


def _cohort(given: pd.DataFrame | None, frames: Frames, folder: Path) -> pd.DataFrame:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", folder.resolve().name).strip("-._") or "cohort"
    defaults = {
        "name": name,
        "title": folder.resolve().name or name,
        "synthetic": False,
        "endpoint": chosen_endpoint(frames),
        "time_zero": "day 0 as counted in the tables brought",
        "source": f"own tables in the folder {folder.resolve().name}",
        "citation": "not stated",
        "licence": "not stated",
        "release": None,
    }
    stated = {} if given is None or not len(given) else given.iloc[0].dropna().to_dict()
    told = {"relapses": stated["relapses"]} if "relapses" in stated else {}
    return pd.DataFrame([{column: stated.get(column, value) for column, value in defaults.items()} | told])


def _exact(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Declared columns first, in their order and exact types; missing text is None."""
    table = LAYOUTS[name].table
    declared = [column for column in table.columns if column.name in frame]
    more = [column for column in frame if column not in table.names]
    exact = frame[[column.name for column in declared] + more].astype({c.name: c.dtype for c in declared})
    texts = {
        column: exact[column].where(exact[column].notna(), None) for column in exact if exact[column].dtype == object
    }
    return schema.check(exact.assign(**texts), table)
