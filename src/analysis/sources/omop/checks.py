"""What is wrong with an OMOP source, counted on the engine: every fault at once, before a row is pulled."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis import vocabulary
from analysis.sources.omop import endpoint, people
from analysis.sources.omop.canonical import unit_pairs
from analysis.sources.omop.concepts import relations
from analysis.sources.omop.engines import pulled
from analysis.sources.omop.layout import (
    BASELINE_DAYS,
    CDM_VERSION,
    LINE_EPISODE,
    MARKERS,
    REGIMEN_EPISODE,
    UNSPECIFIED_TRANSPLANTS,
)
from analysis.sources.omop.selection import Selection
from analysis.sources.omop.told import Counts, Faults, error, warning
from analysis.sources.parsing import collect, fault

_NAMED = 5  # concepts named in one sentence; the others are counted


def counts(selection: Selection) -> Counts:
    """How many patients and rows there are of each kind that a rule below asks about, in one question to the engine.

    Of the kinds whose records are numbered, "first ..." is the lowest number.
    """
    import ibis

    kinds = {**people.counted(selection), **_rows_counted(selection), **_episodes_counted(selection)}
    if (progressions := selection.progressions()) is not None:
        kinds["progressions"] = progressions
    counted = []
    for kind, rows in kinds.items():
        first = rows.record.min().cast("int64") if "record" in rows.columns else ibis.null("int64")
        counted.append(rows.aggregate(count=rows.count(), first=first).mutate(kind=ibis.literal(kind)))
    found = pulled(ibis.union(*counted)).set_index("kind")
    firsts = found["first"].dropna().astype(int).rename("first {}".format)
    return dict.fromkeys(kinds, 0) | found["count"].astype(int).to_dict() | firsts.to_dict()


def faults(selection: Selection, counted: Counts) -> pd.DataFrame:
    """Every error and warning about a source, as FAULTS; counts only, no value of a patient."""
    found = _version(selection.tables) + _vocabulary(selection.tables) + people.faults(counted, selection)
    if counted["observed"]:
        found += endpoint.faults(counted, endpoint.endpoint(counted, selection.choices.least_share))
        found += _rows(counted) + _unmapped(selection, counted) + _units(selection, counted) + _episodes(counted)
    return collect(found)


def _version(tables: dict[str, Any]) -> Faults:
    """The version that the source states; the columns were found to be those of the model in any case."""
    expected = f"OMOP CDM version {CDM_VERSION}"
    stated = (
        pulled(tables["cdm_source"].select("cdm_version"))["cdm_version"].dropna() if "cdm_source" in tables else []
    )
    if not len(stated):
        mend = "its columns are those of that version; fill cdm_source"
        return [fault("cdm_source", f"{expected}, came none", mend, "cdm_version", severity="warning")]
    wrong = sorted({version for version in stated if CDM_VERSION not in version})
    mend = "convert the source; other versions name other columns"
    return [fault("cdm_source", f"{expected}, came {', '.join(wrong)}", mend, "cdm_version")] if wrong else []


def _vocabulary(tables: dict[str, Any]) -> Faults:
    absent = {
        "concept_ancestor": "drugs count only where they are coded as their ingredient, myeloma only as concept 437233",
        "concept": "tests, units and drugs are found by the ids of the suite's vocabulary alone",
    }
    return [
        fault(name, "the vocabulary's table", f"{mend}; add the table for more", severity="warning")
        for name, mend in absent.items()
        if name not in tables
    ]


def _rows_counted(selection: Selection) -> dict[str, Any]:
    """Treatments that are undated, reversed, overlapping, late or of unstated kind; measurements that mean nothing."""
    import ibis

    given = selection.treatments_given
    spans = given.filter(given.is_drug == 1).select("person_id", "agent", "first", "last").distinct()
    before = ibis.window(group_by=["person_id", "agent"], order_by=["first", "last"])
    spans = spans.mutate(previous=spans["last"].lag().over(before))
    drugs, procedures = given.filter(given.is_drug == 1), given.filter(given.is_drug == 0)
    watched = given.join(selection.observed, "person_id")
    measurement = selection.tables["measurement"].join(selection.observed, "person_id")
    known = measurement.measurement_concept_id.isin(selection.words.tests["concept_id"].tolist())
    return {
        "undated drugs": drugs.filter(drugs["first"].isnull()),
        "undated procedures": procedures.filter(procedures["first"].isnull()),
        "reversed drugs": drugs.filter(drugs["last"] < drugs["first"]),
        "reversed procedures": procedures.filter(procedures["last"] < procedures["first"]),
        "overlapping": spans.filter(spans["first"] < spans.previous),
        "early": watched.filter(watched["first"] < watched.entry),
        "late": watched.filter(watched["first"] > watched.watched_until),
        "unstated": given.filter(given.concept_id.isin(UNSPECIFIED_TRANSPLANTS)),
        "early values": measurement.filter(
            known,
            measurement.measurement_date < measurement.entry,
            measurement.measurement_date.delta(measurement.index_date, unit="day") >= -BASELINE_DAYS,
        ),
        "late values": measurement.filter(known, measurement.measurement_date > measurement.watched_until),
        "unmapped measurements": measurement.filter(measurement.measurement_concept_id == 0),
        "negative": selection.values.filter(selection.values.value < 0),
    }


def _rows(counted: Counts) -> Faults:
    return [
        *_dates(counted, "drugs", "drug_exposure", "drug_exposure_start_date", "drug_exposure_end_date"),
        *_dates(counted, "procedures", "procedure_occurrence", "procedure_date", "procedure_end_date"),
        *warning("drug_exposure", counted["overlapping"], "exposures to one agent that do not overlap",
                  "kept as they are; each has its own start and end", "drug_exposure_start_date"),
        *warning("drug_exposure", counted["early"], "no treatment before observation began",
                 "left out", "drug_exposure_start_date"),
        *warning("drug_exposure", counted["late"], "no treatment after death or after the end of observation",
                  "left out", "drug_exposure_start_date"),
        *warning("measurement", counted["early values"], "no value before observation began",
                 "left out", "measurement_date"),
        *warning("measurement", counted["late values"], "no value after death or after the end of observation",
                  "left out", "measurement_date"),
        *warning("procedure_occurrence", counted["unstated"], "the kind of each transplant",
                  "read as autologous, which nearly all are in myeloma", "procedure_concept_id"),
    ]  # fmt: skip


def _dates(counted: Counts, kind: str, table: str, start: str, end: str) -> Faults:
    """Treatments without a start, or with an end before it, and the number of the first such record."""
    undated, turned = f"undated {kind}", f"reversed {kind}"
    first = {name: f"{table}_id {counted[f'first {name}']}" for name in (undated, turned) if f"first {name}" in counted}
    return [
        *error(table, counted[undated], "a start date of every treatment", "give it", start, first.get(undated, "")),
        *error(table, counted[turned], "no treatment that ends before it starts",
               "correct the dates, or leave the end empty", end, first.get(turned, "")),
    ]  # fmt: skip


def _unmapped(selection: Selection, counted: Counts) -> Faults:
    """Drug and measurement concepts of the patients that mean nothing here: counted, the most frequent named."""
    drug = selection.tables["drug_exposure"].semi_join(selection.observed, "person_id")
    known = relations(selection.tables, selection.words.drugs).select("concept_id").distinct()
    strange = drug.anti_join(known, drug.drug_concept_id == known.concept_id)
    strangers = pulled(strange.group_by(concept_id=strange.drug_concept_id).aggregate(rows=strange.count()))
    strangers = strangers.fillna({"concept_id": 0}).sort_values(["rows", "concept_id"], ascending=[False, True])
    zero = strangers["concept_id"] == 0
    names = _names(selection.tables, strangers.loc[~zero, "concept_id"].tolist())
    foreign = ~zero & ~strangers["concept_id"].isin(names) if "concept" in selection.tables else zero & False
    found = warning("drug_exposure", int(strangers.loc[zero, "rows"].sum()), "a concept for every drug (not 0)",
                     "left out: map the source's codes", "drug_concept_id")  # fmt: skip
    for strange, why, mend in (
        (foreign, "concepts that the table concept has", "left out: load the vocabulary that the data were mapped to"),
        (~zero & ~foreign, "drugs of the suite's vocabulary", "left out, as most are no treatment of myeloma; a new "
         "one is a line in vocabulary/drugs.csv"),
    ):  # fmt: skip
        rows = strangers[strange]
        if len(rows):
            first = ", ".join(f"{names.get(one, one)} ({count:,})" for one, count in rows.iloc[:_NAMED].values.tolist())
            others = f" and {len(rows) - _NAMED:,} more" if len(rows) > _NAMED else ""
            said = f"{why}; came {int(rows['rows'].sum()):,} row(s) of {len(rows):,} other(s): {first}{others}"
            found.append(fault("drug_exposure", said, mend, "drug_concept_id", severity="warning"))
    return found + warning("measurement", counted["unmapped measurements"], "a concept for every measurement (not 0)",
                            "left out: map the source's codes", "measurement_concept_id")  # fmt: skip


def _names(tables: dict[str, Any], ids: list[int]) -> dict[int, str]:
    """The names of these concepts, where the database knows them."""
    if "concept" not in tables or not ids:
        return {}
    concept = tables["concept"]
    found = pulled(concept.filter(concept.concept_id.isin(ids)).select("concept_id", "concept_name"))
    return dict(zip(found["concept_id"].tolist(), found["concept_name"].tolist(), strict=True))


def _units(selection: Selection, counted: Counts) -> Faults:
    """Values of known tests without a unit that fits: refused where a wrong one would make or hide a relapse."""
    values = selection.values
    taken = values.filter(values.value >= 0).group_by(["concept_id", "unit_id", "unit_text"])
    each = pulled(taken.aggregate(rows=lambda table: table.count()))
    kinds, pairs = unit_pairs(each, selection.words)
    known = vocabulary.conversions(pairs)
    refused = known["multiply_by"].isna().to_numpy()[kinds]
    rows = each[refused].assign(test=known["test"].to_numpy(object)[kinds[refused]])
    found = warning("measurement", counted["negative"], "values of at least 0", "left out", "value_as_number")
    for test, count in rows.groupby("test")["rows"].sum().sort_index().items():
        expected = f"a unit of {test} ({', '.join(vocabulary.units_of(test))})"
        if test in MARKERS:
            mend = (
                "fill unit_concept_id (or unit_source_value): a unit is never guessed, a factor of ten makes a relapse"
            )
            found += error("measurement", int(count), expected, mend, "unit_concept_id")
        else:
            found += warning("measurement", int(count), expected, "left out: fill unit_concept_id", "unit_concept_id")
    return found


def _episodes_counted(selection: Selection) -> dict[str, Any]:
    episode = selection.tables.get("episode")
    if episode is None:
        return {}
    lines = episode.filter(episode.episode_concept_id == LINE_EPISODE)
    return {
        "lines": lines,
        "numbered lines": lines.filter(lines.episode_number.between(1, 30)),
        "regimens": episode.filter(episode.episode_concept_id == REGIMEN_EPISODE),
    }


def _episodes(counted: Counts) -> Faults:
    """Lines stated as episodes, where they cannot be used."""
    lines, numbered, regimens = (counted.get(name, 0) for name in ("lines", "numbered lines", "regimens"))
    expected = "a number from 1 to 30 of every line (concept 32941)"
    found = warning("episode", lines - numbered, expected, "not used as a line", "episode_number")
    if regimens and not lines:
        mend = "regimens are no lines: no line is taken as stated"
        found += warning("episode", regimens, "lines (concept 32941), not only regimens (32531)", mend)
    return found
