"""Which concept means which of our words: ids from the vocabulary's CSV files, and what the database's own adds.

Where `concept` is there, LOINC codes find the tests, RxNorm codes and ingredient names the drugs that have no id here,
UCUM codes the units; where `concept_ancestor` is there, clinical drugs find their ingredient. The ids are the fallback.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis import vocabulary
from analysis.sources.omop.engines import pulled
from analysis.sources.omop.layout import (
    DISEASE_STATUS,
    DISEASE_STATUS_LOINC,
    LINE_EPISODE,
    MYELOMA,
    UNSPECIFIED_TRANSPLANTS,
)

AUTOLOGOUS = "autologous transplant"


@dataclass(frozen=True)
class Words:
    """What concepts mean: agents by number (`agents[number]`), tests and units by concept, and the status of disease.

    `drugs` has the columns concept_id and agent (its number), `tests` concept_id and test, `units` concept_id and unit.
    """

    agents: tuple[str, ...]
    drugs: pd.DataFrame
    tests: pd.DataFrame
    units: pd.DataFrame
    disease_status: tuple[int, ...]

    @property
    def treating(self) -> list[int]:
        """Numbers of the agents whose first day may be the index day: neither steroids nor what is given beside."""
        known = vocabulary.drugs().set_index("agent")
        beside = (known["kind"] == "support") | (known["drug_class"] == "steroid")
        return [number for number, agent in enumerate(self.agents) if not beside[agent]]


def words(tables: dict[str, Any]) -> Words:
    """The meaning of the concepts in these tables."""
    concept = tables.get("concept")
    known = vocabulary.drugs()
    agents = tuple(sorted(known["agent"]))
    number = {agent: place for place, agent in enumerate(agents)}
    drugs = _listed(known, "agent", "omop_concept_id")
    more = pd.DataFrame({"concept_id": UNSPECIFIED_TRANSPLANTS, "agent": AUTOLOGOUS})
    drugs = pd.concat([drugs, more, *_drugs_by_code(concept, known)], ignore_index=True)
    drugs = drugs.drop_duplicates("concept_id", ignore_index=True)
    status = _coded(concept, "LOINC", [DISEASE_STATUS_LOINC])["concept_id"].tolist()
    return Words(
        agents=agents,
        drugs=drugs.assign(agent=drugs["agent"].map(number)).astype("int64"),
        tests=_tests(concept),
        units=_units(concept),
        disease_status=(*{DISEASE_STATUS, *status},),
    )


def myeloma(tables: dict[str, Any]) -> Any:
    """The concepts of multiple myeloma as a table with the column concept_id: the disease and all below it."""
    return relations(tables, pd.DataFrame({"concept_id": [MYELOMA], "meaning": [0]}))


def relations(tables: dict[str, Any], meanings: pd.DataFrame, alone: tuple[int, ...] = ()) -> Any:
    """Each concept with the number of its meaning: those given (concept_id, number), and all concepts below them.

    Of the concepts `alone` those below are left out.
    """
    import ibis

    ids, numbers = (meanings.iloc[:, place].tolist() for place in (0, 1))
    own = ibis.literal(ids, type="array<int64>").unnest().name("concept_id").as_table()
    found = own.select("concept_id", known_id=own.concept_id)
    if (ancestor := tables.get("concept_ancestor")) is not None:
        below = ancestor.filter(ancestor.ancestor_concept_id.isin([one for one in ids if one not in alone]))
        below = below.select(concept_id=below.descendant_concept_id, known_id=below.ancestor_concept_id)
        found = found.union(below)
    meaning = found.known_id.cases(*zip(ids, numbers, strict=True))
    return found.select("concept_id", meaning=meaning.cast("int64")).distinct()


def line_episodes(tables: dict[str, Any]) -> Any | None:
    """The lines that the source states as episodes: person, number, first and last day; None without that table."""
    episode = tables.get("episode")
    if episode is None:
        return None
    stated = episode.filter(
        episode.episode_concept_id == LINE_EPISODE,
        episode.episode_number.between(1, 30),
        episode.episode_start_date.notnull(),
    )
    end = stated.episode_end_date if "episode_end_date" in stated.columns else stated.episode_start_date.nullif(
        stated.episode_start_date
    )  # fmt: skip
    return stated.select("person_id", line=stated.episode_number, line_start=stated.episode_start_date, line_end=end)


def _listed(known: pd.DataFrame, word: str, column: str) -> pd.DataFrame:
    """One row per code of a column in which several stand, joined by |."""
    rows = known[[word, column]].assign(concept_id=known[column].str.split("|")).explode("concept_id")
    rows = rows[rows["concept_id"] != ""]
    return rows[["concept_id", word]].astype({"concept_id": "int64"}).reset_index(drop=True)


def _coded(concept: Any | None, vocabulary_id: str, codes: list[str]) -> pd.DataFrame:
    """The concepts of these codes of one vocabulary: concept_id and concept_code."""
    if concept is None:
        return pd.DataFrame({"concept_id": pd.Series(dtype="int64"), "concept_code": pd.Series(dtype=object)})
    found = concept.filter(concept.vocabulary_id == vocabulary_id, concept.concept_code.isin(codes))
    return pulled(found.select("concept_id", "concept_code")).astype({"concept_id": "int64"})


def _drugs_by_code(concept: Any | None, known: pd.DataFrame) -> list[pd.DataFrame]:
    """Drugs that `concept` knows by their RxNorm code, or as an ingredient of the same name."""
    if concept is None:
        return []
    by_code = known[known["rxnorm"] != ""].set_index("rxnorm")["agent"]
    coded = _coded(concept, "RxNorm", by_code.index.tolist())
    named = concept.filter(
        concept.concept_class_id == "Ingredient", concept.concept_name.lower().isin(known["agent"].tolist())
    )
    named = pulled(named.select("concept_id", agent=named.concept_name.lower()))
    return [coded.assign(agent=coded["concept_code"].map(by_code))[["concept_id", "agent"]], named]


def _tests(concept: Any | None) -> pd.DataFrame:
    """Tests by LOINC code where the vocabulary is there and has one of them, else by id."""
    known = vocabulary.tests()
    codes = known.assign(loinc=known["loinc"].str.split("|")).explode("loinc").set_index("loinc")["test"]
    coded = _coded(concept, "LOINC", codes.index.tolist())
    coded = coded.assign(test=coded["concept_code"].map(codes))[["concept_id", "test"]]
    listed = _listed(known, "test", "omop_concept_id")
    found = pd.concat([coded, listed[~listed["test"].isin(coded["test"])]], ignore_index=True)
    return found.drop_duplicates("concept_id", ignore_index=True)


def _units(concept: Any | None) -> pd.DataFrame:
    listed = vocabulary.unit_concepts().rename(columns={"omop_concept_id": "concept_id"})[["concept_id", "unit"]]
    units = sorted({unit for test in vocabulary.tests()["test"] for unit in vocabulary.units_of(test)})
    coded = _coded(concept, "UCUM", units).rename(columns={"concept_code": "unit"})
    return pd.concat([listed, coded], ignore_index=True).drop_duplicates("concept_id", ignore_index=True)
