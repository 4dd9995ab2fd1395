"""What must not change the lines: order, names, doubled and split rows, the day that counts as zero, the data cut."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.derive import regimens

AGENTS = (
    "bortezomib", "lenalidomide", "daratumumab", "carfilzomib", "cyclophosphamide", "melphalan", "elixir",
    "dexamethasone", "autologous transplant", "leukapheresis", "ciltacabtagene autoleucel",
)  # fmt: skip
RULES = ("rajkumar", "ohdsi", "window_gap")
LOOK_AHEAD_DAYS = 120  # cells may be infused so long after the apheresis that begins their line

rows = st.tuples(
    st.sampled_from(["a", "b", "c"]),
    st.integers(0, 1200),
    st.one_of(st.none(), st.sampled_from([0, 2, 6, 13, 14, 27, 60, 150, 500])),
    st.sampled_from(AGENTS),
    st.sampled_from(["unknown", "induction", "maintenance", "treatment"]),
)
records = st.lists(rows, min_size=1, max_size=14)
known_ends = st.lists(rows.filter(lambda row: row[2] is not None), min_size=1, max_size=14)
rules = pytest.mark.parametrize("rule", RULES)
few = settings(max_examples=20, deadline=None, derandomize=True)


def frame(drawn) -> pd.DataFrame:
    made = pd.DataFrame(drawn, columns=["patient_id", "start_day", "length", "agent", "phase"])
    made["end_day"] = (made["start_day"] + made.pop("length").astype("Int64")).astype("Int64")
    return made


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one.reset_index(drop=True), other.reset_index(drop=True))


@rules
@few
@given(drawn=records, seed=st.integers(0, 9))
def test_row_order_and_repeated_rows_do_not_matter(rule, drawn, seed):
    made = frame(drawn)
    doubled = pd.concat([made, made.sample(frac=0.5, random_state=seed)])
    shuffled = doubled.sample(frac=1, random_state=seed)
    same(regimens.lines_of_therapy(made, rule), regimens.lines_of_therapy(shuffled, rule))


@rules
@few
@given(drawn=records)
def test_names_of_patients_do_not_matter(rule, drawn):
    made, names = frame(drawn), {"a": "z", "b": "mm 7", "c": "A"}
    lines = regimens.lines_of_therapy(made, rule)
    renamed = regimens.lines_of_therapy(made.assign(patient_id=made["patient_id"].map(names)), rule)
    back = renamed.assign(patient_id=renamed["patient_id"].map({name: old for old, name in names.items()}))
    same(lines, back.sort_values(["patient_id", "line"]))


@rules
@few
@given(drawn=records)
def test_a_patient_is_read_alone(rule, drawn):
    made = frame(drawn).drop(columns="phase")  # whether any phase is stated is asked of the whole frame
    lines = regimens.lines_of_therapy(made, rule)
    for patient, mine in made.groupby("patient_id"):
        same(lines[lines["patient_id"] == patient], regimens.lines_of_therapy(mine, rule))


@rules
@few
@given(drawn=known_ends, part=st.floats(0, 1))
def test_an_exposure_in_touching_pieces_is_the_same_exposure(rule, drawn, part):
    made = frame(drawn)
    cut = made["start_day"] + ((made["end_day"] - made["start_day"]) * part).astype("int64")
    longer = made["end_day"] > made["start_day"]
    first = made.assign(end_day=made["end_day"].mask(longer, cut.clip(upper=made["end_day"] - 1)))
    second = made.assign(start_day=first["end_day"].astype("int64") + 1)[longer]
    same(regimens.lines_of_therapy(made, rule), regimens.lines_of_therapy(pd.concat([first, second]), rule))


@rules
@few
@given(drawn=records, days=st.integers(-4000, 4000))
def test_the_day_that_counts_as_zero_does_not_matter(rule, drawn, days):
    made = frame(drawn)
    lines = regimens.lines_of_therapy(made, rule)
    moved = regimens.lines_of_therapy(
        made.assign(start_day=made["start_day"] + days, end_day=made["end_day"] + days), rule
    )
    same(lines, moved.assign(start_day=moved["start_day"] - days, end_day=moved["end_day"] - days))


@rules
@few
@given(drawn=records, cut=st.integers(0, 1500))
def test_an_earlier_data_cut_changes_no_line_that_was_certain_by_then(rule, drawn, cut):
    """Certain: what comes within the rule's look-ahead is known. OHDSI asks whether a drug was off for months, which a
    record that ends cannot answer; there the cut only must not make lines after it.
    """
    made = frame(drawn)
    seen = made[made["start_day"] <= cut].assign(end_day=lambda rows: rows["end_day"].clip(upper=cut))
    now, later = (regimens.lines_of_therapy(rows, rule) for rows in (seen, made))
    assert (now["start_day"] <= cut).all()
    if rule == "ohdsi":
        return
    certain = [lines[lines["start_day"] <= cut - LOOK_AHEAD_DAYS] for lines in (now, later)]
    same(*(lines[["patient_id", "line", "start_day", "start_reason"]] for lines in certain))


@rules
@few
@given(drawn=records)
def test_lines_follow_one_another(rule, drawn):
    lines = regimens.lines_of_therapy(frame(drawn), rule)
    following = lines.groupby("patient_id")["start_day"].shift(-1)
    assert (lines["end_day"] >= lines["start_day"]).all()
    assert (lines["end_day"] < following)[following.notna()].all()
    assert (lines["line"] == lines.groupby("patient_id").cumcount() + 1).all()
    next_reason = lines.groupby("patient_id")["start_reason"].shift(-1)
    assert (lines["end_reason"] == next_reason)[next_reason.notna()].all()
