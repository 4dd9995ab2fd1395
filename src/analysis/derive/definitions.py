"""The same records under many definitions of line and relapse: what hangs on the definition, and what does not."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

import pandas as pd

from analysis import schema, vocabulary
from analysis.derive import regimens, response
from analysis.derive import spells as from_lines

DEFAULT = {"rule": "rajkumar", "window_days": 28, "gap_days": None, "imwg_version": 2016}

_ARE_FOLLOWED = 0.5  # of the treated patients


def grid(
    rules: Iterable[str] = ("rajkumar", "ohdsi", "window_gap"),
    windows_days: Iterable[int] = (28, 30, 60, 90),
    gaps_days: Iterable[int | None] = (60, 90, 120, 180, None),
    imwg_versions: Iterable[int | None] = (2011, 2016),
    default: Mapping[str, object] = DEFAULT,
) -> pd.DataFrame:
    """Which definitions are compared? Returns DEFINITIONS, every combination once.

    Sources: the rules of `regimens.lines_of_therapy`, the versions of `response.Criteria`. A source without marker
    values has no progression to derive: give [None] there.

    Example
    -------
    >>> grid(rules=["ohdsi"], windows_days=[30], gaps_days=[90, None])["definition"].tolist()[:2]
    ['ohdsi, window 30, gap 90, IMWG 2011', 'ohdsi, window 30, gap 90, IMWG 2016']
    """
    names = ("rule", "window_days", "gap_days", "imwg_version")
    rows = [
        dict(zip(names, choice, strict=True))
        for choice in itertools.product(rules, windows_days, gaps_days, imwg_versions)
    ]
    frame = pd.DataFrame(
        {
            "definition": [
                f"{row['rule']}, window {row['window_days']}, gap {row['gap_days'] or 'none'}"
                + (f", IMWG {row['imwg_version']}" if row["imwg_version"] else "")
                for row in rows
            ],
            **{name: [row[name] for row in rows] for name in names},
            "default": [_is(row, default) for row in rows],
        }
    )
    return schema.check(frame.astype({"gap_days": "Int64", "imwg_version": "Int64"}), schema.DEFINITIONS)


def _is(row: Mapping[str, object], default: Mapping[str, object]) -> bool:
    """A definition without response criteria is the default where its rule, window and gap are."""
    return row["imwg_version"] in (default["imwg_version"], None) and all(
        row[name] == default[name] for name in ("rule", "window_days", "gap_days")
    )


def endpoint(cohort: dict[str, pd.DataFrame]) -> str:
    """Which endpoint can be compared: "relapse" where it is the cohort's own and markers can show it, else "next_line".

    They can where at least half of the treated patients have a marker on two days or more; lines of the others would
    all be left out.

    Example
    -------
    >>> about, treatments = pd.DataFrame({"endpoint": ["relapse"]}), pd.DataFrame({"patient_id": ["a", "b"]})
    >>> labs = pd.DataFrame({"patient_id": "a", "day": [0, 30], "test": "serum M-protein"})
    >>> endpoint({"cohort": about, "treatments": treatments, "labs": labs})
    'relapse'
    """
    if cohort["cohort"]["endpoint"].iloc[0] != "relapse" or "treatments" not in cohort:
        return "next_line"
    treated = cohort["treatments"]["patient_id"].nunique()
    followed = vocabulary.patients_followed(cohort.get("labs"))
    return "relapse" if followed and followed >= _ARE_FOLLOWED * treated else "next_line"


def some_patients(cohort: dict[str, pd.DataFrame], count: int) -> dict[str, pd.DataFrame]:
    """The tables of at most so many patients, taken at even distances in the order of their ids; all where fewer.

    Example
    -------
    >>> cohort = {"patients": pd.DataFrame({"patient_id": list("dcba")}), "cohort": pd.DataFrame({"name": ["x"]})}
    >>> some_patients(cohort, 2)["patients"]["patient_id"].tolist()
    ['c', 'a']
    """
    if count < 1:
        raise ValueError(f"count: expected at least 1 patient, came {count}")
    ids = cohort["patients"]["patient_id"].sort_values().tolist()
    kept = set(ids[:: -(-len(ids) // count)])
    return {
        name: frame[frame["patient_id"].isin(kept)].reset_index(drop=True) if "patient_id" in frame else frame
        for name, frame in cohort.items()
    }


def spells_by_definition(
    cohort: dict[str, pd.DataFrame], definitions: pd.DataFrame, endpoint: str, mode: str = "lab_only"
) -> pd.DataFrame:
    """What are the spells of this cohort under each definition? SPELLS with the column `definition`, one set for each.

    Lines are derived from the treatments, whatever the source numbers. For endpoint "relapse" progression is derived
    from the marker values by each version of the criteria; lines that have no measurable marker at their start are
    left out, because no relapse could be seen in them.

    Parameters
    ----------
    cohort : canonical tables, with treatments; for endpoint "relapse" with labs
    definitions : DEFINITIONS
    endpoint : as in `spells.spells`
    mode : how missing assessments are read, as in `response.Criteria`

    Raises
    ------
    ValueError
        for a cohort without the tables that are needed.
    """
    schema.check(definitions, schema.DEFINITIONS)
    needed = ["treatments", *(["labs"] if endpoint == "relapse" else [])]
    if missing := [name for name in needed if name not in cohort]:
        raise ValueError(
            f"spells_by_definition: expected the tables {needed} for endpoint {endpoint!r}, came {sorted(cohort)}; "
            f"bring {', '.join(missing)}"
        )
    if endpoint == "relapse" and definitions["imwg_version"].isna().any():
        raise ValueError(
            "spells_by_definition: expected an imwg_version in every row for endpoint 'relapse', came none"
        )
    lines, choices = _lines_by_choice(cohort, definitions)
    courses, chosen = _courses(lines)
    copied = _copied(cohort, courses)
    versions = definitions["imwg_version"].unique() if endpoint == "relapse" else [None]
    made = {version: _spells(copied, courses, endpoint, version, mode) for version in versions}
    parts = []
    for choice, (_, rows) in zip(choices, definitions.iterrows(), strict=True):
        of_version = made[rows["imwg_version"] if endpoint == "relapse" else None]
        mine = chosen.loc[chosen["choice"] == choice, ["course", "patient_id"]]
        spelled = of_version.rename(columns={"patient_id": "course"}).merge(mine, on="course").drop(columns="course")
        parts.append(spelled.assign(definition=rows["definition"]))
    return pd.concat(parts, ignore_index=True)


def _lines_by_choice(cohort: dict[str, pd.DataFrame], definitions: pd.DataFrame) -> tuple[pd.DataFrame, list[tuple]]:
    """LINES of every rule, window and gap with the column `choice`; and the choice of each definition."""
    gaps = [None if pd.isna(gap) else int(gap) for gap in definitions["gap_days"]]
    choices = list(zip(definitions["rule"], definitions["window_days"].astype(int), gaps, strict=True))
    numbered = {choice: number for number, choice in enumerate(dict.fromkeys(choices))}
    given = {name: cohort[name] for name in ("patients", "treatments")}
    parts = [
        # Progressions stay out of the rule here: lines made from relapses would say little about relapse by line.
        regimens.lines(given, rule=rule, window_days=window, gap_days=gap, findings=None).assign(choice=number)
        for (rule, window, gap), number in numbered.items()
    ]
    return pd.concat(parts, ignore_index=True), [numbered[choice] for choice in choices]


def _courses(lines: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each course of a patient once: LINES by course instead of patient, and which course each choice gives.

    Most patients have the same lines under most definitions; only what differs is judged again.
    """
    mark = pd.util.hash_array((lines["line"].to_numpy("int64") << 32) + lines["start_day"].to_numpy("int64"))
    key = ["choice", "patient_id"]
    seen = lines[key].assign(mark=mark).groupby(key, sort=False)["mark"].sum().reset_index()
    seen["course"] = seen.groupby(["patient_id", "mark"], sort=False).ngroup().map("{:08d}".format)
    first = seen.drop_duplicates("course")
    courses = lines.merge(first[[*key, "course"]], on=key)
    courses = courses.assign(own_id=courses["patient_id"], patient_id=courses["course"])
    return courses.drop(columns=["choice", "course"]), seen[["choice", "patient_id", "course"]]


def _copied(cohort: dict[str, pd.DataFrame], courses: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The cohort with every course as a patient of its own."""
    ids = courses[["own_id", "patient_id"]].drop_duplicates().rename(columns={"patient_id": "course"})

    def copied(frame: pd.DataFrame) -> pd.DataFrame:
        rows = frame.merge(ids, left_on="patient_id", right_on="own_id")
        return rows.assign(patient_id=rows["course"]).drop(columns=["course", "own_id"])

    return {name: copied(frame) for name, frame in cohort.items() if "patient_id" in frame}


def _spells(cohort: dict, lines: pd.DataFrame, endpoint: str, imwg_version: int | None, mode: str) -> pd.DataFrame:
    lines = lines.drop(columns="own_id")
    if endpoint != "relapse":
        return from_lines.spells(cohort, lines, endpoint=endpoint)
    found = response.outcomes(cohort, lines, imwg_version=int(imwg_version), mode=mode)
    lines = response.with_outcomes(lines, found)
    judged = lines.loc[lines["followable"], ["patient_id", "line"]]
    return from_lines.spells(cohort, lines, endpoint=endpoint).merge(judged, on=["patient_id", "line"])
