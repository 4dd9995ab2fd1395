"""The words of the field: treatments, their classes and aliases; laboratory tests and their units.

The words stand in drugs.csv, regimens.csv, tests.csv, units.csv and unit_concepts.csv beside this code: adding a drug
or a spelling is a line there.
"""

from analysis.vocabulary.agents import canonical_agents, drug_classes, drugs, is_known_agent
from analysis.vocabulary.markers import MARKERS, patients_followed
from analysis.vocabulary.measurements import (
    canonical_tests,
    conversions,
    tests,
    to_canonical_units,
    unit_concepts,
    units_of,
)
from analysis.vocabulary.regimens import regimen_agents, regimens

__all__ = [
    "MARKERS",
    "canonical_agents",
    "canonical_tests",
    "conversions",
    "drug_classes",
    "drugs",
    "is_known_agent",
    "patients_followed",
    "regimen_agents",
    "regimens",
    "tests",
    "to_canonical_units",
    "unit_concepts",
    "units_of",
]
