"""Regimens by abbreviation: each name of the table stands for known agents, and no initials are ever parsed."""

import pandas as pd
import pytest

from analysis import vocabulary
from analysis.vocabulary.spelling import word_key


def agents(name: str) -> str:
    return vocabulary.regimen_agents(pd.Series([name], dtype=object)).iloc[0]


def test_every_regimen_is_of_known_agents_in_order_and_has_a_source():
    table = vocabulary.regimens()
    known = set(vocabulary.drugs()["agent"])
    for row in table.itertuples():
        listed = row.agents.split("+")
        assert set(listed) <= known, row.regimen
        assert listed == sorted(set(listed)), row.regimen
        assert row.source, row.regimen
    assert table["regimen"].is_unique


def test_a_source_is_dated_and_says_what_in_it_is_not_confirmed():
    source = vocabulary.regimens().set_index("regimen")["source"]
    assert source.str.contains(r"\b(?:19|20)\d\d\b").all()
    assert source.str.fullmatch(r"[^()]+(?: \([^()]*unconfirmed\))?").all()
    assert not source[["VRd", "DRd", "DVd", "KRd", "Kd", "IRd", "EPd", "Isa-Pd", "VMP"]].str.contains("unconf").any()


def test_no_spelling_names_two_regimens_and_none_is_an_agent():
    table = vocabulary.regimens()
    names = [
        (name, row.regimen) for row in table.itertuples() for name in [row.regimen, *row.aliases.split("|")] if name
    ]
    meant = pd.DataFrame(names, columns=["name", "regimen"])
    meant["key"] = meant["name"].map(word_key)
    assert meant["key"].is_unique
    assert not vocabulary.is_known_agent(meant["name"]).any()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("VRd", "RVd"), ("VCd", "VDC"), ("VCd", "CyBorD"), ("D-VRd", "Dara-RVd"), ("SVd", "XVd"), ("Sd", "Xd"),
        ("IsaPd", "Isa-Pd"), ("D-Rd", "DRd"), ("VTD-PACE", "vtd pace"),
    ],
)  # fmt: skip
def test_two_names_of_one_regimen(one, other):
    assert agents(one) == agents(other)


@pytest.mark.parametrize(
    "name",
    [
        "VRd",
        "VCd",
        "DRd",
        "DVd",
        "DPd",
        "DKd",
        "D-VRd",
        "D-VMP",
        "Isa-Pd",
        "Isa-Kd",
        "Isa-VRd",
        "ERd",
        "EPd",
        "KRd",
        "Kd",
        "KPd",
        "KCd",
        "IRd",
        "PVd",
        "Pd",
        "PCd",
        "SVd",
        "Sd",
        "BVd",
        "BPd",
        "VTd",
        "VMP",
        "MPT",
        "VTD-PACE",
        "DCEP",
    ],
)
def test_the_regimens_of_the_field_are_known(name):
    assert agents(name)


def test_letters_that_mean_two_things_are_read_by_the_table_only():
    assert agents("PCd") == "cyclophosphamide+dexamethasone+pomalidomide"
    assert agents("VMP") == "bortezomib+melphalan+prednisone"
    assert agents("VTD-PACE").split("+")[1] == "cisplatin"
    assert agents("BVd") == "belantamab mafodotin+bortezomib+dexamethasone"


@pytest.mark.parametrize("name", ["D", "P", "V", "VX", "RKd", "dVR", "", None])
def test_initials_are_never_parsed(name):
    assert pd.isna(agents(name))


def test_the_index_stays_and_missing_stays_missing():
    found = vocabulary.regimen_agents(pd.Series(["Kd", None], index=[7, 9]))
    assert found.index.tolist() == [7, 9]
    assert found.isna().tolist() == [False, True]
