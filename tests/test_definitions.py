"""Every definition of the grid gives what it gives alone."""

import pandas as pd
import pytest

from analysis.derive import definitions, regimens, response, spells
from analysis.sources import synthetic

KEY = ["patient_id", "line"]


@pytest.fixture(scope="module")
def cohort():
    return synthetic.simulate(patients=120, seed=11)


def alone(cohort, choice, endpoint):
    gap_days = None if pd.isna(choice.gap_days) else int(choice.gap_days)
    lines = regimens.lines(cohort, rule=choice.rule, window_days=choice.window_days, gap_days=gap_days, findings=None)
    if endpoint != "relapse":
        return spells.spells(cohort, lines, endpoint=endpoint)
    found = response.outcomes(cohort, lines, imwg_version=choice.imwg_version, mode="lab_only")
    lines = response.with_outcomes(lines, found)
    made = spells.spells(cohort, lines, endpoint=endpoint)
    return made.merge(lines.loc[lines["followable"], KEY], on=KEY)


@pytest.mark.parametrize("endpoint", ["relapse", "next_line"])
def test_together_as_alone(cohort, endpoint):
    grid = definitions.grid(windows_days=[28, 90], gaps_days=[60, None])
    together = definitions.spells_by_definition(cohort, grid, endpoint)
    assert together["definition"].unique().tolist() == grid["definition"].tolist()
    for choice in grid.itertuples(index=False):
        mine = together[together["definition"] == choice.definition].drop(columns="definition")
        expected = alone(cohort, choice, endpoint)[mine.columns]
        pd.testing.assert_frame_equal(
            mine.sort_values(KEY, ignore_index=True), expected.sort_values(KEY, ignore_index=True), check_dtype=False
        )


def test_the_whole_grid_has_every_combination_once_and_one_default():
    grid = definitions.grid()
    assert len(grid) == 3 * 4 * 5 * 2 == grid["definition"].nunique()
    assert grid.loc[grid["default"], "definition"].tolist() == ["rajkumar, window 28, gap none, IMWG 2016"]


def test_definitions_make_a_difference(cohort):
    grid = definitions.grid(rules=["rajkumar", "ohdsi"], windows_days=[28], gaps_days=[90], imwg_versions=[2016])
    made = definitions.spells_by_definition(cohort, grid, "next_line")
    assert made.groupby("definition").size().nunique() == 2


def test_what_is_needed_is_named(cohort):
    grid = definitions.grid(imwg_versions=[2016])
    bare = {"patients": cohort["patients"]}
    with pytest.raises(ValueError, match="bring treatments, labs"):
        definitions.spells_by_definition(bare, grid, "relapse")
    with pytest.raises(ValueError, match=r"bring treatments$"):
        definitions.spells_by_definition(bare, grid, "next_line")


def test_without_markers_no_version_is_spoken_of():
    grid = definitions.grid(rules=["rajkumar"], windows_days=[28], imwg_versions=[None])
    assert not grid["definition"].str.contains("IMWG").any()
    assert grid.loc[grid["default"], "definition"].tolist() == ["rajkumar, window 28, gap none"]
    with pytest.raises(ValueError, match="expected an imwg_version in every row"):
        definitions.spells_by_definition({"treatments": pd.DataFrame(), "labs": pd.DataFrame()}, grid, "relapse")


def test_one_patient_with_markers_does_not_make_relapse_comparable(cohort):
    labs = cohort["labs"]
    one = labs[labs["patient_id"] == labs["patient_id"].iloc[0]]
    assert definitions.endpoint(cohort) == "relapse"
    assert definitions.endpoint(cohort | {"labs": one}) == "next_line"
    assert definitions.endpoint(cohort | {"cohort": cohort["cohort"].assign(endpoint="next_line")}) == "next_line"
