"""Regimens and classes by line, counted by hand."""

import pandas as pd
import pytest

from analysis import schema
from analysis.estimate import usage


@pytest.fixture
def lines() -> pd.DataFrame:
    frame = usage._two_lines()
    more = frame.iloc[[0]].assign(patient_id="c", regimen="melphalan+bortezomib", classes="alkylator+PI")
    return pd.concat([frame, more], ignore_index=True)


def test_regimen_shares_add_up_to_one_per_line(lines):
    used = usage.regimens(lines)
    assert used["patients"].tolist() == [2, 1, 1]
    assert used["share"].tolist() == [2 / 3, 1 / 3, 1]
    assert used.groupby("line")["share"].sum().tolist() == [1, 1]


def test_a_patient_counts_in_every_class_of_the_line(lines):
    used = usage.drug_classes(lines).set_index(["line", "drug_class"])["patients"].to_dict()
    assert used == {(1, "PI"): 3, (1, "IMiD"): 2, (1, "alkylator"): 1, (2, "anti-CD38"): 1}


def test_row_order_does_not_matter(lines):
    for counted in (usage.regimens, usage.drug_classes):
        pd.testing.assert_frame_equal(counted(lines), counted(lines.sample(frac=1, random_state=1)))


def test_frames_that_are_not_lines_are_refused(lines):
    with pytest.raises(schema.SchemaError, match="'regimen' is missing"):
        usage.regimens(lines.drop(columns="regimen"))


def test_reasons_of_line_ends_add_up_and_the_unknown_are_counted(lines):
    reasons = lines.assign(end_reason=["drug switched", None, "drug switched", "treatment gap"])
    found = usage.line_ends(reasons).set_index(["line", "end_reason"])["patients"]
    by_line = reasons.assign(end_reason=reasons["end_reason"].fillna("unknown")).groupby(["line", "end_reason"]).size()
    assert found.to_dict() == by_line.to_dict()
    with pytest.raises(schema.SchemaError, match="'end_reason' is missing"):
        usage.line_ends(lines)
