"""The words of the field: treatments, their classes and aliases; laboratory tests and their units.

The words stand in drugs.csv, tests.csv and units.csv beside this code: adding a drug or a spelling is a line there.
"""

from analysis.vocabulary.agents import canonical_agents, drug_classes, drugs, is_known_agent
from analysis.vocabulary.measurements import canonical_tests, tests, to_canonical_units, units_of
from analysis.vocabulary.regimens import regimen_agents, regimens

__all__ = [
    "canonical_agents",
    "canonical_tests",
    "drug_classes",
    "drugs",
    "is_known_agent",
    "regimen_agents",
    "regimens",
    "tests",
    "to_canonical_units",
    "units_of",
]
