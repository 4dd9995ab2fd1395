"""The small vocabulary that goes with an OMOP folder of ours, and what the folder says of itself."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis import vocabulary
from analysis.sources.omop import layout

_LOCAL = 2_000_000_000  # where OMOP lets a site number concepts of its own


def agent_concepts(agents: pd.Series) -> dict[str, int]:
    """The concept under which each agent is written: its first id, or a local one where the vocabulary has none."""
    known = vocabulary.drugs()
    first = known["omop_concept_id"].str.split("|").str[0]
    local = pd.Series(range(_LOCAL, _LOCAL + len(known)), index=known.index).astype(str)
    ids = dict(zip(known["agent"], first.where(first != "", local).astype("int64"), strict=True))
    strangers = sorted(set(agents) - set(ids))
    if strangers:
        raise ValueError(f"agents that the vocabulary does not know cannot be written as OMOP concepts: {strangers}")
    return ids


def constant_tables(part: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """What does not depend on patients: a small vocabulary, and what the source says of itself."""
    about = part["cohort"].iloc[0]
    source = {
        "cdm_source_name": about["title"],
        "cdm_source_abbreviation": layout.SYNTHETIC,
        "cdm_holder": "nobody: simulated, no row is a real patient",
        "cdm_version": f"v{layout.CDM_VERSION}",
        "vocabulary_version": "the suite's own",
    }
    concept = _concepts()
    own = {"ancestor_concept_id": concept["concept_id"], "descendant_concept_id": concept["concept_id"]}
    levels = {"min_levels_of_separation": 0, "max_levels_of_separation": 0}
    return {
        "cdm_source": pd.DataFrame([source]),
        "concept": concept,
        "concept_ancestor": pd.DataFrame(own | levels),
    }


def _concepts() -> pd.DataFrame:
    """The concepts that the clinical tables use: drugs, tests, units, and those of the model."""
    drugs = vocabulary.drugs()
    ids = agent_concepts(drugs["agent"])
    drug = pd.DataFrame({
        "concept_id": drugs["agent"].map(ids), "concept_name": drugs["agent"],
        "domain_id": np.where(drugs["kind"] == "transplant", "Procedure", "Drug"),
        "vocabulary_id": np.where(drugs["rxnorm"] != "", "RxNorm", "RELAPSE"),
        "concept_class_id": np.where(drugs["kind"] == "transplant", "Procedure", "Ingredient"),
        "concept_code": drugs["rxnorm"].where(drugs["rxnorm"] != "", drugs["agent"]),
    })  # fmt: skip
    tests = vocabulary.tests()
    tests = tests[tests["omop_concept_id"] != ""]
    test = pd.DataFrame({
        "concept_id": tests["omop_concept_id"].str.split("|").str[0].astype("int64"), "concept_name": tests["test"],
        "domain_id": "Measurement", "vocabulary_id": "LOINC", "concept_class_id": "Lab Test",
        "concept_code": tests["loinc"].str.split("|").str[0],
    })  # fmt: skip
    units = vocabulary.unit_concepts()
    unit = pd.DataFrame({
        "concept_id": units["omop_concept_id"], "concept_name": units["unit"], "domain_id": "Unit",
        "vocabulary_id": "UCUM", "concept_class_id": "Unit", "concept_code": units["unit"],
    })  # fmt: skip
    model = pd.DataFrame([
        (layout.MYELOMA, "Multiple myeloma", "Condition", "SNOMED", "Disorder", "109989006"),
        (layout.DISEASE_STATUS, "Disease status", "Measurement", "LOINC", "Clinical Observation",
         layout.DISEASE_STATUS_LOINC),
        (layout.WORSENED, "Worsened", "Meas Value", "LOINC", "Answer", "worsened"),
        (layout.LINE_EPISODE, "Cancer Drug Treatment", "Episode", "Episode", "Treatment", "line"),
    ], columns=drug.columns)  # fmt: skip
    every = pd.concat([drug, test, unit, model], ignore_index=True)
    return every.assign(standard_concept="S").drop_duplicates("concept_id", ignore_index=True)
