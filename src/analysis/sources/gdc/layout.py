"""Names and words of the GDC's clinical export: which field stands where, under which header, and what is no value."""

from __future__ import annotations

from dataclasses import dataclass

PROJECT = "MMRF-COMMPASS"
MANIFEST, PARTIAL_MANIFEST = "fetch.json", "fetch.partial.json"  # what a download says of itself
MISSING = frozenset({"", "'--", "--"})

# level of the GDC's tree -> fields that this reader takes from it
LEVELS = {
    "project": ("project_id",),
    "cases": ("case_id", "case_submitter_id", "index_date"),
    "demographic": (
        "gender",
        "sex_at_birth",
        "race",
        "vital_status",
        "days_to_death",
        "days_to_birth",
        "age_at_index",
    ),
    "diagnoses": ("iss_stage", "days_to_last_follow_up", "days_to_last_known_disease_status"),
    "treatments": (
        "treatment_id",
        "regimen_or_line_of_therapy",
        "therapeutic_agents",
        "treatment_type",
        "treatment_or_therapy",
        "days_to_treatment_start",
        "days_to_treatment_end",
    ),
    "follow_ups": (
        "follow_up_id",
        "days_to_follow_up",
        "days_to_progression",
        "progression_or_recurrence",
        "disease_response",
        "ecog_performance_status",
    ),
    "molecular_tests": ("molecular_test_id", "days_to_test", "laboratory_test", "test_value", "test_units"),
}
LEVEL_OF = {field: level for level, fields in LEVELS.items() for field in fields}
# Wherever the record's own key is missing the submitter's does as well; only that of the case reaches the tables.
KEYS = {"treatments": "treatment_id", "follow_ups": "follow_up_id", "molecular_tests": "molecular_test_id"}

CASE_FIELDS = tuple(field for level in ("project", "cases", "demographic", "diagnoses") for field in LEVELS[level])
CLINICAL_FIELDS = CASE_FIELDS + LEVELS["treatments"]
VISIT_FIELDS = LEVELS["cases"] + LEVELS["follow_ups"] + LEVELS["molecular_tests"]
CLINICAL_REQUIRED = (
    "case_submitter_id",
    "vital_status",
    "days_to_death",
    "days_to_last_follow_up",
    "regimen_or_line_of_therapy",
    "therapeutic_agents",
    "treatment_type",
    "days_to_treatment_start",
    "days_to_treatment_end",
)
VISIT_REQUIRED = ("case_submitter_id", "days_to_follow_up")

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
LINE_NUMBERS = {f"{word} line of therapy": number for number, word in enumerate(ORDINALS, start=1)}
TRANSPLANT = "stem cell transplantation"
NOT_SAID = frozenset({"unknown", "not reported", "not allowed to collect", "unspecified"})
SEXES = {"female": "female", "male": "male"}
STAGES = {
    **{stage: stage.upper() for stage in ("i", "ii", "iii")},
    **{f"stage {stage}": stage.upper() for stage in ("i", "ii", "iii")},
}
RESPONSES = ("scr", "cr", "vgpr", "pr", "mr", "sd", "pd")


@dataclass(frozen=True)
class Records:
    """One of the export's two row sets, every value still text: `frame` has file, line, place and one column per field.

    `headers` says how a field is called in the file; `place` (JSON only) is the path of each level of the tree.
    """

    frame: object
    headers: dict[str, str]

    def shown(self, field: str, row: int) -> str:
        """The column of a fault as its file calls it, or the path in a JSON file."""
        place = self.frame.at[row, "place"]
        if not place:
            return self.headers.get(field, field)
        return f"{place[LEVEL_OF[field]]}.{spelled_in_json(field)}"


def spelled_in_json(field: str) -> str:
    """The key of a field within its level of the JSON tree."""
    return "submitter_id" if field == "case_submitter_id" else field


def field_of(header: str) -> str | None:
    """Which field does this header of either generation ("vital_status", "demographic.vital_status") name?"""
    prefix, _, name = header.strip().rpartition(".")
    if prefix == "cases" and name == "submitter_id":
        return "case_submitter_id"
    if name not in LEVEL_OF or (prefix and prefix != LEVEL_OF[name]):
        return None
    return name
