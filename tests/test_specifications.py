"""The same share under every definition: by hand, and as it is told."""

import numpy as np
import pandas as pd
import present_frames as frames
import pytest

from analysis import schema
from analysis.estimate.specifications import by_definition
from analysis.present import figures, tables, words

MONTH = schema.DAYS_PER_MONTH


@pytest.fixture
def definitions() -> pd.DataFrame:
    rows = [("A", "rajkumar", 60, None, 2016, True), ("B", "ohdsi", 30, 90, 2016, False)]
    names = ["definition", "rule", "window_days", "gap_days", "imwg_version", "default"]
    return pd.DataFrame(rows, columns=names).astype({"gap_days": "Int64"})


@pytest.fixture
def spells() -> pd.DataFrame:
    """Under A one of four has relapsed by 12 months, under B two; line 2 exists under B alone, with one patient."""
    rows = [("A", 1, 3, "relapse"), ("A", 1, 20, "relapse"), ("A", 1, 30, "censored"), ("A", 1, 30, "censored")]
    rows += [("B", 1, 3, "relapse"), ("B", 1, 4, "relapse"), ("B", 1, 30, "censored"), ("B", 1, 30, "censored")]
    rows += [("B", 2, 30, "censored")]
    frame = pd.DataFrame(rows, columns=["definition", "line", "time", "event"])
    return frame.assign(time=frame["time"] * MONTH, entry=0)


def test_each_definition_has_its_own_estimate(spells, definitions):
    read = by_definition(spells, definitions, 12, 3, minimum_at_risk=1)
    told = read[read["event"] == "relapse"].set_index(["definition", "line"])
    assert told["estimate"].to_dict() == {("A", 1): 0.25, ("B", 1): 0.5, ("B", 2): 0.0}
    assert told["subjects"].to_dict() == {("A", 1): 4, ("B", 1): 4, ("B", 2): 1}
    assert told["default"].tolist() == [True, False, False]


def test_few_at_risk_and_late_lines_are_left_out(spells, definitions):
    read = by_definition(spells, definitions, 12, 2, minimum_at_risk=2)
    few = read[read["line"] == 2].iloc[0]
    assert np.isnan(few["estimate"])
    assert few["note"] == "fewer than 2 at risk"
    assert by_definition(spells, definitions, 12, 1, minimum_at_risk=1)["line"].unique().tolist() == [1]


def test_row_order_does_not_matter(spells, definitions):
    shuffled = by_definition(spells.sample(frac=1, random_state=3), definitions.iloc[::-1], 12, 3, 1)
    pd.testing.assert_frame_equal(shuffled, by_definition(spells, definitions, 12, 3, 1))


def test_the_default_and_the_ends_are_told_by_line():
    frame = frames.specifications("relapse")
    said = words.specifications(frame).replace("\xa0", " ")
    assert "Over 4 definitions of line and endpoint" in said
    assert "Relapse by 24 months: line 1 52.0 % under the default, 50.0 % to 56.0 % over all; line 2" in said
    assert "62.0 % under the default, 60.0 % to 64.0 % over all." in said
    html = tables.specifications(frame).data
    assert "rajkumar, gap 90" in html
    assert "3 of 4" in html


def test_where_no_definition_shows_the_event_that_is_said():
    others = frames.specifications("next_line")
    assert "No definition has an estimate" in words.alt_specifications(others, "relapse")
    assert figures.specifications(others, "relapse").get_figheight() < 2


def test_a_choice_that_did_not_vary_has_no_row_of_marks():
    fig = figures.specifications(frames.specifications("relapse"), "relapse")
    names = [text.get_text() for text in fig.axes[-1].get_yticklabels()]
    assert names == ["rule ohdsi", "rule rajkumar", "gap 90 d", "no gap"]
