"""The part of OMOP CDM 5.4 that is read: tables, columns and the concepts that are fixed by the model itself."""

from __future__ import annotations

from dataclasses import dataclass

CDM_VERSION = "5.4"

MYELOMA = 437233
LINE_EPISODE = 32941  # "cancer drug treatment": the concept under which OHDSI's myeloma episodes store a line
REGIMEN_EPISODE = 32531
MALE, FEMALE = 8507, 8532
DISEASE_STATUS_LOINC, DISEASE_STATUS = "97509-4", 1617595
WORSENED = 1620411
MARKERS = ("serum M-protein", "urine M-protein", "kappa free light chain", "lambda free light chain")
# A transplant of unstated kind: nearly all are autologous in myeloma, and so these are read, with a warning.
UNSPECIFIED_TRANSPLANTS = (4120445, 4028623, 4081380, 37152106)

SYNTHETIC = "relapse-synthetic"  # in cdm_source: nobody in this source is real

# Records from this day of the first diagnosis on belong to the disease, which is often coded a little late.
FIRST_DAY = -30
OLDEST = 120  # years; an age beyond it is a slip in the year of birth
AT_START = (-60, 7)  # days in which a marker value is one of the start, as the response criteria have it by default
BASELINE_DAYS = 90  # a laboratory value this old at most stands for the value at the index day


@dataclass(frozen=True)
class Source:
    """One table: its columns by kind ("integer", "number", "date", "text"), and whether it may be left out.

    `optional` names columns that the model allows to be absent or that are used only where they are there.
    """

    columns: dict[str, str]
    optional: tuple[str, ...] = ()
    may_be_absent: bool = False


SOURCES = {
    "person": Source(
        {
            "person_id": "integer",
            "gender_concept_id": "integer",
            "year_of_birth": "integer",
            "month_of_birth": "integer",
            "day_of_birth": "integer",
        },
        ("month_of_birth", "day_of_birth"),
    ),
    "observation_period": Source(
        {"person_id": "integer", "observation_period_start_date": "date", "observation_period_end_date": "date"}
    ),
    "death": Source({"person_id": "integer", "death_date": "date"}),
    "condition_occurrence": Source(
        {"person_id": "integer", "condition_concept_id": "integer", "condition_start_date": "date"}
    ),
    "drug_exposure": Source(
        {
            "drug_exposure_id": "integer",
            "person_id": "integer",
            "drug_concept_id": "integer",
            "drug_exposure_start_date": "date",
            "drug_exposure_end_date": "date",
        },
        ("drug_exposure_id",),
    ),
    "procedure_occurrence": Source(
        {
            "procedure_occurrence_id": "integer",
            "person_id": "integer",
            "procedure_concept_id": "integer",
            "procedure_date": "date",
            "procedure_end_date": "date",
        },
        ("procedure_occurrence_id", "procedure_end_date"),
    ),
    "measurement": Source(
        {
            "person_id": "integer",
            "measurement_concept_id": "integer",
            "measurement_date": "date",
            "value_as_number": "number",
            "value_as_concept_id": "integer",
            "unit_concept_id": "integer",
            "unit_source_value": "text",
        },
        ("value_as_concept_id", "unit_source_value"),
    ),
    "episode": Source(
        {
            "person_id": "integer",
            "episode_concept_id": "integer",
            "episode_start_date": "date",
            "episode_end_date": "date",
            "episode_number": "integer",
        },
        ("episode_end_date",),
        may_be_absent=True,
    ),
    "concept": Source(
        {
            "concept_id": "integer",
            "concept_name": "text",
            "vocabulary_id": "text",
            "concept_class_id": "text",
            "concept_code": "text",
        },
        may_be_absent=True,
    ),
    "concept_ancestor": Source(
        {"ancestor_concept_id": "integer", "descendant_concept_id": "integer"},
        may_be_absent=True,
    ),
    "cdm_source": Source(
        {
            "cdm_source_name": "text",
            "cdm_source_abbreviation": "text",
            "cdm_version": "text",
            "vocabulary_version": "text",
        },
        ("cdm_source_name", "cdm_source_abbreviation", "vocabulary_version"),
        may_be_absent=True,
    ),
}
"""Every table that is read, with the columns that are read of it; nothing else is asked for."""

NEEDED = tuple(name for name, source in SOURCES.items() if not source.may_be_absent)
