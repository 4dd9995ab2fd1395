"""The words: every spelling finds its agent, no spelling finds two, units never pass by guess."""

import numpy as np
import pandas as pd
import pytest

from analysis import vocabulary
from analysis.vocabulary.spelling import unit_key, word_key

CLASSES = {
    "PI", "IMiD", "CELMoD", "anti-CD38", "anti-SLAMF7", "alkylator", "anthracycline", "steroid", "HDAC inhibitor",
    "XPO1 inhibitor", "BCL2 inhibitor", "CAR-T", "bispecific", "ADC", "autologous transplant",
    "allogeneic transplant", "other",
}  # fmt: skip

# The distinct words of the columns therapeutic_agents and treatment_type in the CoMMpass export of the GDC, 2023.
GDC_WORDS = [
    "Dexamethasone",
    "Lenalidomide",
    "Bortezomib",
    "Cyclophosphamide",
    "Carfilzomib",
    "Melphalan",
    "Other",
    "Pomalidomide",
    "Prednisone",
    "Daratumumab",
    "Ixazomib",
    "Thalidomide",
    "Elotuzumab",
    "Doxorubicin",
    "Bendamustine",
    "Panobinostat",
    "Vincristine",
    "Carmustine",
    "Stem Cell Transplantation, Autologous",
    "Stem Cell Transplantation, Allogeneic",
]


def _every_spelling(words, name):
    return [
        (spelling, row[name]) for _, row in words.iterrows() for spelling in [row[name], *row["aliases"].split("|")]
    ]


def test_every_agent_has_a_class_a_kind_and_a_source():
    drugs = vocabulary.drugs()
    assert len(drugs) >= 45
    assert drugs["agent"].is_unique
    assert set(drugs["drug_class"]) == CLASSES
    assert set(drugs["kind"]) == {"drug", "cell therapy", "transplant", "support"}
    assert (drugs[["agent", "drug_class", "kind", "source"]] != "").all().all()


@pytest.mark.parametrize(("table", "name"), [("drugs", "agent"), ("tests", "test")])
def test_no_spelling_names_two_things(table, name):
    spellings = pd.DataFrame(_every_spelling(getattr(vocabulary, table)(), name), columns=["spelling", "meaning"])
    meanings = spellings.assign(key=spellings["spelling"].map(word_key)).groupby("key")["meaning"].nunique()
    assert meanings[meanings > 1].empty


def test_every_spelling_in_any_case_finds_its_agent():
    spellings = pd.DataFrame(_every_spelling(vocabulary.drugs(), "agent"), columns=["spelling", "agent"])
    for change in (str.upper, str.lower, str.title, lambda text: f"  {text.replace('-', ' ')} "):
        found = vocabulary.canonical_agents(spellings["spelling"].map(change))
        assert found.tolist() == spellings["agent"].tolist()


@pytest.mark.parametrize(
    ("spelling", "agent"),
    [
        ("Velcade", "bortezomib"),
        ("Dara IV", "daratumumab"),
        ("daratumumab and hyaluronidase", "daratumumab"),
        ("ASCT", "autologous transplant"),
        ("Liposomal doxorubicin", "liposomal doxorubicin"),
        ("Doxorubicin", "doxorubicin"),
        ("REVLIMID®", "lenalidomide"),
        ("belantamab mafodotin-blmf", "belantamab mafodotin"),
    ],
)
def test_aliases(spelling, agent):
    assert vocabulary.canonical_agents(pd.Series([spelling])).tolist() == [agent]


def test_every_word_of_the_gdc_is_known():
    assert vocabulary.is_known_agent(pd.Series(GDC_WORDS)).all()


