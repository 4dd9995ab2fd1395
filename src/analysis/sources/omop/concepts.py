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
_PLACES = 1000  # more than there are agents


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
        """Numbers of the agents whose first day may be the index day: neither steroids nor support."""
        known = vocabulary.drugs().set_index("agent")
        beside = (known["kind"] == "support") | (known["drug_class"] == "steroid")
        return [number for number, agent in enumerate(self.agents) if not beside[agent]]

    @property
    def support(self) -> list[int]:
        """Numbers of what is given beside a line and belongs to none."""
        support = vocabulary.drugs().set_index("agent")["kind"] == "support"
        return [number for number, agent in enumerate(self.agents) if support[agent]]


def words(tables: dict[str, Any]) -> Words:
    """The meaning of the concepts in these tables."""
    known = vocabulary.drugs()
    coded = _coded(tables.get("concept"), known)
    agents = tuple(sorted(known["agent"]))
    number = {agent: place for place, agent in enumerate(agents)}
    unstated = pd.DataFrame({"concept_id": UNSPECIFIED_TRANSPLANTS, "agent": AUTOLOGOUS})
    drugs = pd.concat([_listed(known, "agent"), unstated, _drugs(coded, known)], ignore_index=True)
    drugs = drugs.drop_duplicates("concept_id", ignore_index=True)
    status = coded.loc[coded["code"] == f"LOINC {DISEASE_STATUS_LOINC}", "concept_id"]
    return Words(
        agents=agents,
        drugs=drugs.assign(agent=drugs["agent"].map(number)).astype("int64"),
        tests=_tests(coded),
        units=_units(coded),
        disease_status=(*{DISEASE_STATUS, *status.tolist()},),
    )


def myeloma(tables: dict[str, Any]) -> Any:
    """The concepts of multiple myeloma as a table with the column concept_id: the disease and all below it."""
    return relations(tables, pd.DataFrame({"concept_id": [MYELOMA], "meaning": [0]}))


def relations(tables: dict[str, Any], meanings: pd.DataFrame, alone: tuple[int, ...] = ()) -> Any:
    """Each concept with the number of its meaning: those given (concept_id, number), and all concepts below them.

    Of the concepts `alone` those below are left out.
    """
    import ibis

    ids, numbers = (meanings.iloc[:, place].to_numpy("int64") for place in (0, 1))
    # A table of constants without a right to create one: each pair travels as one number of an array.
    pairs = (ids * _PLACES + numbers).tolist()
    pair = ibis.literal(pairs, type="array<int64>").unnest().name("pair").as_table()
    own = pair.select(concept_id=pair.pair // _PLACES, meaning=pair.pair % _PLACES)
    if (ancestor := tables.get("concept_ancestor")) is None:
        return own
    above = own.filter(own.concept_id.notin(alone)) if alone else own
    below = ancestor.join(above, ancestor.ancestor_concept_id == above.concept_id)
    return own.union(below.select(concept_id=below.descendant_concept_id, meaning="meaning"), distinct=True)


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


def _coded(concept: Any | None, drugs: pd.DataFrame) -> pd.DataFrame:
    """What the database's own vocabulary has of ours: concept_id, code ("LOINC 718-7") and name, in lower case."""
    if concept is None:
        text = pd.Series(dtype=object)
        return pd.DataFrame({"concept_id": pd.Series(dtype="int64"), "code": text, "name": text})
    code = (concept.vocabulary_id + " " + concept.concept_code).name("code")
    loinc = [f"LOINC {one}" for codes in vocabulary.tests()["loinc"] for one in codes.split("|") if one]
    rxnorm = [f"RxNorm {one}" for one in drugs["rxnorm"] if one]
    ucum = [f"UCUM {unit}" for unit in sorted(_unit_words())]
    wanted = code.isin([*loinc, f"LOINC {DISEASE_STATUS_LOINC}", *rxnorm, *ucum])
    named = (concept.concept_class_id == "Ingredient") & concept.concept_name.lower().isin(drugs["agent"].tolist())
    found = concept.filter(wanted | named).select("concept_id", code, name=concept.concept_name.lower())
    return pulled(found).astype({"concept_id": "int64"}).sort_values("concept_id", ignore_index=True)


def _drugs(coded: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Drugs by their RxNorm code, else as an ingredient of the same name."""
    by_code = known[known["rxnorm"] != ""].set_index("RxNorm " + known.loc[known["rxnorm"] != "", "rxnorm"])["agent"]
    agent = coded["code"].map(by_code)
    agent = agent.where(agent.notna(), coded["name"].where(coded["name"].isin(known["agent"])))
    return coded.assign(agent=agent).dropna(subset="agent")[["concept_id", "agent"]]


def _tests(coded: pd.DataFrame) -> pd.DataFrame:
    """Tests by LOINC code where the vocabulary is there and has one of them, else by id."""
    known = vocabulary.tests()
    codes = known.assign(loinc=known["loinc"].str.split("|")).explode("loinc")
    test = coded["code"].map(codes.set_index("LOINC " + codes["loinc"])["test"])
    found = coded.assign(test=test).dropna(subset="test")[["concept_id", "test"]]
    listed = _listed(known, "test")
    found = pd.concat([found, listed[~listed["test"].isin(found["test"])]], ignore_index=True)
    return found.drop_duplicates("concept_id", ignore_index=True)


def _units(coded: pd.DataFrame) -> pd.DataFrame:
    """Units by id, and those that the vocabulary has under our own spelling."""
    listed = vocabulary.unit_concepts().rename(columns={"omop_concept_id": "concept_id"})[["concept_id", "unit"]]
    unit = coded["code"].str.removeprefix("UCUM ").where(coded["code"].str.startswith("UCUM "))
    found = coded.assign(unit=unit).dropna(subset="unit")[["concept_id", "unit"]]
    return pd.concat([listed, found], ignore_index=True).drop_duplicates("concept_id", ignore_index=True)


def _unit_words() -> set[str]:
    return {unit for test in vocabulary.tests()["test"] for unit in vocabulary.units_of(test)}


def _listed(known: pd.DataFrame, word: str) -> pd.DataFrame:
    """One row per id of a word, of which several stand joined by |."""
    rows = known.assign(concept_id=known["omop_concept_id"].str.split("|")).explode("concept_id")
    rows = rows[rows["concept_id"] != ""]
    return rows[["concept_id", word]].astype({"concept_id": "int64"}).reset_index(drop=True)