def test_single_letters_are_never_read():
    letters = pd.Series(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    assert not vocabulary.is_known_agent(letters).any()


def test_unknown_agents_stay_as_they_came_and_have_no_class():
    names = pd.Series(["Snake-Oil", None, "bortezomib"], index=[7, 3, 7], name="agent")
    found = vocabulary.canonical_agents(names)
    assert found.index.tolist() == [7, 3, 7]
    assert found.iloc[0] == "Snake-Oil"
    assert pd.isna(found.iloc[1])
    assert vocabulary.is_known_agent(names).tolist() == [False, False, True]
    assert vocabulary.drug_classes(names).tolist() == ["unknown", "unknown", "PI"]


def test_categorical_columns_read_like_text():
    names = pd.Series(["Velcade", "snake oil", "Velcade"])
    as_text, as_category = vocabulary.canonical_agents(names), vocabulary.canonical_agents(names.astype("category"))
    assert as_text.tolist() == as_category.tolist() == ["bortezomib", "snake oil", "bortezomib"]


def test_what_is_handed_out_can_be_changed_without_harm():
    vocabulary.drugs()["drug_class"] = "spoilt"
    vocabulary.tests()["unit"] = "spoilt"
    assert vocabulary.drug_classes(pd.Series(["bortezomib"])).tolist() == ["PI"]
    assert vocabulary.tests().set_index("test").loc["LDH", "unit"] == "U/L"


@pytest.mark.parametrize(
    ("test", "value", "unit", "expected", "canonical"),
    [
        ("serum M-protein", 10, "g/L", 1.0, "g/dL"),
        ("serum M-protein", 15, "g/L", 1.5, "g/dL"),
        ("kappa free light chain", 3, "mg/dL", 30.0, "mg/L"),
        ("Serum Free Immunoglobulin Light Chain, Lambda", 12.5, "mg/dL", 125.0, "mg/L"),
        ("creatinine", 176.84, "umol/L", 2.0, "mg/dL"),
        ("creatinine", 176.84, "µmol/L", 2.0, "mg/dL"),  # micro sign
        ("creatinine", 176.84, "μmol/l", 2.0, "mg/dL"),  # Greek mu
        ("calcium", 2.495, "mmol/L", 10.0, "mg/dL"),
        ("Hemoglobin", 98, "g/L", 9.8, "g/dL"),
        ("albumin", 35, "G/L", 3.5, "g/dL"),
        ("beta-2 microglobulin", 3.5, "mcg/mL", 3.5, "mg/L"),
        ("urine M-protein", 0.2, "g/24h", 200.0, "mg/24 h"),
        ("LDH", 4, "ukat/L", 240.0, "U/L"),
        ("platelets", 150, "x10⁹/L", 150.0, "10^9/L"),
    ],
)
def test_units_become_canonical(test, value, unit, expected, canonical):
    labs = pd.DataFrame({"test": [test], "value": [float(value)], "unit": [unit]})
    converted = vocabulary.to_canonical_units(labs)
    assert converted["value"].iloc[0] == pytest.approx(expected, rel=1e-12)
    assert converted["unit"].iloc[0] == canonical
    assert labs["unit"].iloc[0] == unit  # the argument is not touched


def test_conversion_is_done_once_only():
    tests = vocabulary.tests()
    labs = pd.DataFrame({"test": tests["test"], "value": 7.0, "unit": tests["unit"]})
    pd.testing.assert_frame_equal(vocabulary.to_canonical_units(labs), labs)


@pytest.mark.parametrize("unit", [None, "", " ", np.nan, "furlong"])
def test_free_light_chains_without_a_known_unit_are_refused(unit):
    labs = pd.DataFrame({"test": ["kappa FLC", "calcium"], "value": [12.0, 9.0], "unit": [unit, "mg/dL"]})
    with pytest.raises(ValueError, match=r"'kappa free light chain': expected one of \['mg/L', 'mg/dL'"):
        vocabulary.to_canonical_units(labs)
    kept = vocabulary.to_canonical_units(labs, unknown="missing")
    assert kept["value"].isna().tolist() == [True, False]


def test_an_unknown_test_keeps_its_value_and_unit():
    labs = pd.DataFrame({"test": ["zinc", "Hb"], "value": [11.0, 100.0], "unit": ["umol/L", "g/L"]}, index=[5, 5])
    converted = vocabulary.to_canonical_units(labs)
    assert converted["unit"].tolist() == ["umol/L", "g/dL"]
    assert converted["value"].tolist() == [11.0, 10.0]
    assert converted.index.tolist() == [5, 5]


def test_a_misspelt_choice_is_refused():
    with pytest.raises(ValueError, match="'raise' or 'missing'"):
        vocabulary.to_canonical_units(pd.DataFrame({"test": [], "value": [], "unit": []}), unknown="guess")


def test_every_unit_of_every_test_is_offered_once():
    for test in vocabulary.tests()["test"]:
        units = vocabulary.units_of(test)
        assert units
        assert len({unit_key(unit) for unit in units}) == len(units)
    assert vocabulary.units_of("zinc") == []


# --- codes of public vocabularies ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "column", "form"),
    [
        ("drugs", "omop_concept_id", r"[1-9][0-9]{4,8}"),
        ("drugs", "rxnorm", r"[1-9][0-9]{2,6}"),
        ("drugs", "atc", r"[A-Z][0-9]{2}[A-Z]{2}[0-9]{2}"),
        ("tests", "omop_concept_id", r"[1-9][0-9]{4,8}"),
        ("tests", "loinc", r"[0-9]{3,5}-[0-9]"),
    ],
)
def test_codes_have_their_form_and_name_one_thing(table, column, form):
    words = getattr(vocabulary, table)()
    codes = words[column].str.split("|").explode()
    codes = codes[codes != ""]
    assert codes.str.fullmatch(form).all()
    assert codes.is_unique or column == "atc"  # doxorubicin and its liposomal form share one


def test_a_loinc_code_ends_in_its_check_digit():
    codes = vocabulary.tests()["loinc"].str.split("|").explode()
    for code in codes[codes != ""]:
        number, check = code.split("-")
        doubled = int("".join(reversed(number))[::2]) * 2
        digits = str(doubled) + "".join(reversed(number))[1::2]
        assert (10 - sum(map(int, digits)) % 10) % 10 == int(check), code


def test_every_marker_that_makes_a_relapse_has_a_code():
    tests = vocabulary.tests().set_index("test")
    for marker in ("serum M-protein", "urine M-protein", "kappa free light chain", "lambda free light chain"):
        assert tests.loc[marker, "loinc"] and tests.loc[marker, "omop_concept_id"], marker
    assert "32730-5" not in "|".join(tests["loinc"]).split("|")  # in circulation, but fails its own check digit


def test_every_unit_concept_fits_a_test():
    concepts = vocabulary.unit_concepts()
    assert concepts["omop_concept_id"].is_unique and (concepts["source"] != "").all()
    known = {unit_key(unit) for test in vocabulary.tests()["test"] for unit in vocabulary.units_of(test)}
    assert set(concepts["unit"].map(unit_key)) <= known


def test_every_canonical_unit_has_a_concept():
    assert set(vocabulary.tests()["unit"]) <= set(vocabulary.unit_concepts()["unit"])
